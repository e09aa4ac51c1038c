"""Real clients from PyPI buy from real nginx with a real wallet paying."""
import asyncio
import hashlib
import http.server
import json
import os
import subprocess
import threading

import pytest
from l402.client.credentials import CredentialsService
from l402.client.httpx import AsyncClient, configure
from l402.client.preimage_provider import PreimageProvider
from l402.client.requests import SyncClient
from l402_requests import BudgetController, L402Client
from l402_requests.wallets import WalletBase

METHODS = ["GET", "POST"]


class Payer:
    """Counts what a client pays."""

    def __init__(self, wallet):
        self.wallet, self.paid = wallet, 0

    def pay(self, invoice):
        self.paid += 1
        return self.wallet.pay(invoice)


@pytest.fixture
def payer(wallet):
    return Payer(wallet)


class Kept(CredentialsService):
    """Fewsats' store of credentials, in memory."""

    def __init__(self):
        self.kept = {}

    def get(self, location, *_):
        return self.kept.get(location)

    def store(self, credentials):
        self.kept[credentials.location] = credentials


class KeptAsync(Kept):
    async def get(self, location, *_):
        return self.kept.get(location)

    async def store(self, credentials):
        self.kept[credentials.location] = credentials


def check(payer, request, counted):
    """Two requests: one payment where it is unlimited, one each where it is single use."""
    assert request() == 200
    assert payer.paid == 1
    assert request() == 200
    assert payer.paid == (2 if counted else 1)


PATHS = [("/api/one", True), ("/api/many", False)]


@pytest.mark.parametrize("path,counted", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_fewsats_requests_client(site, payer, method, path, counted):
    class Provider(PreimageProvider):
        def get_preimage(self, invoice):
            return payer.pay(invoice)

    client = SyncClient(Provider(), Kept())
    check(payer, lambda: client.request(method, site.url + path, json={"a": 1} if method == "POST" else None).status_code,
          counted)


@pytest.mark.parametrize("path,counted", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_fewsats_async_client(site, payer, method, path, counted):
    class Provider(PreimageProvider):
        async def get_preimage(self, invoice):
            return payer.pay(invoice)

    kept = KeptAsync()

    def request():
        async def once():
            configure(Provider(), kept)
            async with AsyncClient(timeout=30) as client:
                answer = await client.request(method, site.url + path, json={"a": 1} if method == "POST" else None)
                return answer.status_code

        return asyncio.run(once())

    check(payer, request, counted)


@pytest.mark.parametrize("path,counted", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_l402_requests(site, payer, method, path, counted):
    class Paying(WalletBase):
        async def pay_invoice(self, bolt11):
            return payer.pay(bolt11)

        def pay_invoice_sync(self, bolt11):
            return payer.pay(bolt11)

    client = L402Client(wallet=Paying(), budget=BudgetController())
    check(payer, lambda: client.request(method, site.url + path, json={"a": 1} if method == "POST" else None).status_code,
          counted)


@pytest.fixture
def lnd_over_lnbits(payer):
    """The part of lnd's REST interface that l402sdk pays through, paid by LNbits."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            preimage = payer.pay(asked["payment_request"])
            payment_hash = hashlib.sha256(bytes.fromhex(preimage)).hexdigest()
            body = json.dumps({"result": {
                "status": "SUCCEEDED", "payment_preimage": preimage, "payment_hash": payment_hash, "value_sat": "5",
                "value_msat": "5000", "fee_sat": "0", "fee_msat": "0", "failure_reason": "FAILURE_REASON_NONE",
            }}).encode() + b"\n"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("path,counted", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_l402sdk(site, payer, lnd_over_lnbits, method, path, counted):
    python = os.environ.get("L402_TEST_L402SDK_PYTHON")
    if not python:
        pytest.skip("l402sdk wants the same package name as Fewsats' client; Tests/run gives it a venv of its own")
    # One client for both requests: it keeps its tokens in memory.
    program = (
        "import sys; from l402 import L402Client\n"
        "client = L402Client.with_lnd_rest(sys.argv[1], '00')\n"
        "for _ in range(2):\n"
        "    answer = client.get(sys.argv[3]) if sys.argv[2] == 'GET' else client.post(sys.argv[3], '{\"a\": 1}')\n"
        "    print(answer.status)\n")
    done = subprocess.run([python, "-c", program, lnd_over_lnbits, method, site.url + path],
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["200", "200"], done.stderr
    assert payer.paid == (2 if counted else 1)


def test_two_challenges_before_paying_as_lnget_asks(site, wallet):
    site.challenge("/api/one")
    authorization, _ = site.buy("/api/one")
    assert site.get("/api/one", headers={"Authorization": authorization}).status_code == 200
