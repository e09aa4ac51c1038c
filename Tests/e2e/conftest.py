import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
import requests

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from browsers import Chromium, Firefox  # noqa: E402
from parts import ROOT, Gate, Nginx, Wallet, free_port, stop, wait_for  # noqa: E402
from people import open_blog  # noqa: E402

RULES = """
POST  /api/dvm       price=21 free=1/day require=prompt serve=demo memo="API query"
GET   /api/one       price=5 serve=demo
POST  /api/one       price=5 serve=@api
GET   /api/three     price=9 uses=3 serve=@api
GET   /api/many      price=7 uses=unlimited valid=1d serve=demo
POST  /api/many      price=7 uses=unlimited valid=1d serve=@api service=many-post
GET   /api/cheap     price=1 serve=demo
GET   /cheap/gold    price=1 serve=demo service=gold tier=0
GET   /rich/gold     price=50 serve=demo service=gold tier=1
GET,POST /back/**    price=2 uses=5 serve=@api
GET   /free3/**      price=4 free=3/day serve=@api
GET   /articles/**   price=100 uses=unlimited valid=30d service=articles serve=/l402-files/
*     /free/**       free serve=@api
*     /admin/**      deny
*     /health        free serve=demo
"""


@contextlib.contextmanager
def lnbits(directory, **environment):
    """A real LNbits with two wallets."""
    python = os.environ.get("L402_TEST_LNBITS_PYTHON")
    if not python:
        pytest.exit("run Tests/run, which sets everything up", 2)
    process = subprocess.Popen(
        [python, ROOT / "nginx/lib/start_lnbits.py", directory, str(free_port()), "1000000"],
        env={**os.environ, **environment})
    wait_for("LNbits", lambda: (directory / "wallets.json").exists() or process.poll() is not None, 90)
    assert process.poll() is None, (directory / "lnbits.log").read_text()
    yield Wallet(json.loads((directory / "wallets.json").read_text()))
    stop(process)


@pytest.fixture(scope="session")
def wallet(tmp_path_factory):
    with lnbits(tmp_path_factory.mktemp("lnbits")) as wallet:
        yield wallet


@pytest.fixture(scope="session")
def backend_port():
    port = free_port()
    process = subprocess.Popen([sys.executable, ROOT / "nginx/lib/backend.py", str(port)])
    yield port
    stop(process)


@pytest.fixture(scope="session")
def backend_url(backend_port):
    url = f"http://127.0.0.1:{backend_port}"

    def up():
        try:
            return requests.get(url + "/_seen", timeout=2).ok
        except requests.ConnectionError:
            return False

    wait_for("the backend", up)
    return url


class Site:
    """A gate behind nginx, and the requests of one client."""

    def __init__(self, gate, nginx, wallet):
        self.gate, self.nginx, self.wallet = gate, nginx, wallet
        self.url = nginx.url

    def get(self, path, **options):
        return requests.get(self.url + path, timeout=60, **options)

    def post(self, path, **options):
        return requests.post(self.url + path, timeout=60, **options)

    def challenge(self, path, method="GET", **options):
        answer = requests.request(method, self.url + path, timeout=60, **options)
        assert answer.status_code == 402, (answer.status_code, answer.text)
        return answer.json()

    def buy(self, path, method="GET", **options):
        """Pays for a challenge; the Authorization value and the challenge."""
        body = self.challenge(path, method, **options)
        preimage = self.wallet.pay(body["invoice"])
        return f"L402 {body['macaroon']}:{preimage}", body


@pytest.fixture(scope="session")
def make_site(wallet, backend_port, backend_url):
    running = []
    # nginx's workers run as another user, who cannot enter pytest's own directories.
    base = pathlib.Path(tempfile.mkdtemp(prefix="l402-e2e-"))
    base.chmod(0o755)

    def make(rules=RULES, server="", http="", start=True, directory=None, **environment):
        directory = directory or base / f"site{len(running)}"
        gate = Gate(directory, {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key,
                                "L402_MAX_PENDING": "1000", **environment}, rules)
        nginx = Nginx(directory, gate.socket, backend_port, server, http).start()
        running.extend([nginx, gate])
        if start:
            gate.start()
        return Site(gate, nginx, wallet)

    yield make
    for part in running:
        part.stop()
    if not os.environ.get("L402_TEST_KEEP"):
        shutil.rmtree(base)


@pytest.fixture(scope="session")
def site(make_site):
    return make_site()


@pytest.fixture(scope="session")
def running_chromium():
    browser = Chromium()
    yield browser
    browser.stop()


@pytest.fixture
def chromium(running_chromium):
    """A running Chromium, whose readers are gone after the test."""
    yield running_chromium
    running_chromium.close_readers()


@pytest.fixture(scope="session")
def running_firefox():
    browser = Firefox()
    yield browser
    browser.stop()


@pytest.fixture
def firefox(running_firefox):
    yield running_firefox
    running_firefox.close_readers()


@pytest.fixture(scope="session")
def blog(make_site):
    return open_blog(make_site)
