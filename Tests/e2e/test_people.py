"""A reader buys an article: real Chromium, nginx, gate and LNbits."""
import re
import time

import pytest
from people import ARTICLE, FREE, OTHER, READ, Between, asked, open_blog, reads, soon

# A wallet in the browser: it tells the test which invoice it is to pay, and waits for the preimage.
WEBLN = """
window.webln = {
    enable: async () => { window.webln.isEnabled = true; },
    sendPayment: invoice => new Promise((resolve, reject) => {
        window.webln.resolve = resolve;
        window.webln.reject = reject;
        window.payWith(invoice);
    }),
};
"""


@pytest.fixture(scope="module")
def slow(make_site, running_chromium):
    """Two tabs whose invoices live a minute, opened before all other tests of this file; the last test
    looks what has become of them."""
    site = open_blog(make_site, L402_INVOICE_EXPIRY="1m")
    reader = running_chromium.reader()
    begun = time.time()
    tab = reader.tab(site.url + ARTICLE)
    running_chromium.readers.remove(reader)
    plain = running_chromium.reader(script=False)
    still = plain.tab(site.url + OTHER)
    running_chromium.readers.remove(plain)
    yield site, tab, still, begun
    reader.close()
    plain.close()


def test_the_article_is_there_within_two_seconds_of_the_payment(slow, blog, chromium):
    tab = chromium.reader().tab(blog.url + ARTICLE)
    assert tab.document()["status"] == 402 and tab.state == "invoice"
    assert READ[ARTICLE] not in tab.html, "nothing of the goods"
    assert "A subscription asks for your name" in tab.text, "the teaser"
    assert "100 sats" in tab.text
    paid = time.time()
    blog.wallet.pay(tab.invoice)
    reads(tab, READ[ARTICLE])
    went = [request for request in tab.requests(ARTICLE) if request["type"] == "Document"][-1]["wallTime"]
    assert went - paid < 2
    assert tab.url == blog.url + ARTICLE
    assert tab.complaints() == []
    cookie, = tab.reader.cookies()
    assert re.fullmatch("l402-[0-9a-f]{8}", cookie["name"]) and len(cookie["value"]) <= 600
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["path"] == ARTICLE
    assert 29 < (cookie["expires"] - time.time()) / 86400 <= 30.1
    tab.go(blog.url + OTHER)
    assert tab.state == "invoice", "the other article is sold by itself"


def test_without_script_the_page_reloads_into_the_article(blog, chromium):
    tab = chromium.reader(script=False).tab(blog.url + ARTICLE)
    invoice = tab.invoice
    assert not tab.has("[data-l402=copy]") and not tab.has("[data-l402=webln]"), "nothing that does nothing"
    assert re.fullmatch(r"15; ?url=\S+[?&]l402=wait\S*", tab.read("meta[http-equiv=refresh]", "content"))
    tab.settle(lambda: tab.click("[data-l402=paid] a"))
    assert tab.invoice == invoice, "the same page with the same invoice"
    blog.wallet.pay(invoice)
    # By itself, within fifteen seconds.
    reads(tab, READ[ARTICLE], 18)
    assert tab.url == blog.url + ARTICLE


def test_who_says_that_he_has_paid_gets_in_without_script(blog, chromium):
    tab = chromium.reader(script=False).tab(blog.url + "/one/a.html?part=1")
    blog.wallet.pay(tab.invoice)
    tab.settle(lambda: tab.click("[data-l402=paid] a"))
    reads(tab, "Goods A")
    assert tab.url == blog.url + "/one/a.html?part=1"


@pytest.fixture(scope="module")
def cookieless():
    """A Chromium that is set to keep no cookies."""
    from browsers import Chromium
    browser = Chromium(cookies=False)
    yield browser
    browser.stop()


def test_without_cookies_a_counted_view_is_reached_by_its_hash(blog, cookieless):
    tab = cookieless.reader(script=False).tab(blog.url + "/one/b.html")
    invoice = tab.invoice
    blog.wallet.pay(invoice)
    tab.settle(lambda: tab.click("[data-l402=paid] a"))
    reads(tab, "Goods B")


def test_a_browser_without_cookies_is_told_before_it_pays(blog, cookieless):
    tab = cookieless.reader().tab(blog.url + "/token/a.html")
    soon("the words about cookies", lambda: "keeps no cookies" in tab.text)
    assert not tab.has(".qr"), "nothing is left to pay"
    time.sleep(1.5)
    count = asked(tab)
    time.sleep(1.5)
    assert asked(tab) == count, "it asks no more"
    # Where the hash opens the goods, it may pay, and is told how it gets in.
    tab = cookieless.reader().tab(blog.url + "/one/c.html")
    soon("the words about cookies", lambda: "keeps no cookies" in tab.text)
    blog.wallet.pay(tab.invoice)
    tab.settle(lambda: tab.click("[data-l402=paid] a"))
    reads(tab, "Goods C")


