"""The same sale behind every web server, with the shipped configurations as they stand."""
import concurrent.futures
import hashlib
import json
import pathlib
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest
import requests

from parts import raw_request, wait_for
from servers import MODES, serving

ARTICLE = "/articles/first.html"
# Where no body is shown to the gate.
BODILESS = ("nginx-auth", "lighttpd-authorizer")


@pytest.fixture(scope="session", params=MODES)
def served(request, wallet, backend_port, backend_url):
    with serving(request.param, wallet, backend_port) as served:
        served.backend_url = backend_url
        yield served


def ask(served, path, method="GET", authorization=None, **options):
    headers = options.pop("headers", {})
    if authorization:
        headers = {**headers, "Authorization": authorization}
    return requests.request(method, served.url + path, headers=headers, timeout=90, **options)


def buy(served, path, method="GET"):
    offer = ask(served, path, method)
    assert offer.status_code == 402, (offer.status_code, offer.text, served.log[-3000:])
    body = offer.json()
    return f"L402 {body['macaroon']}:{served.wallet.pay(body['invoice'])}", body


def test_unpaid_requests_are_told_the_price(served):
    answer = ask(served, ARTICLE)
    assert answer.status_code == 402
    body = answer.json()
    assert body["price_sats"] == 5 and body["invoice"].startswith("lnbc")
    lines = answer.raw.headers.getlist("WWW-Authenticate")
    if served.mode.startswith("apache"):
        lines = lines[0].split(", L402 ")
        lines[1:] = ["L402 " + line for line in lines[1:]]
    assert len(lines) == 2 and all(line.startswith("L402 ") for line in lines)
    assert f'macaroon="{body["macaroon"]}"' in lines[0] and "macaroon" not in lines[1]
    assert all(f'invoice="{body["invoice"]}"' in line for line in lines)
    assert "no-store" in answer.headers["Cache-Control"]


def test_paid_files_are_served_and_uses_counted(served):
    authorization, _ = buy(served, ARTICLE)
    for _ in range(2):
        answer = ask(served, ARTICLE, authorization=authorization)
        assert answer.status_code == 200 and answer.text == "<h1>paid article</h1>\n"
        assert answer.headers["Content-Type"].startswith("text/html")
    missing = ask(served, "/articles/nothing.html", authorization=authorization)
    assert missing.status_code == 404
    if served.mode in ("lighttpd-responder", "lighttpd-external", "lighttpd-cgi") or served.mode.startswith("apache"):
        assert missing.headers["L402-Refunded"] == "1", "serve=file: knows that there was nothing to sell"


def test_paid_requests_reach_the_backend_and_spent_ones_do_not(served):
    path = f"/api/once/{served.mode}"
    authorization, body = buy(served, path)
    answer = ask(served, path, authorization=authorization, headers={"L402-Access": "forged", "L402-Tier": "9"})
    assert answer.status_code == 200
    told = answer.json()["headers"]
    assert "authorization" not in told or served.mode == "lighttpd-authorizer"
    if served.mode != "lighttpd-authorizer":
        assert told["l402-access"] == "paid" and told["l402-payment-hash"] == body["payment_hash"]
        assert told["l402-tier"] == "0" and told["l402-service"] == "once"
    spent = ask(served, path, authorization=authorization)
    assert spent.status_code == 402 and spent.json()["code"] == "payment_used"


def test_a_client_forges_nothing_that_the_backend_believes(served):
    forged = {name: "forged" for name in ("L402-Access", "L402_Access", "L402-Payment-Hash", "L402_Payment_Hash",
                                          "L402-Uses-Left", "X-Original-URL", "X_Original_URL", "X-Rewrite-URL",
                                          "X-HTTP-Method-Override", "X-Forwarded-Prefix", "X-Envoy-Original-Path")}
    for name, value in forged.items():
        answer = ask(served, "/api/open/x", headers={name: value})
        assert answer.status_code in (200, 400), (name, answer.text)
        assert answer.status_code == 400 or "forged" not in answer.json()["headers"].values(), (name, answer.text)
    assert ask(served, "/api/open/x", headers={"X-Mine": "1"}).json()["headers"]["x-mine"] == "1"


def test_a_bare_payment_hash_is_proof_where_the_rule_takes_it(served):
    path = "/api/once/hash"
    _, body = buy(served, path)
    headers = {"X-Payment-Hash": body["payment_hash"]}
    assert ask(served, path, headers=headers).status_code == 200
    assert ask(served, path, headers=headers).status_code == 402


