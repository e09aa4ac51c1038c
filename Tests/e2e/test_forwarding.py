"""serve=http…: the gate itself asks a backend, and what fails is not paid for."""
import http.server
import json
import socket
import socketserver
import threading
import time

import pytest
import requests

from parts import free_port, raw_request, wait_for

RULES = """
GET,POST /back/**   price=2 uses=9 service=back serve=http://127.0.0.1:BACKEND
GET      /once/**   price=2 free=1/day serve=http://127.0.0.1:BACKEND
GET      /down/**   price=2 uses=9 service=back serve=http://127.0.0.1:DOWN
GET      /unix/**   price=2 uses=9 service=back serve=http+unix:SOCKET
GET,POST /strange/** price=2 uses=9 service=back serve=http://127.0.0.1:STRANGE
"""


class Strange:
    """A server that answers each connection with the bytes it was told to, and ends it or keeps it open. (A double.)"""

    def __init__(self):
        self.answer, self.requests, self.keeps, self.ended = b"", [], False, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection, self.keeps), daemon=True).start()

    def serve(self, connection, keeps):
        with connection:
            self.requests.append(connection.recv(65536))
            connection.sendall(self.answer)
            if keeps:
                connection.recv(1)
                self.ended.set()


@pytest.fixture(scope="module")
def the_strange():
    return Strange()


@pytest.fixture
def strange(the_strange):
    the_strange.keeps = False
    the_strange.ended.clear()
    return the_strange


