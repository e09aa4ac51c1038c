"""serve=http…: the gate itself asks a backend, and what fails is not paid for."""
import http.server
import socket
import socketserver
import threading
import time

import pytest
import requests

from parts import free_port

RULES = """
GET,POST /back/**   price=2 uses=9 service=back serve=http://127.0.0.1:BACKEND
GET      /once/**   price=2 free=1/day serve=http://127.0.0.1:BACKEND
GET      /down/**   price=2 uses=9 service=back serve=http://127.0.0.1:DOWN
GET      /unix/**   price=2 uses=9 service=back serve=http+unix:SOCKET
GET,POST /strange/** price=2 uses=9 service=back serve=http://127.0.0.1:STRANGE
"""


class Strange:
    """A server that answers each connection with the bytes it was told to. (A double.)"""

    def __init__(self):
        self.answer, self.requests = b"", []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            self.requests.append(connection.recv(65536))
            connection.sendall(self.answer)
            connection.close()


@pytest.fixture(scope="module")
def strange():
    return Strange()


@pytest.fixture(scope="module")
def forwarding(make_site, backend_port, tmp_path_factory, strange):
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
    rules = rules.replace("SOCKET", path).replace("STRANGE", str(strange.port))
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
    assert answer.status_code == 200 and answer.text == "/unix/a%20b?c=%2F from localhost"


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


def test_a_backend_that_dies_in_the_middle_is_not_paid_and_the_client_sees_it(forwarding, paid):
    with pytest.raises(requests.RequestException):
        forwarding.get("/back/die", headers=paid)
    assert uses_left(forwarding, paid) == 9


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
