"""Articles sold one by one, behind every web server: one is bought, and nothing gets at another with it."""
import json
import os
import posixpath
import subprocess
import urllib.parse

import pytest
import requests

from parts import BIN, raw_request
from servers import MODES, serving

RULES = """
GET  /articles/free   free {files}
GET  /articles/pass   price=50 unlimited valid=1d service=articles {files}
GET  /articles/*           price=5 unlimited valid=1d per=path service=articles exists=/srv/l402-files {files}
GET  /api/tracks/**        price=2 uses=200 per=path service=tracks {api}
GET  /api/shop             price=2 uses=50 per=url:id service=shop {api}
"""
# Ways to write /D/b, or something that a server may take for it, with the bought "a" in it or without.
TRICKS = [
    "/D/b", "/D//b", "//D/b", "/D/a/../b", "/D/a/%2e%2e/b", "/D/a/..%2fb", "/D/a%2f..%2fb", "/D/a/..%5cb", "/D/a%5c..%5cb",
    "/D/a\\..\\b", "/D/a/..;/b", "/D/a;/../b", "/D/%62", "/D/./b", "/x/../D/b", "/D/a/.%2e/b", "/D/a/%252e%252e/b", "/D/B",
    "/D/a/../b/", "/D/b/", "/D/b?a", "/D/a/..%00/b", "/D/b%00a", "/D/a%00/../b", "/D/b#/../a", "/D/b?/../a", "/D/b%3f/../a",
    "/D/", "/D", "/D/a/..", "/D/a/../", "/D/.", "http://x/D/b", "http://x/D/a/../b",
]


def lay_out(served):
    for name in ("a", "b", "pass", "free"):
        (served.directory / "files" / "articles" / name).write_text(f"this is {name}\n")


@pytest.fixture(scope="module", params=MODES)
def served(request, wallet, backend_port, backend_url):
    with serving(request.param, wallet, backend_port, RULES, lay_out) as served:
        served.backend_url = backend_url
        yield served


class Bought:
    def __init__(self, served, path):
        offer = requests.get(served.url + path, timeout=90)
        assert offer.status_code == 402, (offer.status_code, offer.text, served.log[-3000:])
        self.offer = offer.json()
        preimage = served.wallet.pay(self.offer["invoice"])
        token = self.offer["macaroon"]
        self.tokens = [f"Authorization: L402 {token}:{preimage}", f"Authorization: L402 {token}",
                       f"Cookie: l402-00000001={token.rstrip('=')}"]
        self.hashes = [f"X-Payment-Hash: {self.offer['payment_hash']}", f"Authorization: L402 {self.offer['payment_hash']}"]


def ask(served, path, *headers):
    """Asks as a program, and again as a person where a counted cookie opens for nobody else."""
    status, body, _ = raw_request(served.port, path.encode(), headers=headers)
    if b'"navigation_only"' in body:
        status, body, _ = raw_request(served.port, path.encode(), headers=[*headers, "Accept: text/html"])
    return status, body.decode(errors="replace")


def seen_by_backend(body):
    """The path and the query that the backend got; `None` where it was not the backend that answered."""
    start, end = body.find("{"), body.rfind("}")
    try:
        return json.loads(body[start:end + 1]).get("path")
    except ValueError:
        return None


def test_one_article_opens_itself_and_no_other_in_whatever_form_and_spelling(served):
    bought = Bought(served, "/articles/a")
    assert bought.offer["per"] == "path" and bought.offer["path"] == "/articles/a"
    assert bought.offer["price_sats"] == 5
    for form in [*bought.tokens, *bought.hashes]:
        # Before anything is on record and afterwards.
        for trick in TRICKS:
            path = trick.replace("/D", "/articles")
            status, body = ask(served, path, form)
            assert "this is b" not in body and "this is pass" not in body, (path, form, status)
        for path in ("/articles/b", "/articles/pass"):
            status, body = ask(served, path, form)
            assert status == 402 and (form in bought.hashes or "credential_wrong_" in body), (path, form, body)
    for form in bought.tokens:
        for path in ("/articles/a", "/articles//a", "/articles/%61", "/articles/a?from=mail"):
            status, body = ask(served, path, form)
            assert status == 200 and "this is a" in body, (path, form, status, body)
    for form in bought.hashes:
        assert ask(served, "/articles/a", form)[0] == 402, "an unlimited purchase is not opened by a hash"
    record = next(path for path in (served.state / "payments").rglob(bought.offer["payment_hash"]))
    assert "\npath /articles/a\n" in record.read_text()
    shown = subprocess.run([BIN / "l402", "payment", "show", bought.offer["payment_hash"]], text=True, capture_output=True,
                           env={**os.environ, "L402_STATE_DIR": str(served.state)}, check=True).stdout
    assert "path         /articles/a\n" in shown