def test_tokens_of_another_service_and_forged_ones_open_nothing(served):
    authorization, body = buy(served, "/api/x")
    assert ask(served, "/api/gold/x", authorization=authorization).json()["code"] == "credential_wrong_service"
    token, preimage = authorization[5:].split(":")
    forged = token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:]
    for bad in (f"L402 {forged}:{preimage}", "L402 nonsense", "L402 ", "LSAT x:y"):
        answer = ask(served, "/api/x", authorization=bad)
        assert answer.status_code == 402 and "WWW-Authenticate" in answer.headers, bad
    # Clients that know no preimage send zeros: of a paid token the wallet's word is enough.
    assert ask(served, "/api/x", authorization=f"L402 {token}:{'00' * 32}").status_code == 200
    assert ask(served, "/api/x", authorization=authorization).status_code == 200


def test_free_requests_are_counted_and_open_paths_stay_open(served):
    assert ask(served, "/api/open/x").status_code == 200
    statuses = [ask(served, "/api/free/x").status_code for _ in range(4)]
    assert statuses == [200, 200, 402, 402]


def test_unknown_paths_and_own_endpoints(served):
    services = ask(served, "/.well-known/l402-services")
    assert services.status_code == 200 and "articles" in services.text
    assert ask(served, "/.l402/health").status_code == 200
    if served.mode != "nginx-auth":
        assert ask(served, "/elsewhere").status_code == 404


def test_preflights_and_head_cost_nothing(served):
    preflight = ask(served, "/api/x", "OPTIONS", headers={
        "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization"})
    assert preflight.status_code in (200, 204)
    if served.mode != "lighttpd-authorizer" and served.mode != "nginx-auth":
        assert preflight.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")
    head = ask(served, "/api/x", "HEAD")
    assert head.status_code == 402 and head.headers["L402-Price"] == "2" and not head.content
    assert head.headers["WWW-Authenticate"] == 'L402 service="api", price_sats="2"'
    authorization, _ = buy(served, ARTICLE)
    head = ask(served, ARTICLE, "HEAD", authorization=authorization)
    assert head.status_code == 200 and not head.content
    assert head.headers["Content-Length"] == "22"


def test_goods_that_fail_give_the_use_back_once(served):
    authorization, _ = buy(served, "/api/x")

    def left():
        answer = ask(served, "/api/x", authorization=authorization)
        assert answer.status_code == 200
        return int(answer.headers["L402-Uses-Left"])

    if served.mode == "lighttpd-authorizer":
        # lighttpd tells nobody that goods failed, and the client nothing of the gate's.
        assert ask(served, "/api/status/500", authorization=authorization).status_code == 500
        return
    before = left()
    for status in (500, 503):
        failed = ask(served, f"/api/status/{status}", authorization=authorization)
        assert failed.status_code == status and failed.headers["L402-Refunded"] == "1"
    assert ask(served, "/api/status/404", authorization=authorization).status_code == 404
    assert before - left() == 2, "the 404 was sold, and what came before it was not"
    with pytest.raises(requests.RequestException):
        answer = ask(served, "/api/die", authorization=authorization)
        if answer.status_code == 502:
            raise requests.RequestException
    charged = 1 if served.mode.startswith("nginx") else 0
    wait_for("the use is back", lambda: before - left() - 3 <= charged + 1)


def test_of_two_racing_requests_each_failure_gives_one_use_back(served):
    if served.mode == "lighttpd-authorizer":
        return
    authorization, _ = buy(served, "/api/x")
    paths = ["/api/status/500", "/api/x"] * 8
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda path: ask(served, path, authorization=authorization), paths))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [500] * 8
    last = ask(served, "/api/x", authorization=authorization)
    assert last.headers["L402-Uses-Left"] == str(50 - 9)


def test_events_come_one_by_one(served):
    authorization, _ = buy(served, "/api/x")
    with ask(served, "/api/events/4", authorization=authorization, stream=True) as answer:
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/event-stream"
        delays = [time.time() - float(line.split()[2]) for line in answer.iter_lines(1) if line]
    assert len(delays) == 4
    # One event takes 0.3 s: none has waited for the next.
    assert max(delays) < 0.25, delays


