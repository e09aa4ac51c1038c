// The paying client of the tutorial that this project began with. Its LN class, a Nostr wallet
// connection, is replaced by one that has LNbits pay; the rest is as the tutorial prints it.
const [url, wallet, key] = process.argv.slice(2);

class LN {
  async pay(invoice) {
    const paid = await fetch(`${wallet}/api/v1/payments`, {
      method: "POST",
      headers: { "X-Api-Key": key, "Content-Type": "application/json" },
      body: JSON.stringify({ out: true, bolt11: invoice }),
    });
    if (paid.status !== 201) throw new Error(`not paid: ${paid.status}`);
  }
  close() {}
}

async function fetchL402(url, body, nwcCredentials) {
  const res = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (res.status !== 402) return res.json();
  const data = await res.json();
  const { payment_request, payment_hash } = data;
  const ln = new LN(nwcCredentials);
  await ln.pay(payment_request);
  ln.close();
  const paid = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, payment_hash }),
  });
  return paid.json();
}

console.log(await fetchL402(url, { prompt: "What is Lightning?" }, "nostr+walletconnect://..."));
