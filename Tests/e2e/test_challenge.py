"""The 402 to the letter, and nothing of it on any other status."""
import base64
import re

import pytest
import requests
from parts import raw_request, wait_for


def header_lines(site, path, *headers):
    status, body, head = raw_request(site.nginx.port, path.encode(), headers=headers)
    return status, [line.split(": ", 1)[1] for line in head.decode().split("\r\n")
                    if line.lower().startswith("www-authenticate")]


def test_two_header_lines_in_the_order_that_clients_parse(site):
    status, lines = header_lines(site, "/api/one")
    assert status == 402
    first = re.fullmatch(
        r'L402 macaroon="([A-Za-z0-9+/=]+)", invoice="(lnbc[a-z0-9]+)", payment_hash="([0-9a-f]{64})", '
        r'version="0", token="([A-Za-z0-9+/=]+)"', lines[0])
    assert first, lines
    assert first[1] == first[4]
    assert lines[1:] == [f'L402 invoice="{first[2]}", payment_hash="{first[3]}"']
    token = base64.b64decode(first[1], validate=True)
    assert token[:1] == b"\x02" and bytes.fromhex(first[3]) in token


def test_the_body_says_the_same_under_every_name_that_clients_read(site):
    answer = site.get("/api/one")
    body = answer.json()
    assert body["status"] == "payment_required"
    assert {body[key] for key in ("price_sats", "amount_sats", "priceSats", "price")} == {5}
    assert body["payment_request"] == body["invoice"]
    assert "Pay" in body["message"] and body["instructions"]
    assert body["code"] == "payment_required" and "error" not in body
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Accept" in answer.headers["Vary"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]


def test_two_clients_never_share_an_invoice(site):
    assert site.challenge("/api/one")["invoice"] != site.challenge("/api/one")["invoice"]


def test_head_tells_the_price_and_makes_no_invoice(site, wallet):
    before = len(wallet.call("GET", "/api/v1/payments?limit=1000", wallet.key))
    answer = requests.head(site.url + "/api/one")
    assert answer.status_code == 402
    assert answer.headers["L402-Price"] == "5"
    assert answer.headers["WWW-Authenticate"] == 'L402 service="get-api-one", price_sats="5"'
    assert len(wallet.call("GET", "/api/v1/payments?limit=1000", wallet.key)) == before


@pytest.mark.parametrize("path,status", [("/health", 200), ("/admin/x", 403), ("/nothing", 404), ("/free/x", 200),
                                         ("/.l402/health", 200), ("/.well-known/l402-services", 200)])
def test_no_other_status_carries_a_challenge(site, path, status):
    answer = site.get(path)
    assert answer.status_code == status
    assert "WWW-Authenticate" not in answer.headers


def test_a_browser_gets_a_page_with_the_same_headers(site):
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
    answer = site.get("/articles/first.html", headers=browser)
    assert answer.status_code == 402
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["WWW-Authenticate"].startswith('L402 macaroon="')
    assert "lightning:lnbc" in answer.text
    # Paying and reloading with the cookie shows the article.
    session = requests.Session()
    page = session.get(site.url + "/articles/first.html", headers=browser)
    site.wallet.pay(re.search(r"lightning:(lnbc[a-z0-9]+)", page.text)[1])
    assert session.get(site.url + "/articles/first.html", headers=browser).text == "<h1>paid article</h1>\n"


def test_a_client_holds_at_most_so_many_unpaid_invoices(make_site):
    site = make_site(L402_MAX_PENDING="3")
    offers = [site.challenge("/api/one") for _ in range(3)]
    full = site.get("/api/one")
    assert full.status_code == 429
    assert full.json()["code"] == "too_many_pending"
    assert 0 < int(full.headers["Retry-After"]) <= 600
    assert "WWW-Authenticate" not in full.headers
    # Whoever pays has thrown the others away: its first redemption, once, frees them all.
    preimage = site.wallet.pay(offers[0]["invoice"])
    proof = {"Authorization": f"L402 {offers[0]['macaroon']}:{preimage}"}
    assert site.get("/api/one", headers=proof).ok
    for _ in range(3):
        site.challenge("/api/one")
    assert site.get("/api/one").status_code == 429
    site.get("/api/one", headers=proof)
    assert site.get("/api/one").status_code == 429


def test_the_list_of_services(site):
    services = site.get("/.well-known/l402-services").json()["services"]
    entry = next(s for s in services if s["service"] == "articles")
    assert entry["price_sats"] == 100 and entry["uses"] == "unlimited" and entry["path"] == "/articles/**"


def test_the_status_of_a_challenge_is_told_to_its_holder(site):
    body = site.challenge("/api/one")
    ask = {"Authorization": f"L402 {body['macaroon']}"}
    assert site.get("/.l402/status", headers=ask).json()["status"] == "pending"
    site.wallet.pay(body["invoice"])
    # LNbits' word about an unpaid one holds for a second.
    told = wait_for("the payment to be told",
                    lambda: (a := site.get("/.l402/status", headers=ask).json())["paid"] and a, 3)
    assert told == {
        "status": "paid", "paid": True, "payment_hash": body["payment_hash"], "valid_until": body["valid_until"]}
    assert site.get("/.l402/status", headers={"Authorization": f"L402 {body['payment_hash']}"}).status_code == 400