def test_web_sockets_go_through_a_named_location(served):
    if not served.mode.startswith("nginx"):
        return
    authorization, _ = buy(served, "/api/x")
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        head = ["GET /api/socket HTTP/1.1", "Host: site.test", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        connection.sendall("\r\n".join([*head, f"Authorization: {authorization}", "", ""]).encode())
        stream = connection.makefile("rb")
        assert b" 101 " in stream.readline()
        lines = list(iter(lambda: stream.readline().strip(), b""))
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines
        connection.sendall(bytes([0x81, 0x85, 1, 2, 3, 4]) + bytes(b ^ [1, 2, 3, 4][i % 4] for i, b in enumerate(b"hello")))
        assert stream.read(7) == b"\x81\x05hello"


def test_five_hundred_simultaneous_clients_are_served(served):
    clients = 50 if served.mode.endswith("-cgi") else 500

    def connect():
        return socket.create_connection(("127.0.0.1", served.port), timeout=60)

    def ask_for_file(connection):
        connection.sendall(b"GET /open/x.txt HTTP/1.1\r\nHost: site.test\r\n\r\n")

    def read(connection):
        answer = b""
        while not answer.endswith(b"open to all\n"):
            part = connection.recv(65536)
            if not part:
                break
            answer += part
        return answer

    connections = [connect() for _ in range(clients)]
    for turn in range(3):
        # All ask at once, on connections that stay open.
        for at, connection in enumerate(connections):
            if turn > 0 and served.mode.startswith("apache"):
                # Apache closes idle connections when it has many.
                connection.close()
                connections[at] = connection = connect()
            ask_for_file(connection)
        for at, connection in enumerate(connections):
            answer = read(connection)
            if not answer and served.mode.startswith("apache"):
                # Apache also closes new ones unanswered; every HTTP client asks again then.
                connections[at] = connection = connect()
                ask_for_file(connection)
                answer = read(connection)
            assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"open to all\n"), answer[:300]
    for connection in connections:
        connection.close()


def test_posted_bodies_arrive_unchanged(served):
    authorization, _ = buy(served, "/api/post", "POST")
    body = bytes(range(256)) * 1000
    for method in ("POST", "PUT"):
        answer = ask(served, "/api/post", method, authorization, data=body,
                     headers={"Content-Type": "application/x-test"})
        assert answer.status_code == 200, answer.text
        echo = answer.json()
        assert echo["method"] == method and echo["sha256"] == hashlib.sha256(body).hexdigest()
        assert echo["headers"]["content-type"] == "application/x-test"
    assert ask(served, "/api/post", "POST", authorization, data=b"").json()["length"] == 0


def test_a_payment_hash_in_the_body_is_proof(served):
    _, body = buy(served, "/api/post", "POST")
    proof = json.dumps({"payment_hash": body["payment_hash"], "prompt": "Hello"})
    answer = ask(served, "/api/post", "POST", data=proof)
    assert answer.status_code == (402 if served.mode in BODILESS else 200)
    if answer.ok:
        assert answer.json()["body"] == proof


