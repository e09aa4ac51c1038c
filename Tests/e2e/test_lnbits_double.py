"""What a broken LNbits or network can do: each fault has its answer, and none gives goods."""
import concurrent.futures
import subprocess
import sys
import time

import pytest
import requests
from parts import ROOT, free_port, stop, wait_for

RULES = "GET /x price=5 uses=3 serve=demo\n* /health free serve=demo\n"


class Double:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def fault(self, **kinds):
        faults = {"create": "", "check": "", "list": "", "wallet": "", **kinds}
        requests.put(self.url + "/_fault", json=faults, timeout=5)

    def pay(self, payment_hash):
        requests.put(f"{self.url}/_paid/{payment_hash}", timeout=5)

    def headers(self):
        return requests.get(self.url + "/_headers", timeout=5).json()

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
NOT_LNBITS = "wallet_not_lnbits"
CREATE_FAULTS = {
    "hang": "wallet_timeout", "drip": "wallet_timeout", "reset": "wallet_unreachable", "close": "wallet_unreachable",
    "500": "wallet_refused", "520": "wallet_refused", "429": "wallet_rate_limited",
    "unknown key": "wallet_key_refused", "no key": "wallet_key_refused", "half": MALFORMED, "huge": MALFORMED,
    "wrong hash": MALFORMED, "wrong amount": MALFORMED, "unknown network": MALFORMED,
    "bad checksum": MALFORMED, "no invoice": MALFORMED, "half a minute": MALFORMED, "eight days": MALFORMED,
    "made earlier": MALFORMED, "html": NOT_LNBITS, "array": NOT_LNBITS, "types": NOT_LNBITS, "other JSON": NOT_LNBITS,
    "301": NOT_LNBITS, "307": NOT_LNBITS, "401": NOT_LNBITS, "403": NOT_LNBITS, "404": NOT_LNBITS, "502": NOT_LNBITS,
    "other program": NOT_LNBITS,
}


@pytest.mark.parametrize("fault,code", CREATE_FAULTS.items())
def test_a_faulty_create_offers_nothing(site, double, fault, code):
    double.fault(create=fault)
    answer = site.get("/x")
    assert answer.status_code == 503 and answer.json()["code"] == code, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in answer.headers and "words of LNbits" not in answer.text
    assert site.get("/health").status_code == 200
    if fault != "429":
        double.fault()
        assert site.get("/x").status_code == 402


# Who asks may have paid, and LNbits has no word of its own about it: never a second invoice.
UNDECIDED = (503, "payment_undecided")

