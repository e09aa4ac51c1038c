"""The table of uses.py, row by row, with real servers, backends that misbehave, and the books' own word."""
import http.client
import http.server
import itertools
import json
import os
import re
import socket
import subprocess
import threading
import time

import pytest
import requests

from parts import BIN, ROOT, free_port, wait_for
from servers import MODES, MORE_MODES, serving
import uses
from uses import COLUMNS, NOT, ROWS, TAKEN, WAYS

HEADER = """
GET       /api/limited/**  price=2 uses=1000 free=1000/day service=uses {limited}
GET       /api/nowhere/**  price=2 uses=1000 free=1000/day service=uses {nowhere}
GET       /uses/nowhere/** price=5 uses=1000 free=1000/day service=files {prefix}
"""
RULES = """
GET,POST  /api/uses/**     price=2 uses=1000 service=uses {api}
GET,POST  /uses/paid/**    price=5 uses=1000 service=files {files}
*         /open/**         free {files}
"""
FREE = [row for row in ROWS if not row.name.startswith("head") and row.name not in ("limit", "unknown-name", "unknown-prefix")]
# Where waiting for the server to give a backend up would take a minute.
UNTRIED = {("silent", "authorizer")}
numbers = itertools.count()


class Backend(http.server.BaseHTTPRequestHandler):
    """Does what the last part of the path says; tells what has arrived and what is over."""
    protocol_version = "HTTP/1.1"
    arrived, finished = set(), set()

    def handle_any(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, number = self.path.partition("?")
        self.arrived.add(number)
        try:
            self.behave(path.rsplit("/", 1)[1], path)
        except OSError:
            self.close_connection = True
        finally:
            self.finished.add(number)

    def behave(self, what, path):
        if match := re.fullmatch(r"status-(\d+)", what):
            return self.answer(int(match[1]))
        if what in ("slash", "secure", "sold", "elsewhere"):
            host = self.headers["Host"].split(":")[0]
            status, location = {"slash": (307, path + "/"), "secure": (301, f"https://{host}{path}"),
                                "sold": (302, path.rsplit("/", 1)[0] + "/ok"), "elsewhere": (302, "https://cdn.test/x?signature=1")}[what]
            return self.answer(status, Location=location)
        if what in ("dies", "half"):
            if what == "half":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000)
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        if what in ("silent", "slow"):
            time.sleep(5 if what == "silent" else 1.5)
        if what in ("drip", "events"):
            return self.drip("text/event-stream" if what == "events" else "text/plain")
        if what == "socket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.close_connection = True
            return None
        return self.answer(200)

    def answer(self, status, **headers):
        body = b"" if status in (204, 304) else b"goods\n"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def drip(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("X-Accel-Buffering", "no")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for _ in range(30):
            self.wfile.write(b"data: " + b"x" * 1000 + b"\n\n")
            time.sleep(0.1)

    do_GET = do_HEAD = do_POST = handle_any

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def port():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def make_files(directory):
    for folder in ["paid", *(f"free-{row.name}" for row in ROWS)]:
        place = directory / "uses" / folder
        (place / "dir").mkdir(parents=True)
        (place / "bare").mkdir()
        (place / "get.html").write_text("<h1>goods</h1>\n")
        (place / "dir" / "index.html").write_text("index\n")
        # All of one age, so that what is known of one is known of the others.
        os.utime(place / "get.html", (1_700_000_000, 1_700_000_000))
    for folder in ("paid", "free-left-middle"):
        with open(directory / "uses" / folder / "large.bin", "wb") as large:
            large.truncate(60 << 20)


@pytest.fixture(scope="module")
def served(request, wallet, port):
    _, targets = {**MODES, **MORE_MODES}[request.param]
    rules = RULES + "".join(
        f"GET,POST /api/free-{row.name}/** price=2 free=1/day {targets['api']}\n"
        f"GET,POST /uses/free-{row.name}/** price=5 free=1/day {targets['files']}\n" for row in FREE)
    if request.param in ("nginx-responder", "nginx-cgi"):
        rules = HEADER.format(limited="serve=@limited", nowhere="serve=@nowhere", prefix="serve=/nowhere/") + rules

    def lay_out(served):
        served.more = {
            "http": "limit_req_zone all zone=l402_test:1m rate=1r/m; limit_req_status 429; proxy_read_timeout 2s;",
            "server": f"""location @limited {{
                include l402/goods.conf; limit_req zone=l402_test; proxy_pass http://127.0.0.1:{port}; }}"""
            if "auth" not in request.param else ""}
        make_files(served.directory / "files")
        served.tokens = {}

    with serving(request.param, wallet, port, rules, lay_out, L402_BACKEND_TIMEOUT="2s") as served:
        yield served


def bought(served, goods):
    """A token for these goods, and its payment hash."""
    if goods not in served.tokens:
        path = "/api/uses/ok" if goods == "backend" else "/uses/paid/get.html"
        offer = requests.get(served.url + path, timeout=60)
        assert offer.status_code == 402, (offer.status_code, offer.text, served.log[-3000:])
        body = offer.json()
        preimage = served.wallet.pay(body["invoice"])
        served.tokens[goods] = f"L402 {body['macaroon']}:{preimage}", body["payment_hash"]
        answer = requests.get(served.url + path, headers={"Authorization": served.tokens[goods][0]}, timeout=60)
        assert answer.status_code == 200, served.log[-3000:]
    return served.tokens[goods]


def used(served, payment_hash):
    """The payment's count by the operator's command."""
    shown = subprocess.run([BIN / "l402", "payment", "show", "--json", payment_hash], capture_output=True, text=True,
                           env={"L402_STATE_DIR": str(served.state), "PATH": "/usr/bin:/bin"})
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)["used"]