def test_without_cookies_and_script_it_is_told_at_the_second_look(blog, cookieless):
    tab = cookieless.reader(script=False).tab(blog.url + "/token/a.html")
    tab.settle(lambda: tab.click("[data-l402=paid] a"))
    assert tab.document()["status"] == 402 and tab.state == "nocookies"
    assert "keeps no cookies" in tab.text
    assert not tab.invoice and tab.read("meta[http-equiv=refresh]") is None
    before = len(blog.wallet.call("GET", "/api/v1/payments?limit=1000", blog.wallet.key))
    tab.reload()
    assert len(blog.wallet.call("GET", "/api/v1/payments?limit=1000", blog.wallet.key)) == before


def test_the_wallet_of_the_browser_pays_by_one_click(blog, chromium):
    tab = chromium.reader().tab()
    tab.ask("Runtime.addBinding", name="payWith")
    tab.ask("Page.addScriptToEvaluateOnNewDocument", source=WEBLN)
    tab.go(blog.url + ARTICLE)
    assert not tab.evaluate("!!window.webln.isEnabled"), "nobody is asked before the click"
    # The person says no: nothing is wrong, and the button is there again.
    before = tab.text
    tab.click("[data-l402=webln]")
    call, = soon("the wallet to be asked", lambda: tab.events("Runtime.bindingCalled"))
    tab.evaluate("window.webln.reject(new Error('User rejected'))")
    soon("the button", lambda: not tab.read("[data-l402=webln]", "disabled"))
    assert re.sub(r"\d\d:\d\d", "", tab.text) == re.sub(r"\d\d:\d\d", "", before)
    tab.click("[data-l402=webln]")
    call = soon("the wallet to be asked", lambda: tab.events("Runtime.bindingCalled")[1:])[0]
    preimage = blog.wallet.pay(call["payload"])
    tab.evaluate(f"window.webln.resolve({{preimage: '{preimage}'}})")
    reads(tab, READ[ARTICLE])


def test_a_wallet_that_comes_late_gets_its_button(blog, chromium):
    tab = chromium.reader().tab(blog.url + ARTICLE)
    assert not tab.has("[data-l402=webln]")
    tab.evaluate("window.webln = {}; document.dispatchEvent(new Event('webln:ready'))")
    assert tab.has("[data-l402=webln]")


def test_the_invoice_is_copied(blog, chromium):
    tab = chromium.reader().tab(blog.url + ARTICLE)
    chromium.wire.ask("Browser.grantPermissions", {
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "browserContextId": tab.reader.context})
    tab.click("[data-l402=copy]")
    soon("the word", lambda: tab.read("[data-l402=copy]") == "Copied")
    assert tab.evaluate("navigator.clipboard.readText()") == tab.invoice
    assert tab.read(".actions a", "href") == "lightning:" + tab.invoice
    # Over plain http there is no clipboard.
    plain = chromium.reader().tab(blog.url.replace("127.0.0.1", "blog.test") + "/goods/a.html")
    plain.settle(lambda: plain.click("[data-l402=over] button, form[action*='l402=offer'] button"))
    assert plain.evaluate("navigator.clipboard === undefined")
    plain.click("[data-l402=copy]")
    soon("the word", lambda: plain.read("[data-l402=copy]") == "Copied")


def test_three_tabs_of_one_counted_rule_are_three_purchases(blog, chromium):
    reader = chromium.reader()
    tabs = {name: reader.tab(blog.url + f"/one/{name.lower()}.html") for name in "ABC"}
    paid = []
    for name, tab in tabs.items():
        tab.show()

        def payable():
            """An invoice that can be seen and is not paid yet; by the button, where that is offered."""
            if tab.has(".qr") and tab.invoice not in paid:
                return tab.invoice
            if tab.has("form[action*='l402=offer'] button"):
                tab.settle(lambda: tab.click("form[action*='l402=offer'] button"))
            return None

        invoice = soon("an invoice that is not paid", payable)
        time.sleep(1.2)
        assert tab.state in ("invoice", "offer"), "one payment opens one page"
        blog.wallet.pay(invoice)
        paid.append(invoice)
        reads(tab, f"Goods {name}")


def test_two_services_in_one_browser_keep_out_of_each_others_way(blog, chromium):
    reader = chromium.reader()
    article, view = reader.tab(blog.url + ARTICLE), reader.tab(blog.url + "/one/a.html")
    blog.wallet.pay(article.invoice)
    article.show()
    reads(article, READ[ARTICLE])
    blog.wallet.pay(view.invoice)
    view.show()
    reads(view, "Goods A")
    article.show()
    article.reload()
    reads(article, READ[ARTICLE])