CHECK_FAULTS = {
    "hang": (503, "wallet_timeout"), "drip": (503, "wallet_timeout"), "reset": (503, "wallet_unreachable"),
    "500": (503, "wallet_refused"), "429": (503, "wallet_rate_limited"), "html": UNDECIDED,
    "half": UNDECIDED, "array": UNDECIDED, "types": UNDECIDED, "huge": UNDECIDED,
    "no details": (503, "wallet_key_refused"), "negative": UNDECIDED,
    "too small": (402, "payment_too_small"), "other wallet": UNDECIDED, "no wallet": UNDECIDED,
    "unknown payment": UNDECIDED, "unknown key": (503, "wallet_key_refused"),
    "no key": (503, "wallet_key_refused"), "other JSON": UNDECIDED, "other program": UNDECIDED,
    "text 404": UNDECIDED, "301": UNDECIDED, "401": UNDECIDED, "403": UNDECIDED, "404": UNDECIDED, "502": UNDECIDED,
    "other invoice": UNDECIDED,
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


@pytest.mark.parametrize("fault", ["pending", "failed", "pending flag"])
def test_a_row_that_is_not_settled_is_not_paid_whatever_stands_above_it(site, double, fault):
    body = site.challenge("/x")
    double.fault(check=fault)
    proof = {"Authorization": f"L402 {body['macaroon']}"}
    assert "result" not in site.get("/x", headers=proof).text
    double.pay(body["payment_hash"])
    double.fault()
    wait_for("the payment to be good", lambda: site.get("/x", headers=proof).ok)


def test_one_paid_row_opens_no_other_payment(site, double):
    paid, other = site.challenge("/x"), site.challenge("/x")
    double.pay(paid["payment_hash"])
    double.fault(check="other payment")
    answer = site.get("/x", headers={"Authorization": f"L402 {other['macaroon']}"})
    assert (answer.status_code, answer.json()["code"]) == UNDECIDED
    assert "is there a cache" in site.gate.log
    double.fault()
    assert site.get("/x", headers={"Authorization": f"L402 {paid['macaroon']}"}).ok


@pytest.mark.parametrize("check,listed,status", [
    ("", "", 200), ("other wallet", "", 503), ("no wallet", "", 503), ("", "html", 503), ("", "hang", 503),
    ("", "unknown payment", 200),
])
def test_a_process_that_made_no_invoice_finds_out_which_wallet_is_its_own(make_site, site, double, check, listed, status):
    body = site.challenge("/x")
    double.pay(body["payment_hash"])
    environment = {"LNBITS_URL": double.url, "LNBITS_KEY": "d" * 32, "L402_LNBITS_TIMEOUT": "1s"}
    fresh = make_site(RULES, L402_STATE_DIR=str(site.gate.directory / "state"), **environment)
    double.fault(check=check, list=listed)
    proof = {"Authorization": f"L402 {body['macaroon']}"}
    before = double.calls()["list"]
    answer = fresh.get("/x", headers=proof)
    assert answer.status_code == status, answer.text
    double.fault()
    assert wait_for("the payment to be good", lambda: (a := fresh.get("/x", headers=proof)).ok and a)
    more = fresh.challenge("/x")
    double.pay(more["payment_hash"])
    assert fresh.get("/x", headers={"Authorization": f"L402 {more['macaroon']}"}).ok
    assert double.calls()["list"] - before <= 2, "once known, it is not asked again"


@pytest.mark.parametrize("life,seconds", [("a minute", 60), ("an hour", 3600), ("a day", 86_400), ("seven days", 604_800)])
def test_the_life_that_a_wallet_gives_its_invoices_is_taken_as_it_is(site, double, life, seconds):
    double.fault(create=life)
    body = site.challenge("/x")
    assert abs(body["invoice_expires_at"] - time.time() - seconds) < 5


def test_an_order_below_a_minute_is_filled(make_site, double):
    site = make_site(RULES, LNBITS_URL=double.url, LNBITS_KEY="d" * 32, L402_INVOICE_EXPIRY="6s")
    body = site.challenge("/x")
    assert 0 < body["invoice_expires_at"] - time.time() < 8


def test_the_operator_is_told_whose_answer_it_was(site, double):
    double.fault(create="403")
    site.get("/x")
    line = next(line for line in site.gate.log.splitlines() if "is not LNbits" in line)
    for part in ("status 403", "text/html", "Just a moment", "server front", "LNBITS_URL", "https://login.example/"):
        assert part in line, line
    assert "u:p" not in line and "next=x" not in line
    double.fault(create="520")
    site.get("/x")
    assert "LNbits answered 520: words of LNbits" in site.gate.log


def test_no_cache_is_asked_in_place_of_lnbits(site, double):
    body = site.challenge("/x")
    site.get("/x", headers={"Authorization": f"L402 {body['macaroon']}"})
    assert double.headers()["cache-control"] == "no-cache"


def test_one_unpaid_hash_is_asked_once_a_second_and_who_pays_meanwhile_gets_in(site, double):
    body = site.challenge("/x")
    proof = {"Authorization": f"L402 {body['macaroon']}"}
    before, start = double.calls()["check"], time.monotonic()
    # As many as one client may ask about unpaid payments in a minute, but for a few.
    for _ in range(20):
        site.get("/x", headers=proof)
    seconds = time.monotonic() - start
    assert double.calls()["check"] - before <= 4 + seconds
    double.pay(body["payment_hash"])
    wait_for("the payment to be good", lambda: site.get("/x", headers=proof).ok, 3)


def test_who_polls_and_pays_within_a_second_gets_in_at_once(site, double):
    body = site.challenge("/x")
    proof = {"Authorization": f"L402 {body['macaroon']}"}
    assert site.get("/x", headers=proof).status_code != 200
    assert site.get("/.l402/status", headers=proof).json()["paid"] is False
    double.pay(body["payment_hash"])
    assert site.get("/x", headers=proof).ok


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