@pytest.fixture(scope="module")
def forwarding(make_site, backend_port, tmp_path_factory, the_strange):
    path = str(tmp_path_factory.mktemp("unix") / "http.sock")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"{self.path} from {self.headers['Host']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self):
            return "unix"

        def log_message(self, *_):
            pass

    server = socketserver.ThreadingUnixStreamServer(path, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rules = RULES.replace("BACKEND", str(backend_port)).replace("DOWN", str(free_port()))
    rules = rules.replace("SOCKET", path).replace("STRANGE", str(the_strange.port))
    yield make_site(rules, L402_BACKEND_TIMEOUT="1s")
    server.shutdown()


@pytest.fixture
def paid(forwarding):
    authorization, _ = forwarding.buy("/back/x")
    return {"Authorization": authorization}


def uses_left(site, headers):
    """Takes one more, and says how many there were before."""
    answer = site.get("/back/x", headers=headers)
    assert answer.status_code == 200, answer.text
    return int(answer.headers["L402-Uses-Left"]) + 1


def test_a_backend_that_is_down_costs_nothing(forwarding, paid):
    answer = forwarding.get("/down/x", headers=paid)
    assert answer.status_code == 502 and answer.json()["code"] == "backend_unreachable"
    assert answer.headers["L402-Refunded"] == "1" and "WWW-Authenticate" not in answer.headers
    assert uses_left(forwarding, paid) == 9


def test_a_backend_that_is_slow_costs_nothing(forwarding, paid):
    answer = forwarding.get("/back/slow/5", headers=paid)
    assert answer.status_code == 504 and answer.json()["code"] == "backend_timeout"
    assert uses_left(forwarding, paid) == 9


def test_a_free_request_whose_goods_fail_is_free_again(forwarding):
    assert forwarding.get("/once/status/500").headers["L402-Refunded"] == "1"
    assert forwarding.get("/once/x").status_code == 200
    assert forwarding.get("/once/x").status_code == 402


def test_a_backend_on_a_unix_socket(forwarding, paid):
    answer = forwarding.get("/unix/a%20b?c=%2F", headers=paid)
    assert answer.status_code == 200 and answer.text == f"/unix/a%20b?c=%2F from 127.0.0.1:{forwarding.nginx.port}"


def test_answers_with_and_without_bodies(forwarding, paid, strange):
    for answer, status, text in (
            (b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", 204, ""),
            (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 302, ""),
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
            (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok"),
            (b"HTTP/1.0 404 Not Here\r\n\r\nno", 404, "no")):
        strange.answer = answer
        got = forwarding.get("/strange/x", headers=paid, allow_redirects=False)
        assert (got.status_code, got.text) == (status, text)
        assert got.headers["L402-Access"] == "paid"
    assert uses_left(forwarding, paid) == 9 - 6


@pytest.mark.parametrize("nonsense", [
    b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le",
    b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 999999999999 X\r\n\r\n"])
def test_nonsense_of_a_backend_costs_nothing(forwarding, paid, strange, nonsense):
    strange.answer = nonsense
    answer = forwarding.get("/strange/x", headers=paid)
    assert answer.status_code == 502, answer.text
    assert uses_left(forwarding, paid) == 9


def test_a_request_that_changes_something_is_never_sent_twice(forwarding, paid, strange):
    strange.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
    assert forwarding.post("/strange/x", data=b"a", headers=paid).status_code == 200
    # The kept connection turns out to be closed: this is where clients repeat themselves.
    strange.answer, before = b"", len(strange.requests)
    assert forwarding.post("/strange/x", data=b"a", headers=paid).status_code == 502
    assert len(strange.requests) == before + 1


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
# What a backend does (its answer, and whether it falls silent or ends the connection), what the client sees
# ("cut" for an answer that breaks off), and whether that is a use. nginx ends a stream of events that broke off
# like any other, and its head is out before anybody knows whether there will be one.
DELIVERIES = {
    "goods": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", False, 200, True),
    "empty goods": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False, 200, True),
    "no content": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", False, 204, True),
    "its own 404": ("GET", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", False, 404, True),
    "a signed link": ("GET", b"HTTP/1.1 302 Found\r\nLocation: https://cdn.test/x\r\nContent-Length: 0\r\n\r\n",
                      False, 302, True),
    "posted": ("POST", b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", False, 201, True),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", False, 200, False),
    "not modified": ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n", False, 304, False),
    "failed": ("GET", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", False, 500, False),
    "failed to post": ("POST", b"HTTP/1.1 503 Oops\r\nContent-Length: 0\r\n\r\n", False, 503, False),
    "gone before the body": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", False, 502, False),
    "silent before the body": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", True, 504, False),
    "silent": ("GET", b"", True, 504, False),
    "silent after a post": ("POST", b"", True, 504, False),
    "gone in the middle": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", False, "cut", True),
    "silent in the middle": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", True, "cut", True),
    "events, then gone": ("GET", EVENTS + b"9\r\ndata: x\n\n\r\n", False, 200, True),
    "events, then silent": ("GET", EVENTS + b"9\r\ndata: x\n\n\r\n", True, 200, True),
    "no event": ("GET", EVENTS, False, 200, False),
    "no event, and silent": ("GET", EVENTS, True, 200, False),
}


@pytest.mark.parametrize("what", DELIVERIES)
def test_a_use_is_what_was_delivered(forwarding, paid, strange, what):
    method, strange.answer, strange.keeps, status, is_taken = DELIVERIES[what]
    answer = None
    try:
        answer = requests.request(method, forwarding.url + "/strange/x", headers=paid, allow_redirects=False, timeout=20)
        assert answer.status_code == status, answer.text
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        assert status == "cut"
    if answer is not None:
        assert ("L402-Uses-Left" in answer.headers) == (is_taken or strange.answer == EVENTS)
        assert answer.headers.get("L402-Refunded") == ("1" if status >= 500 else None)
    assert uses_left(forwarding, paid) == (8 if is_taken else 9)


def send(site, path, headers, method="GET"):
    """A request whose answer nobody has read yet."""
    connection = socket.create_connection(("127.0.0.1", site.nginx.port), timeout=20)
    lines = [f"{method} {path} HTTP/1.1", "Host: site.test", "Content-Length: 0"]
    connection.sendall("\r\n".join(lines + [f"{name}: {value}" for name, value in headers.items()]).encode() + b"\r\n\r\n")
    return connection


@pytest.mark.parametrize("method, left", [("GET", 9), ("HEAD", 9), ("POST", 8)])
def test_who_leaves_before_the_first_byte_takes_nothing_but_what_was_ordered(forwarding, paid, strange, method, left):
    strange.answer, strange.keeps, before = b"", True, len(strange.requests)
    connection = send(forwarding, "/strange/x", paid, method)
    wait_for("the backend has the request", lambda: len(strange.requests) > before)
    connection.close()
    start = time.monotonic()
    assert strange.ended.wait(0.9), "the backend works for nobody"
    assert time.monotonic() - start < 1
    wait_for("the line in the log", lambda: "reason=\"the web server hung up\"" in forwarding.gate.log.splitlines()[-1])
    assert uses_left(forwarding, paid) == left


def test_who_leaves_in_the_middle_of_events_has_had_them(forwarding, paid, strange):
    strange.answer, strange.keeps = EVENTS + b"9\r\ndata: x\n\n\r\n", True
    connection = send(forwarding, "/strange/x", paid)
    got = b""
    while b"data: x" not in got:
        got += connection.recv(4096)
    connection.close()
    assert strange.ended.wait(0.9), "a silent stream without a reader ends"
    assert uses_left(forwarding, paid) == 8


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nno field\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nX: y\r\n folded: z\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nok",
    b"HTTP/1.1 777 X\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(15)) + b"Content-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 9000 + b"\r\nContent-Length: 2\r\n\r\nok",
], ids=["name", "line", "folded", "101", "status", "lengths", "both", "large head", "long line"])
def test_an_answer_that_cannot_be_passed_on_costs_nothing(forwarding, paid, strange, answer):
    strange.answer = answer
    got = forwarding.get("/strange/x", headers=paid)
    assert got.status_code == 502 and got.json()["code"] == "backend_answer_bad" and got.headers["L402-Refunded"] == "1"
    assert uses_left(forwarding, paid) == 9


def test_a_large_head_that_every_server_takes_arrives(forwarding, paid, strange):
    fields = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(13))
    strange.answer = b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 2\r\n\r\nok"
    assert forwarding.get("/strange/x", headers=paid).text == "ok"


def test_a_web_socket_is_refused_before_anything_is_taken(forwarding, paid, strange):
    before = len(strange.requests)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
               "Sec-WebSocket-Version": "13"}
    answer = forwarding.get("/strange/x", headers={**paid, **upgrade})
    assert answer.status_code == 501 and answer.json()["code"] == "upgrade_not_possible"
    assert len(strange.requests) == before and uses_left(forwarding, paid) == 9
    # What is merely offered is not asked for.
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    answer = forwarding.get("/back/x", headers={**paid, **offer})
    assert answer.status_code == 200 and not {"upgrade", "http2-settings", "connection"} & set(answer.json()["headers"])


@pytest.mark.parametrize("target", [
    "/back/group%2Fname", "/back/a+b", "/back/a%20b", "/back/a;v=1", "/back/a//b", "/back/%61",
    "/back/q?s=a%2Fb+c&s=%26&t", "/back/~x?", "/back/a%3Fb%23c"])
def test_the_backend_gets_path_and_query_as_they_came(forwarding, paid, target):
    status, body, _ = raw_request(forwarding.nginx.port, target.encode(), headers=[f"Authorization: {paid['Authorization']}"])
    assert status == 200 and json.loads(body[body.index(b"{"):body.rindex(b"}") + 1])["path"] == target


def test_no_dot_segment_and_no_authority_reach_a_backend(forwarding, paid):
    for target, arrives in ((b"/back/a/../b%20c", "/back/b%20c"), (b"/back/%2e%2e/back/x", "/back/x"),
                            (b"//back/x", "/back/x"), (b"/back/x/.", "/back/x/")):
        status, body, _ = raw_request(forwarding.nginx.port, target, headers=[f"Authorization: {paid['Authorization']}"])
        assert status == 200 and json.loads(body[body.index(b"{"):body.rindex(b"}") + 1])["path"] == arrives, target


def test_no_free_path_leads_to_a_paid_one(make_site, backend_port):
    site = make_site("* /open/**  free serve=http://127.0.0.1:BACK\n* /paid/** price=5 serve=http://127.0.0.1:BACK\n"
                     .replace("BACK", str(backend_port)))
    for target in (b"/paid/..%2fopen/x", b"/open/..;/paid/x", b"/open\\..\\paid/x", b"/open/%2e%2e;/paid/x",
                   b"/paid/../open/../open/x", b"/open/..%5cpaid/x", b"//open/paid/x/../../x"):
        status, body, _ = raw_request(site.nginx.port, target)
        assert status in (400, 402, 404) or b'"path": "/open/' in body, (target, status, body)
    headers = [f"{name}: /paid/x" for name in (
        "X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Script-Name",
        "X-HTTP-Method-Override", "X-Envoy-Original-Path", "X-Original-Host", "Base-Url")]
    for line in headers:
        status, body, _ = raw_request(site.nginx.port, b"/open/x", headers=[line])
        assert status == 400 or b"/paid/x" not in body, line


def test_the_proof_stays_with_the_gate(forwarding, backend_url):
    body = forwarding.challenge("/back/x")
    preimage = forwarding.wallet.pay(body["invoice"])
    token, payment = body["macaroon"], body["payment_hash"]
    for path, headers in (
            ("/back/p", {"Authorization": f"L402 {token}:{preimage}", "Cookie": f"a=1; l402-0011aabb={token}; b=2"}),
            ("/back/p", {"Authorization": f"LSAT {token}:{preimage}", "Cookie": f"l402={token}; a=1; b=2"}),
            ("/back/p", {"Authorization": payment, "Cookie": "a=1; b=2"}),
            ("/back/p", {"X-Payment-Hash": payment, "Cookie": "a=1; b=2", "Referer": f"http://x/?payment_hash={payment}"}),
            (f"/back/p?x=1&payment_hash={payment}&y=%2F", {"Cookie": "a=1; b=2"})):
        answer = forwarding.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        echo = answer.json()
        assert echo["headers"].pop("l402-payment-hash") == payment
        assert not any(secret in json.dumps(echo) for secret in (token, payment, preimage)), echo
        assert echo["headers"]["cookie"] == "a=1; b=2"
        assert echo["path"] == path.replace(f"payment_hash={payment}&", "")


def test_links_of_a_backend_lead_to_the_site(forwarding, paid, backend_port, strange):
    assert forwarding.get("/back/link", headers=paid, allow_redirects=False).headers["Location"] == forwarding.url + "/elsewhere"
    told = forwarding.get("/back/x", headers=paid).json()["headers"]
    port = str(forwarding.nginx.port)
    assert (told["host"], told["x-forwarded-host"], told["x-forwarded-port"], told["x-forwarded-proto"]) == (
        f"127.0.0.1:{port}", f"127.0.0.1:{port}", port, "http")
    inner = f"http://localhost:{strange.port}"
    strange.answer = (f"HTTP/1.1 201 Created\r\nLocation: {inner}/a?b\r\nContent-Location: {inner}/c\r\n"
                      f"Refresh: 5; url={inner}/d\r\nLink: <{inner}/e>; rel=next\r\nContent-Length: 0\r\n\r\n").encode()
    seen = forwarding.get("/strange/x", headers=paid).headers
    assert [seen[name] for name in ("Location", "Content-Location", "Refresh", "Link")] == [
        f"{forwarding.url}/a?b", f"{forwarding.url}/c", f"5; url={forwarding.url}/d", f"<{forwarding.url}/e>; rel=next"]


def test_no_shared_cache_keeps_what_was_paid_for(forwarding, paid, strange):
    strange.answer = (b"HTTP/1.1 200 OK\r\nCache-Control: public, s-maxage=600, max-age=60\r\nCDN-Cache-Control: public\r\n"
                      b"Surrogate-Control: max-age=9\r\nExpires: Thu, 01 Jan 2099 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok")
    seen = forwarding.get("/strange/x", headers=paid).headers
    assert seen["Cache-Control"] == "private, max-age=60"
    assert not {"Expires", "CDN-Cache-Control", "Surrogate-Control"} & set(seen)


def test_what_a_backend_shows_to_other_origins_stays(make_site, paid, forwarding, strange):
    strange.answer = (b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://b.test\r\n"
                      b"Access-Control-Expose-Headers: X-Total-Count\r\nX-Total-Count: 7\r\nContent-Length: 2\r\n\r\nok")
    seen = forwarding.get("/strange/x", headers={**paid, "Origin": "https://app.test"}).headers
    shown = [name.strip().lower() for name in seen["Access-Control-Expose-Headers"].split(",")]
    assert seen["Access-Control-Allow-Origin"] == "*" and {"x-total-count", "l402-price"} <= set(shown)
    silent = make_site(f"* /** free serve=http://127.0.0.1:{strange.port}\n", L402_CORS="off")
    seen = silent.get("/x", headers={"Origin": "https://app.test"}).headers
    assert seen["Access-Control-Allow-Origin"] == "https://b.test" and seen["Access-Control-Expose-Headers"] == "X-Total-Count"


def test_streams_have_a_bound_and_one_client_not_all_of_it(make_site, the_strange):
    site = make_site(f"GET /events free serve=http://127.0.0.1:{the_strange.port}\nGET /paid price=2 serve=http://127.0.0.1:"
                     f"{the_strange.port}\n* /quick free serve=demo\n")
    authorization, _ = site.buy("/paid")
    the_strange.answer, the_strange.keeps = EVENTS + b"9\r\ndata: x\n\n\r\n", True
    streams = []
    for _ in range(64):
        streams.append(send(site, "/events", {}))
        assert b" 200 " in streams[-1].recv(4096)
    answer = site.get("/paid", headers={"Authorization": authorization})
    assert answer.status_code == 503 and answer.json()["code"] == "backend_busy"
    assert answer.headers["Retry-After"] and answer.headers["L402-Refunded"] == "1"
    assert site.get("/quick").status_code == 200
    for stream in streams:
        stream.close()
    the_strange.answer, the_strange.keeps = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", False
    wait_for("places", lambda: site.get("/events").status_code == 200, 5)
    assert site.get("/paid", headers={"Authorization": authorization}).text == "ok"


def test_slow_answers_hold_up_nobody(make_site, backend_port):
    site = make_site(f"GET /slow/** price=2 uses=99 service=s serve=http://127.0.0.1:{backend_port}\n"
                     f"* /quick free serve=demo\n", L402_WORKERS="2")
    authorization, _ = site.buy("/slow/x")
    threads = [threading.Thread(target=site.get, args=("/slow/slow/2",), kwargs={
        "headers": {"Authorization": authorization}}) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    start = time.monotonic()
    assert site.get("/quick").status_code == 200
    assert time.monotonic() - start < 1, "20 slow requests on 2 workers, and a quick one beside them"
    for thread in threads:
        thread.join()
