"""Goods reach the client as the backend made them, and are not paid for when they fail."""
import socket
import threading

import pytest
import requests

from servers import MODES, serving


def seen(backend_url, path):
    return [entry for entry in requests.get(backend_url + "/_seen").json() if entry["path"] == path]


def test_method_body_and_query_reach_the_backend_unchanged(site):
    every = "".join(f"%{byte:02x}" for byte in range(1, 256))
    authorization, _ = site.buy("/back/post", "POST")
    body = bytes(range(256)) * 16
    answer = site.post(f"/back/post?all={every}&b", data=body,
                       headers={"Authorization": authorization, "Content-Type": "application/octet-stream"})
    echo = answer.json()
    assert echo["method"] == "POST" and echo["length"] == len(body)
    # requests writes the escapes in its own way; what it sent is what must arrive.
    assert echo["path"] == answer.request.path_url and "%00" not in echo["path"] and "%0A" in echo["path"]
    assert answer.headers["L402-Access"] == "paid" and answer.headers["L402-Uses-Left"] == "4"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 30_000_000])
def test_bodies_of_any_size_reach_the_backend(site, size):
    authorization, _ = site.buy("/back/size", "POST")
    answer = site.post("/back/size", data=b"x" * size, headers={"Authorization": authorization})
    assert answer.status_code == 200 and answer.json()["length"] == size


def test_a_large_body_is_not_searched_for_a_payment_hash(site):
    body = site.challenge("/back/large", "POST")
    site.wallet.pay(body["invoice"])
    start = '{"payment_hash": "%s", "x": "' % body["payment_hash"]
    large = start + "x" * (1 << 20) + '"}'
    small = start + "x" * 1000 + '"}'
    refused = site.post("/back/large", data=large)
    assert refused.status_code == 413 and "X-Payment-Hash" in refused.json()["error"]
    assert site.post("/back/large", data=small).status_code == 200


def test_files_are_served_from_the_internal_location(site):
    authorization, _ = site.buy("/articles/first.html")
    answer = site.get("/articles/first.html", headers={"Authorization": authorization})
    assert answer.text == "<h1>paid article</h1>\n"
    assert site.get("/articles/nothing.html", headers={"Authorization": authorization}).status_code == 404
    assert requests.head(site.url + "/articles/first.html", headers={"Authorization": authorization}).status_code == 200
    assert site.get("/l402-files/articles/first.html").status_code == 404, "nobody gets there without the gate"


@pytest.mark.parametrize("failure", ["/status/500", "/status/502", "/status/503", "/status/504"])
def test_failing_goods_give_the_use_back_once(site, failure):
    authorization, _ = site.buy("/back/ok")
    headers = {"Authorization": authorization}
    failed = site.get("/back" + failure, headers=headers)
    assert failed.status_code == int(failure[-3:])
    assert failed.headers["L402-Refunded"] == "1"
    assert failed.json()["code"] == "goods_failed"
    for left in "43210":
        answer = site.get("/back/ok", headers=headers)
        assert answer.status_code == 200 and answer.headers["L402-Uses-Left"] == left
    assert site.get("/back/ok", headers=headers).status_code == 402


def test_a_4xx_is_an_answer_and_is_sold(site):
    authorization, _ = site.buy("/back/ok")
    answer = site.get("/back/status/404", headers={"Authorization": authorization})
    assert answer.status_code == 404 and answer.headers["L402-Uses-Left"] == "4"


def test_an_unreachable_backend_gives_the_use_back(make_site):
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))  # bound, not listening: refused
    site = make_site("GET /x price=5 serve=@dead\n", server="""
        location @dead { include l402/goods.conf; proxy_pass http://127.0.0.1:%d; }""" % dead.getsockname()[1])
    authorization, _ = site.buy("/x")
    for _ in range(3):
        answer = site.get("/x", headers={"Authorization": authorization})
        assert answer.status_code == 502 and answer.headers["L402-Refunded"] == "1"
    dead.close()


def test_a_hash_in_the_body_gets_its_use_back_too(site):
    body = site.challenge("/back/ok", "POST")
    site.wallet.pay(body["invoice"])
    proof = {"payment_hash": body["payment_hash"]}
    assert site.post("/back/status/500", json=proof).headers["L402-Refunded"] == "1"
    assert site.post("/back/ok", json=proof).headers["L402-Uses-Left"] == "4"


def test_a_free_request_that_fails_is_given_back(site):
    assert site.get("/free3/status/500").headers["L402-Refunded"] == "1"
    for left in "210":
        assert site.get("/free3/ok").headers["L402-Free-Left"] == left
    assert site.get("/free3/ok").status_code == 402