def test_a_second_offer_while_the_first_is_being_paid(blog, chromium):
    reader = chromium.reader()
    first, second = reader.tab(blog.url + ARTICLE), reader.tab(blog.url + ARTICLE)
    invoice = first.invoice
    blog.wallet.pay(invoice)
    for tab in (second, first):
        tab.show()
        reads(tab, READ[ARTICLE])


def test_what_was_paid_in_another_tab_opens_this_one(blog, chromium):
    reader = chromium.reader()
    first = reader.tab(blog.url + "/album/index.html")
    second = reader.tab(blog.url + "/album/index.html")
    blog.wallet.pay(second.invoice)
    reads(second, "Goods Album")
    first.show()
    reads(first, "Goods Album")


def test_a_tab_that_sleeps_opens_when_it_is_looked_at(blog, chromium):
    reader = chromium.reader()
    tab = reader.tab(blog.url + ARTICLE)
    front = reader.tab(blog.url + FREE)
    assert tab.evaluate("document.hidden")
    tab.wire.pump()
    begin = asked(tab)
    time.sleep(3.5)
    assert asked(tab) - begin <= 1, "out of sight it asks less and less"
    blog.wallet.pay(tab.invoice)
    shown = time.time()
    tab.show()
    reads(tab, READ[ARTICLE])
    went = [request for request in tab.requests(ARTICLE) if request["type"] == "Document"][-1]["wallTime"]
    assert went - shown < 1, "at once, not at the next turn"
    front.close()


def test_back_and_reload_within_half_a_minute_take_nothing(blog, chromium):
    tab = chromium.reader().tab(blog.url + "/now/x?a=1")
    blog.wallet.pay(tab.invoice)
    reads(tab, '"path": "/now/x?a=1"')
    assert tab.document()["headers"]["L402-Uses-Left"] == "2"
    tab.reload()
    reads(tab, '"path"')
    tab.go(blog.url + FREE)
    tab.back()
    reads(tab, '"path"')
    # Another address takes the second use, and the third one says so.
    tab.go(blog.url + "/now/x?a=2")
    assert tab.document()["headers"]["L402-Uses-Left"] == "1"


def test_a_reload_is_free_five_times(blog, chromium):
    tab = chromium.reader().tab(blog.url + "/now/x")
    blog.wallet.pay(tab.invoice)
    reads(tab, '"path"')
    left = [tab.document()["headers"]["L402-Uses-Left"]]
    for _ in range(6):
        tab.reload()
        left.append(tab.document()["headers"].get("L402-Uses-Left", left[-1]))
    assert left == ["2"] * 6 + ["1"]


def test_the_place_in_the_article_is_kept(blog, chromium):
    tab = chromium.reader().tab(blog.url + ARTICLE + "#part-2")
    blog.wallet.pay(tab.invoice)
    reads(tab, READ[ARTICLE])
    assert tab.url == blog.url + ARTICLE + "#part-2"


def test_lnbits_is_down_while_a_reader_waits(make_site, wallet, chromium):
    between = Between(wallet.url)
    site = open_blog(make_site, LNBITS_URL=between.url)
    tab = chromium.reader().tab(site.url + ARTICLE)
    invoice = tab.invoice
    between.cut()
    soon("the words", lambda: "cannot be found out" in tab.text, 20)
    assert tab.invoice == invoice
    other = chromium.reader().tab(site.url + OTHER)
    assert other.document()["status"] == 503
    assert "does not answer" in other.text and other.has("a.button")
    wallet.pay(invoice)
    between.mend()
    reads(tab, READ[ARTICLE], 20)


def test_the_pass_opens_every_article(blog, chromium):
    tab = chromium.reader().tab(blog.url + "/pass.html")
    blog.wallet.pay(tab.invoice)
    reads(tab, "All articles are yours")
    for article in (ARTICLE, OTHER):
        tab.go(blog.url + article)
        reads(tab, READ[article])


def test_a_film_is_one_use_and_plays(blog, chromium):
    reader = chromium.reader()
    film(blog, reader)
    tab = reader.tab(blog.url + "/film/film.webm")
    blog.wallet.pay(tab.invoice)
    soon("the film", lambda: tab.evaluate("!!document.querySelector('video')"))
    tab.evaluate("document.querySelector('video').muted = true")
    tab.evaluate("document.querySelector('video').play()")
    soon("the end of the film", lambda: tab.evaluate("document.querySelector('video').ended"), 20)
    tab.evaluate("new Promise(done => { const v = document.querySelector('video'); v.onseeked = done; v.currentTime = 0.1; })")
    assert tab.evaluate("document.querySelector('video').error") is None
    assert len(tab.requests("/film/film.webm")) > 1, "it was fetched in parts"
    # What was bought was one view: elsewhere it opens nothing.
    tab.go(blog.url + "/film/film.webm?again")
    assert tab.document()["status"] == 402