WHAT = {"get": "ok", "post": "ok", "head": "ok", "empty": "status-204", "unchanged-backend": "status-304",
        "head-elsewhere": "elsewhere", "post-slash": "slash", "left": "slow", "left-post": "slow", "left-middle": "drip",
        "limit": "ok", "unknown-name": "ok"}
FILES = {"missing": "none.html", "directory": "dir", "bare-directory": "bare/", "index": "dir/", "left-middle": "large.bin"}


def request_of(row, goods, folder):
    """The method, path and header fields with which a row is tried."""
    method = "HEAD" if row.name.startswith("head") else "POST" if "post" in row.name or row.name == "method" else "GET"
    number = str(next(numbers))
    if goods == "backend":
        what = WHAT.get(row.name, row.name)
        what = re.sub(r"^(refused|failed)-", "status-", what)
        folder = {"limit": "limited", "unknown-name": "nowhere"}.get(row.name, folder)
        path = f"/api/{folder}/{what}?{number}"
    else:
        folder = {"unknown-prefix": "nowhere"}.get(row.name, folder.replace("uses", "paid"))
        path = f"/uses/{folder}/{FILES.get(row.name, 'get.html')}?{number}"
    headers = {"part": {"Range": "bytes=0-3"}, "range": {"Range": "bytes=99999-"}, "condition": {"If-Match": '"other"'},
               "socket": {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}}.get(row.name, {})
    return method, path, number, headers


