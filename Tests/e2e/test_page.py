"""The page's own words at an article's address, by hand: behind every server, as CGI, and with templates."""
import concurrent.futures
import html
import re
import time

import pytest
import requests
from parts import wait_for
from people import Between
from servers import MODES, serving

PAGE = "/articles/first.html"
GOODS = "<h1>paid article</h1>\n"
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
FORM = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}
SCRIPT = {"Accept": "application/json", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module", params=MODES)
def served(request, wallet, backend_port, backend_url):
    with serving(request.param, wallet, backend_port) as served:
        yield served


class Reader(requests.Session):
    """A browser by hand."""

    def __init__(self, url):
        super().__init__()
        self.site = url

    def go(self, path, headers=NAVIGATION, **options):
        return self.get(self.site + path, headers=headers, timeout=60, **options)

    def press(self, path, **options):
        return self.post(self.site + path, headers=FORM, timeout=60, **options)

    def status(self, path=PAGE):
        return self.go(path + "?l402=status", SCRIPT).json()


def state(page):
    return re.search(r'data-state="(\w+)"', page.text)[1]


def invoice(page):
    return re.search(r'href="lightning:(lnbc\w+)"', page.text)[1]


def test_a_person_buys_waits_and_takes_it_along_behind_every_server(served):
    reader = Reader(served.url)
    page = reader.go(PAGE)
    assert page.status_code == 402 and state(page) == "invoice"
    assert "Content-Security-Policy" in page.headers and len(reader.cookies) == 1
    way = html.unescape(re.search(r'content="15; url=([^"]+)"', page.text)[1])
    assert reader.status()["status"] == "pending"
    again = reader.go(way)
    assert again.status_code == 402 and invoice(again) == invoice(page)
    # The button, pressed by who has an invoice already, makes no other.
    assert invoice(reader.press(PAGE + "?l402=offer")) == invoice(page)
    served.wallet.pay(invoice(page))
    wait_for("the status to say so", lambda: reader.status() == {"status": "paid"}, 3)
    there = reader.go(way, allow_redirects=False)
    assert there.status_code == 303 and there.headers["Location"].endswith(PAGE)
    assert reader.go(PAGE).text == GOODS
    # A page's picture has no business with a counted cookie.
    part = reader.go(PAGE + "?other", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "same-origin"})
    assert part.status_code == 402 and "lnbc" not in part.text + str(part.headers)
    assert state(reader.go(PAGE + "?other", {**NAVIGATION, "Sec-Fetch-Site": "cross-site"})) == "left"

    receipt = reader.go(PAGE + "?l402=receipt")
    assert state(receipt) == "receipt" and "sandbox" in receipt.headers["Content-Security-Policy"]
    phone = Reader(served.url)
    assert state(phone.go(PAGE + "?l402=claim")) == "claim"
    link = re.search(r"#l402=([\w-]+)", receipt.text)
    if served.mode == "lighttpd-authorizer":
        assert link is None, "an authorizer is shown no body"
    else:
        taken = phone.post(served.url + PAGE + "?l402=claim", headers=SCRIPT, json={"token": link[1]}, timeout=60)
        assert taken.status_code == 204 and len(phone.cookies) == 1
        assert phone.go(PAGE).text == GOODS
        foreign = requests.post(served.url + PAGE + "?l402=claim", headers={**SCRIPT, "Sec-Fetch-Site": "cross-site"},
                                json={"token": link[1]}, timeout=60)
        assert foreign.status_code == 403 and not foreign.cookies
    forget = re.search(r'action="([^"]*l402=forget-[0-9a-f]{8})"', receipt.text)[1]
    assert state(reader.press(html.unescape(forget))) == "forgotten" and not reader.cookies
    assert state(reader.go(PAGE)) == "invoice"


def test_a_browser_that_says_nothing_gets_its_invoice_by_the_button_behind_every_server(served):
    reader = Reader(served.url)
    plain = {"Accept": "text/html"}
    page = reader.go(PAGE, plain)
    assert page.status_code == 402 and state(page) == "offer" and not reader.cookies
    assert 'price_sats="5"' in page.headers["WWW-Authenticate"] and "lnbc" not in page.text
    address = html.unescape(re.search(r'action="([^"]*)"', page.text)[1])
    refused = reader.post(served.url + address, headers={**plain, "Origin": "http://evil.test"}, timeout=60)
    assert refused.status_code == 403 and not reader.cookies
    shown = reader.post(served.url + address, headers={**plain, "Origin": served.url}, timeout=60)
    assert shown.status_code == 402 and state(shown) == "invoice" and shown.history[0].status_code == 303
    served.wallet.pay(invoice(shown))
    assert wait_for("the article", lambda: (a := reader.go(PAGE, plain)).ok and a).text == GOODS