def film(site, reader):
    """A short film that the browser itself makes, put where the site sells it."""
    maker = reader.tab(site.url + "/open/x.html")
    data = maker.evaluate("""(async () => {
        const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
        const recorder = new MediaRecorder(canvas.captureStream(25), {mimeType: 'video/webm', videoBitsPerSecond: 9e6});
        const parts = [];
        recorder.ondataavailable = event => parts.push(event.data);
        recorder.start(100);
        for (let at = 0; at < 40; at++) {
            for (let y = 0; y < 30; y++) for (let x = 0; x < 60; x++) {
                pen.fillStyle = `hsl(${Math.random() * 360} 90% 50%)`;
                pen.fillRect(x * 5, y * 5, 5, 5);
            }
            await new Promise(done => setTimeout(done, 40));
        }
        await new Promise(done => { recorder.onstop = done; recorder.stop(); });
        const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
        let text = '';
        for (const byte of bytes) text += String.fromCharCode(byte);
        return btoa(text);
    })()""")
    import base64
    path = site.gate.directory / "files" / "film" / "film.webm"
    path.parent.mkdir(exist_ok=True)
    path.parent.chmod(0o755)
    path.write_bytes(base64.b64decode(data))
    maker.close()


def test_a_picture_in_a_bought_page(blog, chromium):
    # Unlimited: the cookie opens what the page drags in.
    tab = chromium.reader().tab(blog.url + "/album/index.html")
    blog.wallet.pay(tab.invoice)
    reads(tab, "Goods Album")
    soon("the picture", lambda: tab.evaluate("document.querySelector('#part').naturalWidth") == 1)
    # Counted: a use is for a page that somebody opens. The picture is told the price and no invoice.
    tab = chromium.reader().tab(blog.url + "/ten/a.html")
    blog.wallet.pay(tab.invoice)
    reads(tab, "Goods Ten")
    picture, = soon("the picture's answer", lambda: [a for a in tab.answers() if a["url"].endswith("/ten/picture.png")])
    assert picture["status"] == 402
    headers = {name.lower(): value for name, value in picture["headers"].items()}
    assert "invoice" not in headers["www-authenticate"] and "set-cookie" not in headers
    tab.go(blog.url + "/ten/b.html")
    assert tab.document()["headers"]["L402-Uses-Left"] == "8", "the picture took none"


def test_the_page_follows_the_readers_language(blog, chromium):
    words = {"de-AT,de;q=0.9,en;q=0.5": ("de", "Wallet öffnen"), "es": ("es", "Abrir la cartera"),
             "fr-CH, fr;q=0.9": ("fr", "Ouvrir le portefeuille"), "pt-BR": ("pt", "Abrir a carteira"),
             "ja": ("ja", "ウォレットを開く"), "en;q=0.1, de;q=0.8": ("de", "Wallet öffnen"), "xx": ("en", "Open wallet")}
    for accepted, (tag, text) in words.items():
        tab = chromium.reader(language=accepted).tab(blog.url + ARTICLE)
        assert tab.read("html", "lang") == tag
        assert text in tab.text, (accepted, tab.text)


def test_an_expired_invoice_is_said_and_a_new_one_made_by_a_click_alone(slow):
    site, tab, still, begun = slow
    tab.show()
    time.sleep(max(0, begun + 61 - time.time()))
    soon("the end", lambda: "has expired" in tab.text)
    assert not tab.has(".qr") and "lightning:" not in tab.evaluate("document.querySelector('main').innerText")
    count, made = asked(tab), len(site.wallet.call("GET", "/api/v1/payments?limit=1000", site.wallet.key))
    time.sleep(2.5)
    assert asked(tab) == count, "it asks no more"
    assert len(site.wallet.call("GET", "/api/v1/payments?limit=1000", site.wallet.key)) == made
    # Without script: the reload has ended, and the page is the button.
    soon("the button", lambda: still.has("form[action*='l402=offer'] button"), 20)
    assert still.read("meta[http-equiv=refresh]") is None and not still.invoice
    for each in (tab, still):
        each.show()
        each.settle(lambda: each.click("form[action*='l402=offer'] button"))
        soon("an invoice", lambda: each.invoice)
        assert "l402=" not in each.url
    site.wallet.pay(tab.invoice)
    tab.show()
    reads(tab, READ[ARTICLE])