def happen(served, row, goods, folder, authorization=None):
    """Makes it happen; the status that the client saw, 0 for none."""
    method, path, number, headers = request_of(row, goods, folder)
    if authorization:
        headers["Authorization"] = authorization
    if row.name == "unchanged":
        token, _ = bought(served, "files")
        whole = requests.get(f"{served.url}/uses/paid/get.html?{next(numbers)}", headers={"Authorization": token}, timeout=60)
        headers["If-Modified-Since"] = whole.headers["Last-Modified"]
        served.extra = 1
    if row.name == "limit":
        requests.get(served.url + "/api/limited/ok", headers=headers, timeout=60)
        served.extra = 1 if not served.limited else 0
        served.limited = True
    if row.name.startswith("left") or row.name == "events":
        leave(served, row, method, path, number, headers)
        return 0
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request(method, path, "{}" if method == "POST" else None, headers)
    answer = connection.getresponse()
    if answer.status == 101:
        connection.close()
        return 101
    try:
        answer.read()
    except (http.client.HTTPException, OSError):
        assert row.name == "half"
        return answer.status
    status, location = answer.status, answer.getheader("Location") or ""
    assert "l402-files" not in location, location
    if row.name == "directory" and status == 301:
        assert re.sub(r"^https?://[^/]+", "", location).split("?")[0] == path.split("?")[0] + "/", location
    # nginx answers the next request of a connection when it has settled the one before.
    try:
        connection.request("GET", "/.l402/health")
        assert connection.getresponse().status == 200
    except (http.client.RemoteDisconnected, ConnectionError):
        pass  # some errors end a connection
    connection.close()
    return status


def leave(served, row, method, path, number, headers):
    """Asks, and is gone: before a byte of the answer, or after some."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        lines = [f"{method} {path} HTTP/1.1", "Host: site.test", *(f"{name}: {value}" for name, value in headers.items())]
        if method == "POST":
            lines.append("Content-Length: 0")
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        if row.name in ("left", "left-post"):
            wait_for("the backend", lambda: number in Backend.arrived)
        else:
            got = b""
            while len(got) < 1500 and (part := connection.recv(1000)):
                got += part
            assert got.startswith(b"HTTP/1.1 200"), got
    if path.startswith("/api"):
        wait_for("the backend to be done", lambda: number in Backend.finished)


def trials(rows):
    return pytest.mark.parametrize("served,row,goods,column", [
        pytest.param(mode, row, goods, column, id=f"{mode}-{goods}-{row.name}")
        for mode, goods, column in WAYS for row in rows
        if goods in row.goods.split() and row.expected(column) and (row.name, column) not in UNTRIED],
        indirect=["served"], scope="module")


def expected_of(row, column):
    status, use = row.expected(column)
    return status, 0 if use == NOT else 1


@trials(ROWS)
def test_a_use_is_taken_for_what_was_delivered(served, row, goods, column):
    status, taken = expected_of(row, column)
    token, payment_hash = bought(served, goods)
    before = used(served, payment_hash)
    served.extra, served.limited = 0, getattr(served, "limited", False)
    assert happen(served, row, goods, "uses", token) == status, served.log[-2000:]
    wanted = before + taken + served.extra
    wait_for("the count", lambda: used(served, payment_hash) == wanted or stop_at(served, payment_hash, wanted), 8)


def stop_at(served, payment_hash, wanted):
    found = used(served, payment_hash)
    if found < wanted:
        raise AssertionError(f"{found} uses where {wanted} were to be: {served.log[-2000:]}")
    return False


@trials(FREE)
def test_a_free_request_is_counted_for_what_was_delivered(served, row, goods, column):
    status, taken = expected_of(row, column)
    assert happen(served, row, goods, f"free-{row.name}") == status, served.log[-2000:]
    path = f"/api/free-{row.name}/ok" if goods == "backend" else f"/uses/free-{row.name}/get.html"
    wanted = 402 if taken else 200

    def next_one():
        """HEAD tells the price and takes nothing, so a GET has to ask, and only once it may be served."""
        return requests.get(served.url + path, timeout=60).status_code

    if taken:
        assert next_one() == wanted
    else:
        wait_for("the free request is back", lambda: next_one() == wanted, 8)


def test_the_manual_has_the_same_table():
    assert uses.parts()[1] == uses.section()


def test_every_column_is_tried():
    assert {column for _, _, column in WAYS} == set(COLUMNS)
    assert all(row.use in (TAKEN, NOT) for row in ROWS)