def test_refunds_and_new_uses_that_race_keep_the_sum(site):
    authorization, _ = site.buy("/back/ok")
    statuses = []

    def run(path):
        statuses.append(site.get(path, headers={"Authorization": authorization}).status_code)

    threads = [threading.Thread(target=run, args=(path,)) for path in ["/back/status/503", "/back/ok"] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 503, 503]
    assert site.get("/back/ok", headers={"Authorization": authorization}).headers["L402-Uses-Left"] == "2"


def test_more_kept_connections_than_workers_starve_nobody(make_site):
    site = make_site("* /health free serve=demo\nGET /x price=5 serve=demo\n", L402_WORKERS="4", server="")
    sessions = [requests.Session() for _ in range(60)]
    for _ in range(2):
        for session in sessions:
            assert session.get(site.url + "/health", timeout=10).status_code == 200


# Where the gate hands over files, or lets the server do it by X-Sendfile.
OWN = [mode for mode, (_, targets) in MODES.items() if targets["files"].startswith("serve=file:")]


def lay_out(served):
    pages = served.directory / "files" / "articles" / "guide"
    (pages / "empty").mkdir(parents=True)
    (pages / "index.html").write_text("<h1>paid index</h1>\n")
    (pages / "part.txt").write_text("0123456789")


@pytest.fixture(scope="module", params=OWN)
def own(request, wallet, backend_port, backend_url):
    with serving(request.param, wallet, backend_port, lay_out=lay_out) as served:
        yield served


class Buyer:
    """One purchase of 50 uses, and how many are left by what the gate says of a plain request."""

    def __init__(self, served):
        self.served = served
        offer = requests.get(served.url + "/articles/first.html", timeout=60).json()
        self.headers = {"Authorization": f"L402 {offer['macaroon']}:{served.wallet.pay(offer['invoice'])}"}
        self.left = 50

    def ask(self, path, method="GET", **headers):
        return requests.request(method, self.served.url + path, headers={**self.headers, **headers}, timeout=60,
                                allow_redirects=False)

    def takes(self, uses, what):
        self.left -= uses + 1
        assert self.ask("/articles/first.html").headers["L402-Uses-Left"] == str(self.left), what


def test_files_take_a_use_when_they_are_delivered_and_only_then(own):
    buyer = Buyer(own)
    whole = buyer.ask("/articles/guide/part.txt")
    assert whole.text == "0123456789" and "private" in whole.headers["Cache-Control"]
    buyer.takes(1, "a file")
    part = buyer.ask("/articles/guide/part.txt", Range="bytes=2-4")
    assert part.status_code == 206 and part.text == "234"
    buyer.takes(0, "a part of what was delivered")
    # By the time of change: mod_deflate and its like may change the tag.
    for what, answer, status in (
            ("HEAD", buyer.ask("/articles/guide/part.txt", "HEAD"), 200),
            ("304", buyer.ask("/articles/guide/part.txt", **{"If-Modified-Since": whole.headers["Last-Modified"]}), 304),
            ("304 by tag", buyer.ask("/articles/guide/part.txt", **{"If-None-Match": whole.headers["ETag"]}), 304),
            ("412", buyer.ask("/articles/guide/part.txt", **{"If-Match": '"x"'}), 412),
            ("416", buyer.ask("/articles/guide/part.txt", Range="bytes=90-"), 416),
            ("404", buyer.ask("/articles/guide/nothing.txt"), 404),
            ("a directory without index", buyer.ask("/articles/guide/empty/"), 404),
            ("a directory without index and slash", buyer.ask("/articles/guide/empty"), 404)):
        assert answer.status_code == status, (what, answer.text)
        assert "L402-Uses-Left" not in answer.headers, what
        buyer.takes(0, what)


def test_a_directory_is_its_index_page(own):
    buyer = Buyer(own)
    page = buyer.ask("/articles/guide/")
    assert page.text == "<h1>paid index</h1>\n" and page.headers["Content-Type"].startswith("text/html")
    buyer.takes(1, "the index page")
    redirect = buyer.ask("/articles/guide?a=b")
    assert redirect.status_code == 301
    assert redirect.headers["Location"] in (own.url + "/articles/guide/?a=b", "/articles/guide/?a=b")
    buyer.takes(0, "the redirect to it")


def test_a_web_socket_behind_a_forwarding_gate_takes_nothing(own):
    offer = requests.get(own.url + "/api/x", timeout=60).json()
    headers = {"Authorization": f"L402 {offer['macaroon']}:{own.wallet.pay(offer['invoice'])}"}
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    answer = requests.get(own.url + "/api/socket", headers={**headers, **upgrade}, timeout=60)
    assert answer.status_code == 501 and answer.json()["code"] == "upgrade_not_possible"
    assert requests.get(own.url + "/api/x", headers=headers, timeout=60).headers["L402-Uses-Left"] == "49"


def test_links_of_a_backend_lead_to_the_site_behind_every_server(own):
    location = requests.get(own.url + "/api/open/link", timeout=60, allow_redirects=False).headers["Location"]
    assert location in (own.url + "/elsewhere", "/elsewhere")