def test_waiting_processes_that_answer_once_ask_twice_a_second_together(wallet, backend_port):
    wallet = wallet.of_another_shop()
    between = Between(wallet.url)
    with serving("apache-cgi", wallet, backend_port, LNBITS_URL=between.url) as served:
        readers = [Reader(served.url) for _ in range(12)]
        pages = [reader.go(PAGE) for reader in readers]
        del between.lines[:]
        start = time.monotonic()

        def waits(reader):
            told = []
            while time.monotonic() < start + 4:
                told.append(reader.status()["status"])
            return told

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            told = [status for statuses in pool.map(waits, readers) for status in statuses]
        seconds = time.monotonic() - start
        assert set(told) == {"pending"} and len(told) > 40
        asked = [path for _, _, path in between.lines]
        assert all(path.startswith("/api/v1/payments/paginated") for path in asked), set(asked)
        assert len(asked) <= 2 * seconds + 1
        wallet.pay(invoice(pages[5]))
        wait_for("the payment to be told", lambda: readers[5].status()["status"] == "paid", 5)
        assert readers[5].go(PAGE).text == GOODS
        assert readers[4].status()["status"] == "pending"


# --- What the operator sets ---

RULES = "GET /a/** price=5 uses=9 serve=demo memo=\"A & <b>\"\n"


def test_a_template_is_read_again_and_a_broken_one_stops_the_start_or_keeps_the_last(make_site):
    site = make_site(RULES, start=False)
    file = site.gate.directory / "page.html"
    site.gate.environment["L402_PAGE"] = str(file)
    file.write_text("<p>one</p>\n<p>{{prize}}</p>\n")
    with pytest.raises(AssertionError):
        site.gate.start()
    assert f'{file}:2: unknown placeholder "prize"; did you mean "price"?' in site.gate.log
    file.write_text("<style>p{color:#000}</style><p>mine: {{memo}} {{price}}</p>{{qr}}")
    site.gate.start()
    page = Reader(site.url).go("/a/x")
    assert page.text.startswith("<style>p{color:#000}</style><p>mine: A &amp; &lt;b&gt; 5\u2009sats</p><svg")
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    file.write_text("<p>two</p>")
    wait_for("the new page", lambda: Reader(site.url).go("/a/x").text == "<p>two</p>", 5)
    file.write_text("<a href=\"{{memo}}\">")
    wait_for("the broken page to be told", lambda: "is broken; the last good page stays in force" in site.gate.log
             or not Reader(site.url).go("/a/x"), 5)
    assert Reader(site.url).go("/a/x").text == "<p>two</p>"


def test_a_reload_takes_nothing_within_its_grace(make_site):
    for grace, uses in (("30s", 1), ("0", 3)):
        site = make_site("GET /a/** price=5 uses=9 serve=@api\n", L402_RELOAD_GRACE=grace)
        reader = Reader(site.url)
        site.wallet.pay(invoice(reader.go("/a/x?b=1")))
        wait_for("the goods", lambda: reader.go("/a/x?b=1").ok)
        for headers in (NAVIGATION, NAVIGATION):
            assert reader.go("/a/x?b=1", headers).ok
        receipt = reader.go("/a/x?l402=receipt").text
        assert f"{9 - uses} of 9 left" in receipt, grace
        video = reader.go("/a/x?b=1", {"Accept": "*/*", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "video"})
        assert video.ok == (grace == "30s")


def test_a_currency_that_nobody_tells_is_left_out_and_asked_for_once_a_minute(make_site, wallet):
    between = Between(wallet.url)
    site = make_site(RULES, LNBITS_URL=between.url, L402_FIAT="EUR", L402_LANG="de")
    # LNbits has no prices here: what it is asked, and how often, is what counts.
    for _ in range(4):
        page = Reader(site.url).go("/a/x")
        assert page.status_code == 402 and "EUR" not in page.text and '<html lang="de">' in page.text
    assert sum(path == "/api/v1/conversion" for _, _, path in between.lines) <= 1
