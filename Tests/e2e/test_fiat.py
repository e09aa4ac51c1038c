"""Prices in a currency, converted by the real LNbits at a rate that a double of a rate service tells."""
import http.server
import threading

import pytest

from conftest import lnbits


class RateDouble(http.server.BaseHTTPRequestHandler):
    """Answers the price of one bitcoin, which no service on the network can be asked for here."""

    price = "100000"

    def do_GET(self):
        body = self.price.encode()
        self.send_response(200 if body else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def rates():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RateDouble)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{{TO}}"
    server.shutdown()


@pytest.fixture(scope="module")
def fiat_wallet(rates, tmp_path_factory):
    providers = f'[{{"name": "double", "api_url": "{rates}", "path": ""}}]'
    with lnbits(tmp_path_factory.mktemp("lnbits-fiat"), LNBITS_EXCHANGE_RATE_PROVIDERS=providers,
                LNBITS_EXCHANGE_RATE_CACHE_SECONDS="0") as wallet:
        yield wallet


def test_a_price_in_dollars_is_sold_for_what_lnbits_converts(make_site, fiat_wallet):
    site = make_site("GET /report price=0.25USD uses=2 serve=demo\nGET /cent price=0.01USD serve=demo\n",
                     LNBITS_URL=fiat_wallet.url, LNBITS_KEY=fiat_wallet.key)
    body = site.challenge("/report")
    assert body["price_sats"] == 250
    assert site.challenge("/cent")["price_sats"] == 10
    preimage = fiat_wallet.pay(body["invoice"])
    headers = {"Authorization": f"L402 {body['macaroon']}:{preimage}"}
    assert [site.get("/report", headers=headers).status_code for _ in range(3)] == [200, 200, 402]
    # A rate that has moved since does not make what was bought cheaper or dearer.
    listed = site.get("/.well-known/l402-services").json()
    assert "0.25" in str(listed) and "USD" in str(listed)


@pytest.mark.parametrize("rate,prices", [
    ("66000.5", {"0.25USD": 379, "0.01USD": 16}), ("1700000000", {"5.00IDR": 1, "17.00IDR": 1, "17.01IDR": 2}),
    ("99999.99", {"0.25CHF": 251}),
])
def test_every_fraction_of_a_sat_is_a_sat(make_site, fiat_wallet, rate, prices):
    rules = "".join(f"GET /{price} price={price} serve=demo\n" for price in prices)
    site = make_site(rules, LNBITS_URL=fiat_wallet.url, LNBITS_KEY=fiat_wallet.key)
    RateDouble.price = rate
    try:
        for price, sats in prices.items():
            assert site.challenge(f"/{price}")["price_sats"] == sats, price
    finally:
        RateDouble.price = "100000"


def test_above_ten_million_sats_nothing_is_offered(make_site, fiat_wallet):
    site = make_site("GET /dear price=10000.01GBP serve=demo\nGET /most price=10000.00GBP serve=demo\n",
                     LNBITS_URL=fiat_wallet.url, LNBITS_KEY=fiat_wallet.key)
    assert site.get("/dear").status_code == 503
    assert site.challenge("/most")["price_sats"] == 10_000_000


def test_without_a_rate_nothing_is_offered_and_what_is_paid_goes_on(make_site, fiat_wallet):
    site = make_site("GET /report price=0.25USD uses=9 serve=demo\nGET /euro price=1.00EUR serve=demo\n"
                     "GET /none price=1.00XYZ serve=demo\n",
                     LNBITS_URL=fiat_wallet.url, LNBITS_KEY=fiat_wallet.key)
    body = site.challenge("/report")
    preimage = fiat_wallet.pay(body["invoice"])
    RateDouble.price = ""
    try:
        for path in ("/euro", "/none"):
            answer = site.get(path)
            assert answer.status_code == 503, (path, answer.text)
            assert "Retry-After" in answer.headers and "WWW-Authenticate" not in answer.headers
        headers = {"Authorization": f"L402 {body['macaroon']}:{preimage}"}
        assert site.get("/report", headers=headers).status_code == 200
    finally:
        RateDouble.price = "100000"


def test_a_page_says_about_how_much_it_is_and_sells_without(make_site, fiat_wallet, monkeypatch):
    def page(**environment):
        site = make_site("GET /x price=1500 serve=demo\n", LNBITS_URL=fiat_wallet.url, LNBITS_KEY=fiat_wallet.key,
                         **environment)
        return site.get("/x", headers={"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}).text

    assert "about 1.50\u2009SEK" in page(L402_FIAT="SEK")
    assert "etwa 1,50\u2009SEK" in page(L402_FIAT="SEK", L402_LANG="de")
    monkeypatch.setattr(RateDouble, "price", "")
    told = page(L402_FIAT="NOK")
    assert "NOK" not in told and "lightning:lnbc" in told
