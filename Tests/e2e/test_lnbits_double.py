"""What a broken LNbits or network can do: each fault has its answer, and none gives goods."""
import concurrent.futures
import subprocess
import sys

import pytest
import requests
from parts import ROOT, free_port, stop, wait_for

RULES = "GET /x price=5 uses=3 serve=demo\n* /health free\n"


class Double:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def fault(self, **kinds):
        requests.put(self.url + "/_fault", json={"create": "", "check": "", **kinds}, timeout=5)

    def pay(self, payment_hash):
        requests.put(f"{self.url}/_paid/{payment_hash}", timeout=5)

    def calls(self):
        return requests.get(self.url + "/_calls", timeout=5).json()


@pytest.fixture(scope="module")
def double():
    port = free_port()
    process = subprocess.Popen([sys.executable, ROOT / "Tests/doubles/faulty_lnbits.py", str(port)])
    made = Double(port)

    def up():
        try:
            return made.calls()
        except requests.ConnectionError:
            return None

    wait_for("the double", up)
    yield made
    stop(process)


@pytest.fixture
def site(make_site, double):
    double.fault()
    yield make_site(RULES, LNBITS_URL=double.url, LNBITS_KEY="d" * 32, L402_LNBITS_TIMEOUT="1s")
    double.fault()


MALFORMED = "wallet_answer_malformed"
CREATE_FAULTS = {
    "hang": "wallet_timeout", "drip": "wallet_timeout", "reset": "wallet_unreachable", "close": "wallet_unreachable",
    "500": "wallet_refused", "520": "wallet_refused", "307": "wallet_refused", "429": "wallet_rate_limited",
    "404": "wallet_key_refused", "html": MALFORMED, "half": MALFORMED, "array": MALFORMED, "types": MALFORMED,
    "huge": MALFORMED, "wrong hash": MALFORMED, "wrong amount": MALFORMED, "unknown network": MALFORMED,
    "lives longer": MALFORMED, "bad checksum": MALFORMED, "no invoice": MALFORMED,
}


@pytest.mark.parametrize("fault,code", CREATE_FAULTS.items())
def test_a_faulty_create_offers_nothing(site, double, fault, code):
    double.fault(create=fault)
    answer = site.get("/x")
    assert answer.status_code == 503 and answer.json()["code"] == code, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in answer.headers and "words of LNbits" not in answer.text
    assert site.get("/health").status_code == 204
    if fault != "429":
        double.fault()
        assert site.get("/x").status_code == 402


CHECK_FAULTS = {
    "hang": (503, "wallet_timeout"), "drip": (503, "wallet_timeout"), "reset": (503, "wallet_unreachable"),
    "500": (503, "wallet_refused"), "429": (503, "wallet_rate_limited"), "html": (503, MALFORMED),
    "half": (503, MALFORMED), "array": (503, MALFORMED), "types": (503, MALFORMED), "huge": (503, MALFORMED),
    "no details": (503, "wallet_key_refused"), "negative": (402, "payment_unknown"),
    "too small": (402, "payment_too_small"), "other wallet": (503, MALFORMED), "404": (402, "payment_unknown"),
}


@pytest.mark.parametrize("fault", CHECK_FAULTS)
def test_a_faulty_check_gives_no_goods_and_loses_no_payment(site, double, fault):
    body = site.challenge("/x")
    double.pay(body["payment_hash"])
    double.fault(check=fault)
    proof = {"Authorization": f"L402 {body['macaroon']}"}
    answer = site.get("/x", headers=proof)
    status, code = CHECK_FAULTS[fault]
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    double.fault()
    good = wait_for("the payment to be good", lambda: (a := site.get("/x", headers=proof)).ok and a)
    assert good.headers["L402-Uses-Left"] == "2", "nothing was consumed"


def test_when_it_hangs_the_breaker_opens_and_what_needs_no_wallet_goes_on(site, double):
    body = site.challenge("/x")
    double.pay(body["payment_hash"])
    known = {"Authorization": f"L402 {body['macaroon']}"}
    assert site.get("/x", headers=known).ok
    double.fault(create="hang")
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        hanging = [pool.submit(site.get, "/x") for _ in range(60)]
        assert site.get("/x", headers=known).ok, "a known payment is served meanwhile"
        answers = [asked.result() for asked in hanging]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["code"] for answer in answers} <= {"wallet_timeout", "wallet_busy"}
    before = double.calls()["create"]
    busy = [site.get("/x").json()["code"] for _ in range(10)]
    assert "wallet_busy" in busy and double.calls()["create"] - before <= 2, "one probe at a time"
    double.fault()
    wait_for("the breaker to close", lambda: site.get("/x").status_code == 402, 10)


def test_a_create_is_never_repeated_blindly_and_equal_checks_are_asked_once(site, double):
    double.fault(create="close")
    before = double.calls()
    assert site.get("/x").status_code == 503
    assert double.calls()["create"] == before["create"] + 1
    double.fault()
    body = site.challenge("/x")
    before = double.calls()
    double.fault(check="hang")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        proof = {"Authorization": f"L402 {body['macaroon']}"}
        for asked in [pool.submit(site.get, "/x", headers=proof) for _ in range(8)]:
            assert asked.result().status_code == 503
    assert double.calls()["check"] - before["check"] <= 3
