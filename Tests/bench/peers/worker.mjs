// The tutorial's worker under Node: its logic as it is, with an adapter from node:http to fetch.
//   node worker.mjs PORT LNBITS_URL KEY
import http from "node:http";

const PRICE_SATS = 21;
const json = (status, value, headers = {}) => [status, JSON.stringify(value), { "Content-Type": "application/json", ...headers }];

async function answer(method, body, env) {
  if (method !== "POST") return json(200, { service: "My L402 API", price: PRICE_SATS + " sats per request" });
  if (!body?.prompt) return json(400, { error: "prompt is required" });
  if (body.payment_hash) {
    if (await checkPayment(env, body.payment_hash)) return json(200, { result: "This is your paid API response for: " + body.prompt });
    return json(402, { error: "payment not confirmed yet" });
  }
  const invoice = await createInvoice(env, PRICE_SATS, "API query");
  if (!invoice) return json(500, { error: "failed to create invoice" });
  return json(402, {
    status: "payment_required", price_sats: PRICE_SATS, payment_request: invoice.payment_request, payment_hash: invoice.payment_hash,
    instructions: "Pay the invoice, then POST again with payment_hash in the body.",
  }, { "WWW-Authenticate": `L402 invoice="${invoice.payment_request}", payment_hash="${invoice.payment_hash}"` });
}

async function createInvoice(env, amount, memo) {
  const resp = await fetch(`${env.LNBITS_URL}/api/v1/payments`, {
    method: "POST", headers: { "Content-Type": "application/json", "X-Api-Key": env.LNBITS_KEY },
    body: JSON.stringify({ out: false, amount, memo, expiry: 600, extra: {} }),
  });
  return resp.status === 201 ? resp.json() : null;
}

async function checkPayment(env, hash) {
  const resp = await fetch(`${env.LNBITS_URL}/api/v1/payments/${hash}`, { headers: { "X-Api-Key": env.LNBITS_KEY } });
  return (await resp.json()).paid === true;
}

const env = { LNBITS_URL: process.argv[3], LNBITS_KEY: process.argv[4] };
http.createServer((request, response) => {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", async () => {
    let body = null;
    try { body = JSON.parse(text); } catch {}
    const [status, content, headers] = await answer(request.method, body, env).catch(() => json(500, {}));
    response.writeHead(status, headers).end(content);
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