def test_a_hundred_megabytes_come_and_go(served):
    if served.gate:
        # The crowds before are not what is looked at: the highest mark begins anew (proc(5), clear_refs).
        pathlib.Path(f"/proc/{served.gate.process.pid}/clear_refs").write_text("5")
    block = bytes(range(256)) * 4096
    expected = hashlib.sha256()
    for _ in range(100):
        expected.update(block)
    authorization, _ = buy(served, "/articles/large.bin")
    for path in ("/articles/large.bin", f"/api/bytes/{len(block) * 100}"):
        if path.startswith("/api"):
            authorization, _ = buy(served, "/api/x")
        got, length = hashlib.sha256(), 0
        with ask(served, path, authorization=authorization, stream=True) as answer:
            assert answer.status_code == 200
            for part in answer.iter_content(1 << 20):
                got.update(part)
                length += len(part)
        assert length == len(block) * 100 and got.digest() == expected.digest()

    def body():
        for _ in range(100):
            yield block

    answer = ask(served, "/api/upload", "POST", authorization, data=Sized(body(), len(block) * 100))
    assert answer.status_code == 200, answer.text
    assert answer.json()["sha256"] == expected.hexdigest()
    if served.gate:
        status = pathlib.Path(f"/proc/{served.gate.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 64 * 1024, f"{peak} kB: what is handed over must not be held"


class Sized:
    """A body of known length that is not in memory."""

    def __init__(self, parts, length):
        self.parts, self.length = parts, length

    def __len__(self):
        return self.length

    def __iter__(self):
        return self.parts

    def read(self, _=-1):
        return next(self.parts, b"")


def echo(body):
    """The backend's answer, also out of its chunks."""
    return json.loads(body[body.index(b"{"):body.rindex(b"}") + 1])


def test_queries_reach_the_backend_byte_for_byte(served):
    authorization, _ = buy(served, "/api/x")
    literal = "".join(chr(byte) for byte in range(0x21, 0x7f) if chr(byte) not in "#%")
    for query in (literal, "".join(f"%{byte:02X}" for byte in range(0x20, 0x100) if byte != 0x7f), "", "a=1&a=2&b", "??"):
        target = f"/api/x?{query}".encode()
        status, body, _ = raw_request(served.port, target, headers=[f"Authorization: {authorization}"])
        assert status == 200, (query, body)
        arrived = echo(body)["path"].encode()
        if served.mode.startswith("lighttpd"):
            # lighttpd writes queries anew: %2D is "-", "|" is %7C.
            arrived, target = (urllib.parse.unquote_to_bytes(text.decode()) for text in (arrived, target))
        assert arrived in (target, target.rstrip(b"?"))
    # Control characters: not every server lets them in, and what is let in arrives.
    target = ("/api/x?" + "".join(f"%{byte:02X}" for byte in [*range(0x20), 0x7f])).encode()
    status, body, _ = raw_request(served.port, target, headers=[f"Authorization: {authorization}"])
    assert status == 200 and echo(body)["path"].encode() == target or status == 400


def test_paths_with_spaces_and_umlauts_are_found(served):
    authorization, _ = buy(served, ARTICLE)
    answer = ask(served, "/articles/zwölf Äpfel.txt", authorization=authorization)
    assert answer.status_code == 200 and answer.text == "twelve apples\n"


TRICKS = [
    "/articles//first.html", "//articles/first.html", "/./articles/first.html", "/x/../articles/first.html",
    "/%61rticles/first.html", "/articles%2ffirst.html", "/articles/%2e/first.html", "/articles/x/%2e%2e/first.html",
    "/api/open/../../articles/first.html", "/api/open/%2e%2e/%2e%2e/articles/first.html",
    "/api/open/..%2f..%2farticles/first.html", "/api/open/..;/..;/articles/first.html", "/articles;x/first.html",
    "/articles/first.html/", "/articles/first.html%00", "/articles/first.html%20", "/ARTICLES/first.html",
    "/articles\\first.html", "/articles/first.html.", "/articles/first.html?x", "/articles/first.html%3f",
    "/articles/first.html/x", "/articles/first.html/x/y.txt", "/open/x.txt/../../articles/first.html/z",
    "http://other.test/articles/first.html", "/files/articles/first.html", "/l402-files/articles/first.html",
]


def test_no_spelling_of_a_path_gets_in_unpaid(served):
    for target in TRICKS:
        status, body, _ = raw_request(served.port, target.encode())
        assert b"paid article" not in body and status != 500, (target, status, body)


def test_a_file_is_not_served_under_a_path_behind_its_own(served):
    """A rule for one path says nothing of what is behind it."""
    assert raw_request(served.port, b"/open/x.txt")[:2] == (200, b"open to all\n")
    for target in (b"/open/x.txt/", b"/open/x.txt/more", b"/open/x.txt/more/x.txt"):
        status, body, _ = raw_request(served.port, target)
        assert status in (403, 404) and b"open to all" not in body, (target, status, body)


SECRETS = ["/env", "/rules", "/private/env", "/private/rules", "/state/keys", "/private/state/keys", "/.htaccess",
           "/l402.env", "/l402.fcgi", "/l402/env", "/../private/env", "/..%2fprivate%2fenv", "/articles/../../private/env",
           "/articles/..%2f..%2fprivate%2fenv", "/l402-files/../private/env", "/l402-files/", "/l402-auth",
           "/.l402/env", "/.l402/../private/env", "/cgi-bin/l402.fcgi", "/l402.fcgi/articles/first.html"]


def test_nothing_private_is_served_to_who_guesses_names(served):
    authorization, _ = buy(served, ARTICLE)
    secrets = [served.wallet.key, (served.state / "keys").read_text().split("\t")[1], "LNBITS", "price=", "\x7fELF",
               "paid article"]
    for target in SECRETS:
        for headers in ([], [f"Authorization: {authorization}"]):
            status, body, _ = raw_request(served.port, target.encode(), headers=headers)
            assert not [secret for secret in secrets if secret.encode() in body], target
            # What is outside of every rule is not found, by the gate or the server.
            assert status in (400, 401, 402, 403, 404, 405), (target, status, body[:300])


def test_without_its_gate_no_server_hands_out_goods(served):
    """Last of all: it ends the gate."""
    authorization, _ = buy(served, ARTICLE)
    assert ask(served, ARTICLE, authorization=authorization).status_code == 200
    if served.gate:
        served.gate.stop(signal.SIGKILL)
        for path in (ARTICLE, "/api/x", "/api/open/x"):
            answer = ask(served, path, authorization=authorization)
            assert answer.status_code in (502, 503), answer.text
            assert "paid article" not in answer.text and "sha256" not in answer.text
        served.gate.start()
    else:
        # The server starts it again, or starts one for each request: then nothing is there to start.
        program = served.directory / "web" / "l402.fcgi"
        if not program.exists():
            program = served.program
        program.rename(program.with_suffix(".away"))
        subprocess.run(["pkill", "-9", "-f", str(program)], check=False)
        for path in (ARTICLE, "/api/x", "/api/open/x"):
            answer = ask(served, path, authorization=authorization)
            assert answer.status_code >= 400, answer.text
            assert "paid article" not in answer.text and "sha256" not in answer.text
        program.with_suffix(".away").rename(program)
    # Known and paid before: it still is. (lighttpd waits a little before it tries again.)
    wait_for("the gate", lambda: ask(served, ARTICLE, authorization=authorization).status_code == 200, 40)
