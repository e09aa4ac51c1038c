"""FastAPI with the middleware of l402 0.0.9 (Fewsats) and its SQLite store: middleware.py PORT LNBITS_URL KEY"""
import sys
import tempfile

import httpx
import uvicorn
from fastapi import FastAPI, Response
from l402.server import Authenticator, FastAPIL402Middleware
from l402.server.invoice_provider import InvoiceProvider
from l402.server.macaroons import SqliteMacaroonService

port, url, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = httpx.AsyncClient(headers={"X-Api-Key": key})


class LNbits(InvoiceProvider):
    async def create_invoice(self, amount, currency, description):
        body = {"out": False, "amount": amount, "memo": description, "expiry": 600, "extra": {}}
        made = (await client.post(url + "/api/v1/payments", json=body)).json()
        return made["payment_request"], made["payment_hash"]


class Middleware(FastAPIL402Middleware):
    """Its own way of answering 402 raises a TypeError under present versions of FastAPI; this answers."""

    async def dispatch(self, request, call_next):
        if request.headers.get("Authorization"):
            return await super().dispatch(request, call_next)
        macaroon, invoice = await self.authenticator.new_challenge(*self.pricing_func(request))
        challenge = f'L402 macaroon="{macaroon}", invoice="{invoice}"'
        return Response("Payment Required", 402, {"WWW-Authenticate": challenge})


app = FastAPI()
store = SqliteMacaroonService(tempfile.mktemp())
app.add_middleware(
    Middleware, authenticator=Authenticator("bench", LNbits(), store),
    pricing_func=lambda request: (21, "SAT", "bench"))


@app.get("/{path:path}")
async def goods(path: str):
    return {"result": "constant"}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)