def test_the_pass_opens_every_article(served):
    bought = Bought(served, "/articles/pass")
    assert bought.offer["price_sats"] == 50 and "per" not in bought.offer
    for form in bought.tokens:
        for name in ("a", "b", "pass"):
            status, body = ask(served, f"/articles/{name}", form)
            assert status == 200 and f"this is {name}" in body, (name, form, status, body)
    assert ask(served, "/articles/free")[0] == 200


def test_a_path_opens_what_lies_below_it_and_the_backend_sees_nothing_else(served):
    bought = Bought(served, "/api/tracks/a")
    for form in [*bought.tokens, *bought.hashes]:
        for path in ("/api/tracks/a", "/api/tracks/a/", "/api/tracks/a/cover/1.png", "/api/tracks/a?x=1"):
            status, body = ask(served, path, form)
            assert status == 200 and seen_by_backend(body).startswith("/api/tracks/a"), (path, form, status, body)
    for form in bought.tokens + bought.hashes:
        for trick in TRICKS + ["/D/ab", "/D/a.b", "/D/a%3f", "/D/A"]:
            path = trick.replace("/D", "/api/tracks")
            status, body = ask(served, path, form)
            got = seen_by_backend(body)
            if status != 200 or not got:
                continue
            # However a backend reads what it got: as it came, decoded, with backslashes, without parameters.
            raw = got.split("?")[0]
            decoded = urllib.parse.unquote(raw)
            for read in (raw, decoded, decoded.replace("\\", "/"), "/".join(part.split(";")[0] for part in decoded.split("/"))):
                assert (posixpath.normpath(read) + "/").startswith("/api/tracks/a/"), (path, form, got, read)


def test_the_list_above_all_opens_itself_only(served):
    bought = Bought(served, "/api/tracks/")
    assert ask(served, "/api/tracks/", bought.tokens[0])[0] == 200
    for form in bought.tokens + bought.hashes:
        assert ask(served, "/api/tracks/a", form)[0] == 402, form


def test_an_address_is_that_of_the_query_names_that_count(served):
    bought = Bought(served, "/api/shop?id=1&from=mail")
    assert bought.offer["per"] == "url:id" and bought.offer["path"] == "/api/shop?id=1"
    for form in [*bought.tokens, *bought.hashes]:
        for query in ("id=1", "from=x&id=1", "id=%31"):
            status, body = ask(served, f"/api/shop?{query}", form)
            assert status == 200, (query, form, status, body)
        for query in ("id=2", "", "id=1&id=2", "id=2&id=1", "id=1;id=2", "ID=2&id=1", "id[]=2&id=1", "%69d=2", "%69d=2&id=1",
                      "id=1&amp;id=2", "id=11", "id=1%00", "x=1;id=2"):
            status, body = ask(served, f"/api/shop?{query}", form)
            assert status in (400, 402, 403), (query, form, status, body)
    status, body = ask(served, "/api/shop?id=1&id=2")
    assert status == 400 and "address_ambiguous" in body


def test_nothing_is_sold_that_is_not_there(served):
    for headers in ((), ("Accept: text/html",), ("Authorization: L402 nonsense",)):
        status, body = ask(served, "/articles/nothing", *headers)
        assert status == 404 and "lnbc" not in body, (headers, status, body)
    status, _, head = raw_request(served.port, b"/articles/nothing", "HEAD")
    assert status == 404 and b"\r\nl402-price:" not in head.lower()


def test_a_long_path_is_bound_too(served):
    long = "/api/tracks/" + "x" * 200
    bought = Bought(served, long)
    assert len(bought.offer["macaroon"]) <= 600 and bought.offer["path"] == long
    for form in bought.tokens + bought.hashes:
        assert ask(served, long, form)[0] == 200
        assert ask(served, long + "/y", form)[0] == 200
        assert ask(served, long[:-1], form)[0] == 402
        assert ask(served, long + "x", form)[0] == 402
