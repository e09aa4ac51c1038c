(() => {
  "use strict";
  const find = name => document.querySelector(`[data-l402="${name}"]`);
  const show = (name, isShown) => { const part = find(name); if (part) part.hidden = !isShown; };
  // The article's own address, byte for byte as it came, with one of the gate's words or none.
  const address = word => {
    const own = /^(l402|payment_hash)(=|$)/;
    const query = location.search.length > 1
      ? location.search.slice(1).split("&").filter(part => !own.test(part)) : [];
    if (word) query.push("l402=" + word);
    return location.pathname + (query.length ? "?" + query.join("&") : "");
  };

  const payment = find("payment");
  if (payment) wait();
  const claim = find("claim");
  if (claim) take();

  // --- A page with an invoice: asks whether it has been paid, until it is, or has expired ---
  function wait() {
    const status = find("status"), invoice = find("invoice"), timer = find("timer");
    const say = name => { if (status && status.dataset[name]) status.textContent = status.dataset[name]; };
    const waiting = status ? status.textContent : "";
    const calm = () => {
      if (status && [status.dataset.unknown, status.dataset.paid].includes(status.textContent)) status.textContent = waiting;
    };
    // The wall clock of a phone may be wrong and the other one may stand still while it sleeps: the end
    // is reckoned from both, and the gate says again how long it is.
    let endByTimer, endByWall, timeout, pause = 0, failed = 0, isOver = false, isPaid = false;
    // Held: paid while the tab was out of sight. It waits to be looked at, as it may be for another tab that
    // a counted view was paid.
    let isAsking = false, isHeld = false, hasSpoken = false;
    const lasts = seconds => {
      endByTimer = performance.now() + seconds * 1000;
      endByWall = Date.now() + seconds * 1000;
    };
    const left = () => Math.ceil(Math.min(endByTimer - performance.now(), endByWall - Date.now()) / 1000);
    lasts(Number(payment.dataset.seconds) || 0);

    const finish = name => {
      isOver = true;
      clearTimeout(timeout);
      clearInterval(ticking);
      say(name);
    };
    const expire = () => {
      finish("expired");
      payment.hidden = true;
      show("over", true);
    };
    // Should the gate say "paid" and still not open, this does not go round for ever.
    const open = () => {
      const times = Number(history.state?.l402) || 0;
      if (times >= 5) return;
      history.replaceState({ l402: times + 1 }, "");
      location.reload();
    };
    const withoutCookies = () => {
      const link = document.querySelector('[data-l402="paid"] a');
      if (link && /[?&]payment_hash=/.test(link.search)) return finish("hash");
      finish("cookies");
      payment.hidden = true;
      show("paid", false);
    };

    async function ask() {
      if (isOver || isAsking) return;
      clearTimeout(timeout);
      isAsking = true;
      let later = 0;
      try {
        const answer = await fetch(address("status"), {
          headers: { Accept: "application/json" }, cache: "no-store", credentials: "same-origin",
          signal: AbortSignal.timeout ? AbortSignal.timeout(15000) : undefined,
        });
        later = Number(answer.headers.get("Retry-After")) || 0;
        const body = answer.ok ? await answer.json() : { status: "unknown" };
        if (body.status === "paid") {
          isHeld = document.hidden;
          say("paid");
          if (!isHeld) {
            isPaid = true;
            finish("paid");
            return open();
          }
        }
        if (body.status === "expired") return expire();
        if (body.status === "none") return withoutCookies();
        if (Number.isFinite(body.expires_in)) lasts(body.expires_in);
        if (body.status === "pending") {
          isHeld = false;
          calm();
        } else if (body.status !== "paid") later = Math.max(later, 3);
      } catch {
        later = 3;
      } finally {
        isAsking = false;
      }
      if (isOver || (isHeld && left() <= 0)) return;
      // One answer that got lost is no news.
      failed = later ? failed + 1 : 0;
      if (failed > 1) say("unknown");
      // In sight once a second; out of sight less and less.
      pause = document.hidden ? Math.min(Math.max(pause * 2, 4000), 600000) : 1000;
      timeout = setTimeout(ask, Math.max(pause, Math.min(later, 60) * 1000));
    }

    // The last word is the gate's: it may have been paid in the last second.
    async function end() {
      if (isAsking || isHeld) return;
      await ask();
      if (!isOver && !isHeld && left() <= 0) expire();
    }

    function tick() {
      const seconds = left();
      if (seconds <= 0) return end();
      if (timer) {
        const rest = seconds % 3600, two = number => String(number).padStart(2, "0");
        timer.textContent = (seconds >= 3600 ? Math.floor(seconds / 3600) + ":" : "")
          + two(Math.floor(rest / 60)) + ":" + two(rest % 60);
      }
      if (seconds <= 60 && !hasSpoken) {
        hasSpoken = true;
        say("minute");
      }
    }

    const comeBack = () => {
      if (document.hidden) return;
      if (isPaid) return open();
      pause = 0;
      ask();
    };
    document.addEventListener("visibilitychange", comeBack);
    addEventListener("pageshow", comeBack);
    addEventListener("focus", comeBack);
    const ticking = setInterval(tick, 1000);
    tick();
    ask();

    const copy = find("copy");
    if (copy && invoice) {
      copy.hidden = false;
      copy.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(invoice.value);
        } catch {
          // No clipboard without https: the invoice is selected, and copied where that still works.
          const details = invoice.closest("details");
          if (details) details.open = true;
          invoice.select();
          if (!document.execCommand("copy")) return;
        }
        copy.textContent = copy.dataset.done;
      });
    }

    const webln = find("webln");
    if (webln && invoice) {
      const offer = () => { if (window.webln) webln.hidden = false; };
      addEventListener("webln:ready", offer);
      document.addEventListener("webln:ready", offer);
      offer();
      webln.addEventListener("click", async () => {
        webln.disabled = true;
        try {
          await window.webln.enable();
          await window.webln.sendPayment(invoice.value);
        } catch {
          // Refused by the person or failed: the other ways to pay are still there.
        }
        webln.disabled = false;
        ask();
      });
    }
  }

  // --- A page that takes a purchase over from another device ---
  function take() {
    const told = find("claimed");
    const say = name => { if (told) told.textContent = told.dataset[name]; };
    const token = /^#(?:l402=)?([A-Za-z0-9_=-]{20,4000})$/.exec(location.hash)?.[1];
    history.replaceState(null, "", location.pathname + location.search);
    if (!token) return say("broken");
    claim.disabled = false;
    claim.addEventListener("click", async () => {
      claim.disabled = true;
      try {
        const answer = await fetch(address("claim"), {
          method: "POST", credentials: "same-origin", cache: "no-store",
          headers: { "Content-Type": "application/json", Accept: "application/json" },
          body: JSON.stringify({ token }),
        });
        if (answer.ok) {
          say("done");
          return location.replace(address());
        }
        say(answer.status === 429 || answer.status >= 500 ? "later" : "refused");
      } catch {
        say("later");
      }
      claim.disabled = false;
    });
  }
})();
