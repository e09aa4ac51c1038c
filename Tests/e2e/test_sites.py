"""Two sites of one gate, each with rules of its own, over one state directory."""
import pytest
import requests
from parts import free_port


@pytest.fixture(scope="module")
def sites(make_site, tmp_path_factory):
    """A dear site by the process's own rules, and a cheap one whose rules come with the request."""
    port, own = free_port(), tmp_path_factory.mktemp("cheap")
    (own / "rules").write_text("GET /x price=1 uses=9 serve=demo\nGET /free price=1 free=1/day serve=demo\n")
    (own / "env").write_text(f"L402_RULES={own}/rules\n")
    site = make_site("GET /x price=1000 uses=9 serve=demo\nGET /free price=1000 free=1/day serve=demo\n",
                     http=f"server {{ listen 127.0.0.1:{port}; include l402/server.conf; set $l402_gate l402; "
                          f"set $l402_env_file {own}/env; }}")
    return site, f"http://127.0.0.1:{port}"


def test_what_one_site_sold_opens_nothing_on_the_other_in_any_form(sites):
    dear, cheap = sites
    offer = requests.get(cheap + "/x", timeout=30).json()
    assert offer["price_sats"] == 1
    preimage = dear.wallet.pay(offer["invoice"])
    forms = [{"Authorization": f"L402 {offer['macaroon']}:{preimage}"}, {"Authorization": f"L402 {offer['macaroon']}"},
             {"X-Payment-Hash": offer["payment_hash"]}, {"Cookie": f"l402-00000001={offer['macaroon'].rstrip('=')}"}]
    # Before anything is on record, and afterwards.
    for _ in range(2):
        for form in forms:
            refused = dear.get("/x", headers=form)
            assert refused.status_code == 402 and refused.json()["code"] == "credential_wrong_site", form
        assert requests.get(cheap + "/x", headers=forms[0], timeout=30).status_code == 200
    # And the other way round.
    authorization, _ = dear.buy("/x")
    assert requests.get(cheap + "/x", headers={"Authorization": authorization}, timeout=30).status_code == 402
    assert dear.get("/x", headers={"Authorization": authorization}).status_code == 200


def test_each_site_has_its_own_free_requests(sites):
    dear, cheap = sites
    assert [dear.get("/free").status_code for _ in range(2)] == [200, 402]
    assert [requests.get(cheap + "/free", timeout=30).status_code for _ in range(2)] == [200, 402]
