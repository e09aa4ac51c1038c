"""The gate's own addresses below the directory that is sold, as on shared hosting, and what they never open."""
import pytest
from parts import FastCGI, Gate

RULES = "GET,HEAD /shop/** price=5 serve=demo\n"
OWN = ["/shop/.l402/health", "/shop/a/b/.l402/health", "/shop/.well-known/l402-services"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory, wallet):
    gate = Gate(tmp_path_factory.mktemp("own"), {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key}, RULES).start()
    yield str(gate.socket)
    gate.stop()


@pytest.mark.parametrize("path", OWN)
def test_below_any_directory_the_gate_answers_for_itself(gate, path):
    status, head = FastCGI(gate).ask(path)
    assert status == 200 and "application/json" in head


@pytest.mark.parametrize("path", OWN)
def test_where_it_only_says_who_may_pass_they_are_for_sale_like_the_rest(gate, path):
    assert FastCGI(gate).ask(path, L402_MODE="auth")[0] == 403
    assert FastCGI(gate).ask(path, role=FastCGI.AUTHORIZER)[0] == 402


@pytest.mark.parametrize("path", ["/shop/l402/health", "/shop/.l402", "/shop/.l402x/health", "/shop/x.l402/health",
                                  "/shop/.well-known/l402-services/x", "/shop/.html/.x"])
def test_what_is_only_like_them_is_for_sale(gate, path):
    assert FastCGI(gate).ask(path)[0] == 402


def test_metrics_are_told_at_the_address_that_operators_bar_and_nowhere_else(tmp_path, wallet):
    gate = Gate(tmp_path, {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key, "L402_METRICS": "all"}, RULES).start()
    try:
        assert FastCGI(str(gate.socket)).ask("/.l402/metrics")[0] == 200
        assert FastCGI(str(gate.socket)).ask("/shop/.l402/metrics")[0] == 404
    finally:
        gate.stop()
