"""What the shipped nginx files promise: who the client is, which host, what reaches whom."""
import json
import os
import pathlib
import re
import shutil
import socket
import tempfile
import threading

import pytest
import requests
from parts import ROOT, free_port, raw_request, several_gates, wait_for

ADDRESS_HEADERS = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9",
                   "REMOTE_ADDR": "203.0.113.9", "Remote-Addr": "203.0.113.9", "True-Client-IP": "203.0.113.9"}


def test_a_client_cannot_choose_its_address(make_site):
    site = make_site("GET /x price=5 free=1/day serve=demo\n")
    assert site.get("/x").status_code == 200
    for name, value in ADDRESS_HEADERS.items():
        assert site.get("/x", headers={name: value}).status_code == 402, name


@pytest.mark.parametrize("target,host,status", [
    (b"/x", "shop.test", 402), (b"/x", "SHOP.test", 402), (b"/x", "shop.test:8080", 402), (b"/x", "shop.test.", 402),
    (b"http://shop.test/x", "open.test", 402), (b"http://SHOP.test:80/x", "open.test", 402),
    (b"http://open.test/x", "shop.test", 200), (b"/x", "open.test", 200), (b"/x", "other.test", 404),
])
def test_the_host_that_nginx_routes_by_decides(hosts, target, host, status):
    with socket.create_connection(("127.0.0.1", hosts.nginx.port), timeout=20) as connection:
        connection.sendall(b"GET " + target + f" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert int(answer.split()[1]) == status, answer[:300]
    if status == 200:
        seen = json.loads(answer.partition(b"\r\n\r\n")[2].split(b"\r\n")[0])
        assert seen["headers"]["host"] == "open.test", "the backend is told the host that the rule was found by"


@pytest.fixture(scope="module")
def hosts(make_site):
    return make_site("GET /x price=5 host=shop.test serve=demo\nGET /x free host=open.test serve=@api\n")


NAMES = ["a b.html", "100%.html", "%41.html", "a?b.html", "a#b.html", "ü.html", "a+b.html", "a;b.html", "a&b=c.html",
         "'quoted\".html", "back\\slash.html", "..hidden.html"]


@pytest.mark.parametrize("name", NAMES)
def test_files_of_any_name_are_found(articles, name):
    site, headers = articles
    (site.gate.directory / "files" / "articles" / name).write_text(f"this is {name}")
    path = "/articles/" + "".join(f"%{byte:02X}" for byte in name.encode())
    status, body, _ = raw_request(site.nginx.port, path.encode() + b"?x=1", headers=headers)
    assert (status, body.decode()) == (200, f"this is {name}")


@pytest.fixture(scope="module")
def articles(make_site):
    site = make_site("GET /articles/** price=9 uses=unlimited valid=1d service=articles serve=/l402-files/\n"
                     "GET /few/** price=9 uses=3 free=1/day serve=/l402-files/\n")
    authorization, _ = site.buy("/articles/first.html")
    return site, [f"Authorization: {authorization}"]


def test_parts_of_files_and_unchanged_files(articles):
    site, [authorization] = articles
    headers = {"Authorization": authorization.split(": ")[1]}
    part = site.get("/articles/first.html", headers={**headers, "Range": "bytes=4-7"})
    assert part.status_code == 206 and part.text == "paid"
    assert part.headers["Content-Range"] == "bytes 4-7/22"
    same = site.get("/articles/first.html", headers={**headers, "If-None-Match": part.headers["ETag"]})
    assert same.status_code == 304
    # Without proof neither tells anything.
    for more in ({"Range": "bytes=0-3"}, {"If-None-Match": part.headers["ETag"]}):
        assert site.get("/articles/first.html", headers=more).status_code == 402


def test_with_a_file_the_client_learns_what_is_left(articles):
    site, _ = articles
    files = site.gate.directory / "files" / "few"
    files.mkdir(mode=0o755, exist_ok=True)
    (files / "x").write_text("x")
    free = site.get("/few/x")
    assert free.status_code == 200 and free.headers["L402-Free-Left"] == "0"
    assert free.headers["RateLimit"].startswith('"free";r=0;t=')
    assert free.headers["Access-Control-Allow-Origin"] == "*"
    authorization, _ = site.buy("/few/x")
    assert site.get("/few/x", headers={"Authorization": authorization}).headers["L402-Uses-Left"] == "2"


@pytest.mark.parametrize("how", ["token", "cookie", "hash", "free"])
def test_what_was_paid_for_is_kept_by_no_shared_cache(make_site, how):
    site = make_site("GET /few/** price=9 uses=3 serve=/l402-files/\nGET /back/** price=9 uses=3 serve=@api\n"
                     "GET /some/** price=9 free=1/day serve=@api\n* /open/** free serve=@api\n")
    files = site.gate.directory / "files" / "few"
    files.mkdir(mode=0o755)
    (files / "x.pdf").write_text("x")
    if how == "free":
        assert site.get("/some/x").headers["Cache-Control"] == "private"
        assert "Cache-Control" not in site.get("/open/x").headers
        return
    for path in ("/few/x.pdf", "/back/x.pdf"):
        authorization, body = site.buy(path)
        proof = {"token": {"Authorization": authorization}, "cookie": {"Cookie": f"l402={body['macaroon']}", "Accept": "text/html"},
                 "hash": {"X-Payment-Hash": body["payment_hash"]}}[how]
        answer = site.get(path, headers=proof)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "private", path


def test_scripts_of_other_sites_get_one_allowed_origin(make_site):
    site = make_site("GET /back/** price=9 uses=3 serve=@api\nGET /own/** price=9 uses=3 serve=@api "
                     "cors=https://a.test,https://b.test\n")
    for path, allowed in (("/back/cors", "*"), ("/own/cors", "https://b.test")):
        authorization, _ = site.buy(path)
        answer = site.get(path, headers={"Authorization": authorization, "Origin": "https://b.test"})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == allowed
        assert "L402-Uses-Left" in answer.headers["Access-Control-Expose-Headers"]
        assert ("Origin" in answer.headers.get("Vary", "")) == (allowed != "*")


@pytest.mark.parametrize("value,passed", [
    ("Bearer x", True), ("Basic dTpw", True), ("L402x y", True), ("L402 {}", False), ("l402 {}", False),
    ("LSAT {}", False), ("lsat {}", False), ("L402", False), ("{}", False), ("l402\t{}", False), ("{}0", True),
])
def test_only_the_proof_is_kept_from_the_backend(site, value, passed):
    value = value.format("0" * 64)
    seen = site.get("/free/x", headers={"Authorization": value, "X-Payment-Hash": "0" * 64}).json()["headers"]
    assert seen.get("authorization") == (value if passed else None)
    assert "x-payment-hash" not in seen


def dangerous_fields():
    """The names that the gate knows, in Swift."""
    source = (ROOT / "Sources/HTTP/DangerousFields.swift").read_text()
    return set(re.findall(r'"([a-z-]+)"', source[source.index("private static let paths"):]))


def test_every_snippet_takes_out_what_the_gate_knows_as_dangerous():
    shipped = {path: (ROOT / "nginx" / path).read_text().lower() for path in (
        "l402/stripped.conf", "l402/goods-fastcgi.conf", "lighttpd/authorizer.conf")}
    named = dangerous_fields()
    for name in named:
        under = name.replace("-", "_")
        assert f'proxy_set_header {name} "";' in shipped["l402/stripped.conf"], name
        assert f'proxy_set_header {under} "";' in shipped["l402/stripped.conf"], name
        assert re.search(rf'fastcgi_param http_{under} +"" if_not_empty;', shipped["l402/goods-fastcgi.conf"]), name
        assert f'"{name}" => ""' in shipped["lighttpd/authorizer.conf"], name
        assert f'"{under}" => ""' in shipped["lighttpd/authorizer.conf"], name


FORGED = ["L402-Access", "L402-Payment-Hash", "L402_Access", "L402_Payment_Hash", "L402-Payment_Hash", "L402_Uses-Left",
          "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix", "x_original_url"]


def test_nothing_forged_reaches_a_backend_even_with_underscores(make_site):
    site = make_site("GET /tier price=5 free=99/day service=true serve=@api\n* /open free serve=@api\n",
                     http="underscores_in_headers on;")
    for path in ("/tier", "/open"):
        seen = site.get(path, headers={name: "forged" for name in FORGED}).json()["headers"]
        assert "forged" not in seen.values(), seen
        assert seen["l402-access"] == "free" and "l402-payment-hash" not in seen
    assert site.get("/open", headers={"X-Mine": "1"}).json()["headers"]["x-mine"] == "1"


@pytest.mark.parametrize("sent,left", [
    ("l402=AgE", None), ("l402-0123abcd=AgE", None), ("session=1; l402=AgE; lang=de", "session=1; lang=de"),
    ("l402=a; session=1; l402-0000ffff=b; l402-1=c; lang=de; l402-2=d", "session=1; lang=de"),
    ("xl402=1; l402x=2; my-l402-a=3", "xl402=1; l402x=2; my-l402-a=3"), ("a=l402=1", "a=l402=1"),
    ("; ".join(f"l402-{n:08x}=t" for n in range(12)) + "; session=1", "session=1"), ("session=1", "session=1"),
])
def test_of_the_cookies_only_the_gates_own_are_kept_from_the_backend(site, sent, left):
    seen = site.get("/free/x", headers={"Cookie": sent}).json()["headers"]
    assert seen.get("cookie") == left


@pytest.mark.parametrize("name", ["Macaroon", "Grpc-Metadata-Macaroon", "X-Payment-Hash"])
def test_proof_under_any_name_stays_with_the_gate(site, name):
    assert name.lower() not in site.get("/free/x", headers={name: "00"}).json()["headers"]


PROXY_PARAMS = """proxy_set_header Host $http_host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
"""


def raw_backend():
    """An HTTP backend that answers with the head of the request, byte for byte."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)

    def serve():
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection:
                head = connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(head) + head)

    threading.Thread(target=serve, daemon=True).start()
    return listener


def test_beside_proxy_params_each_header_goes_out_once(make_site, open_directory):
    backend = raw_backend()
    (open_directory / "proxy_params").write_text(PROXY_PARAMS)
    for order in ("include l402/goods.conf; include {0};", "include {0}; include l402/goods.conf;"):
        site = make_site("GET /x free serve=@site\n", server="location @site { %s proxy_pass http://127.0.0.1:%d; }" % (
            order.format(open_directory / "proxy_params"), backend.getsockname()[1]))
        lines = site.get("/x").text.lower().split("\r\n")
        names = [line.split(":")[0] for line in lines[1:] if line]
        assert len(names) == len(set(names)), lines
        assert f"host: 127.0.0.1:{site.nginx.port}" in lines and "x-forwarded-proto: http" in lines
    backend.close()


def test_what_a_client_says_of_itself_is_replaced_where_the_location_says_nothing(make_site):
    backend = raw_backend()
    site = make_site("GET /x free serve=@bare\n", server="location @bare { include l402/goods.conf; proxy_pass http://127.0.0.1:%d; }"
                     % backend.getsockname()[1])
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "0", "X-Real-IP": "6.6.6.6"}
    lines = site.get("/x", headers=forged).text.lower().split("\r\n")
    told = [line for line in lines if line.startswith(("x-forwarded", "x-real"))]
    assert sorted(told) == ["x-forwarded-for: 127.0.0.1", f"x-forwarded-host: 127.0.0.1:{site.nginx.port}",
                            "x-forwarded-proto: http", "x-real-ip: 127.0.0.1"]
    backend.close()


def test_what_the_backend_exposes_is_told_beside_what_the_gate_tells(make_site):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n"
                                   b"Access-Control-Allow-Origin: https://own.test\r\nAccess-Control-Expose-Headers: X-Total\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    location = "location @b { include l402/goods.conf; %s proxy_pass http://127.0.0.1:%d; }"
    site = make_site("GET /x free serve=@b\n", server=location % ("", listener.getsockname()[1]))
    answer = site.get("/x", headers={"Origin": "https://a.test"})
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert "X-Total" in exposed and "L402-Refunded" in exposed and answer.headers["Access-Control-Allow-Origin"] == "*"
    # Switched off, the backend's word is the only one.
    off = make_site("GET /x free serve=@b\n", L402_CORS="off", server=location % (
        "proxy_pass_header Access-Control-Allow-Origin;", listener.getsockname()[1]))
    answer = off.get("/x", headers={"Origin": "https://a.test"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://own.test"
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Total"


def test_the_shipped_example_tells_the_backend_the_port_that_was_asked_for(site):
    assert site.get("/free/x").json()["headers"]["host"] == f"127.0.0.1:{site.nginx.port}"
    assert site.get("/free/x", headers={"Host": "shop.test:8080"}).json()["headers"]["host"] == "shop.test:8080"
    assert site.get("/free/x", headers={"Host": "shop.test"}).json()["headers"]["host"] == "shop.test"


def test_a_name_that_is_no_location_is_asked_for_once_and_told(make_site):
    site = make_site("GET /a price=5 serve=@nowhere\nGET /b price=5 serve=/typo/\nPOST /c price=5 serve=/typo/\n")
    for method, path in (("GET", "/a"), ("GET", "/b"), ("POST", "/c")):
        authorization, _ = site.buy(path, method)
        before = site.gate.log.count(f"{method} {path} ")
        for _ in range(2):
            answer = requests.request(method, site.url + path, headers={"Authorization": authorization}, timeout=20)
            assert answer.status_code == 502 and answer.headers["L402-Refunded"] == "1", (path, answer.text)
        assert site.gate.log.count(f"{method} {path} ") - before == 4, "let in and returned, twice"


def test_a_plain_success_costs_one_call_and_the_access_log_is_as_ever(make_site, open_directory):
    log = open_directory / "access.log"
    site = make_site("GET,POST /back/** price=5 uses=50 service=back serve=@api\n"
                     "GET /files/** price=5 uses=50 service=files serve=/l402-files/\n",
                     http="log_format short '$request_method $uri $status';", server=f"access_log {log} short;")
    files = site.gate.directory / "files" / "files"
    files.mkdir(mode=0o755)
    (files / "x").write_text("x")
    (files / "dir").mkdir(mode=0o755)
    asked = [("GET", "/back/x", 200, 0), ("POST", "/back/x", 200, 0), ("GET", "/back/status/404", 404, 0),
             ("HEAD", "/back/x", 200, 1), ("GET", "/back/status/500", 500, 1), ("GET", "/files/x", 200, 0),
             ("HEAD", "/files/x", 200, 1), ("GET", "/files/none", 404, 1), ("GET", "/files/dir", 301, 1)]
    tokens = {name: site.buy(f"/{name}/x")[0] for name in ("back", "files")}
    wait_for("the log", lambda: log.exists() and len(log.read_text().splitlines()) == 2)
    for method, path, status, calls in asked:
        lines, told = len(log.read_text().splitlines()), site.gate.log.count(f" {method} {path} ")
        with requests.Session() as session:
            answer = session.request(method, site.url + path, headers={"Authorization": tokens[path.split("/")[1]]},
                                     allow_redirects=False, timeout=20)
        assert answer.status_code == status
        wait_for("the log", lambda: len(log.read_text().splitlines()) == lines + 1)
        assert log.read_text().splitlines()[-1].split()[-1] == str(status), (method, path)
        assert site.gate.log.count(f" {method} {path} ") - told == 1 + calls, (method, path, site.gate.log[-900:])


def test_expires_of_the_operator_makes_nothing_public(make_site, open_directory):
    """With a shared cache before the site."""
    front = free_port()
    site = make_site("GET /back/** price=9 uses=9 service=back serve=@api\n", server="expires 1h;", http=f"""
        proxy_cache_path {open_directory}/cache keys_zone=shared:1m;
        server {{ listen 127.0.0.1:{front}; location / {{
            proxy_pass http://127.0.0.1:$arg_to; proxy_cache shared; proxy_cache_key $uri; proxy_pass_request_headers on; }} }}""")
    authorization, _ = site.buy("/back/x")
    url = f"http://127.0.0.1:{front}/back/x?to={site.nginx.port}"
    paid = requests.get(url, headers={"Authorization": authorization}, timeout=20)
    assert paid.status_code == 200 and paid.headers["Cache-Control"] == "private"
    assert requests.get(url, timeout=20).status_code == 402


def test_expires_beside_the_include_does_not_start(make_site):
    with pytest.raises(AssertionError, match="duplicate"):
        make_site("GET /x price=5 serve=@late\n",
                  server="location @late { include l402/goods.conf; expires 1h; proxy_pass http://127.0.0.1:9; }")


def test_proof_in_a_header_of_its_own_leaves_authorization_to_the_backend(site):
    body = site.challenge("/back/both", headers={"Authorization": "Bearer mine"})
    site.wallet.pay(body["invoice"])
    answer = site.get("/back/both", headers={"Authorization": "Bearer mine", "X-Payment-Hash": body["payment_hash"]})
    assert answer.status_code == 200 and answer.json()["headers"]["authorization"] == "Bearer mine"


@pytest.fixture
def open_directory():
    """A directory that nginx's workers, who run as another user, can enter."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="l402-e2e-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


class FastCGIBackend:
    """As much of a FastCGI application as the test needs: answers with its parameters, in JSON."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        os.chmod(path, 0o777)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                parameters = b""
                while True:
                    _, kind, high, low, length_high, length_low, padding, _ = stream.read(8)
                    content = stream.read(length_high << 8 | length_low)
                    stream.read(padding)
                    if kind == 4:
                        parameters += content
                    if kind == 5 and not content:
                        break
                found = self.decode(parameters)
                status = "500 Failed" if "fail" in found["REQUEST_URI"] else "200 OK"
                body = f"Status: {status}\r\nContent-Type: application/json\r\n\r\n{json.dumps(found)}".encode()
                head = bytes([1, 6, high, low, len(body) >> 8, len(body) & 255, 0, 0])
                end = bytes([1, 3, high, low, 0, 8, 0, 0]) + bytes(8)
                connection.sendall(head + body + end)

    @staticmethod
    def decode(data):
        found, place = {}, 0

        def length():
            nonlocal place
            size = 4 if data[place] & 128 else 1
            value = int.from_bytes(data[place:place + size], "big") & (0x7FFFFFFF if size == 4 else 127)
            place += size
            return value

        while place < len(data):
            name_length, value_length = length(), length()
            name = data[place:place + name_length].decode()
            assert name not in found, f"{name} arrives twice"
            found[name] = data[place + name_length:place + name_length + value_length].decode("utf-8", "replace")
            place += name_length + value_length
        return found


def test_a_fastcgi_backend_learns_what_was_sold_and_nothing_forged(make_site, open_directory):
    directory = open_directory
    backend = FastCGIBackend(directory / "php.sock")
    site = make_site("POST /php/** price=5 uses=3 serve=@php\n* /open/** free serve=@php\n", server=f"""
        location @php {{
            include l402/goods-fastcgi.conf;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_pass unix:{directory}/php.sock;
        }}""")
    forged = {"L402-Access": "paid", "L402-Service": "x", "L402-Uses-Left": "99", "L402-Payment-Hash": "ff",
              "L402-Tier": "255", "L402-Free-Left": "9", "X-Payment-Hash": "0" * 64}
    seen = site.get("/open/x", headers={**forged, "Authorization": "Bearer mine"}).json()
    assert seen["HTTP_L402_ACCESS"] == "free" and seen["HTTP_AUTHORIZATION"] == "Bearer mine"
    assert seen["HTTP_L402_SERVICE"] != "x" and seen["HTTP_L402_TIER"] == "0"
    for name in ("HTTP_L402_USES_LEFT", "HTTP_L402_PAYMENT_HASH", "HTTP_L402_FREE_LEFT", "HTTP_X_PAYMENT_HASH"):
        assert not seen.get(name), name

    authorization, body = site.buy("/php/x", "POST")
    headers = {**forged, "Authorization": authorization}
    failed = site.post("/php/fail", headers=headers)
    assert failed.status_code == 500 and failed.headers["L402-Refunded"] == "1"
    answer = site.post("/php/x", headers=headers)
    assert answer.headers["L402-Uses-Left"] == "2"
    seen = answer.json()
    assert (seen["HTTP_L402_ACCESS"], seen["HTTP_L402_USES_LEFT"], seen["HTTP_L402_PAYMENT_HASH"]) == (
        "paid", "2", body["payment_hash"])
    assert "HTTP_AUTHORIZATION" not in seen and seen["REQUEST_METHOD"] == "POST"
    backend.listener.close()


def test_rules_without_a_target_use_the_one_of_the_web_server(make_site):
    site = make_site("GET /x price=5 serve=demo\nGET /part/** price=5\n", server="""
        location /part/ { include l402/gate.conf; fastcgi_param L402_SERVE @api; }""")
    authorization, _ = site.buy("/part/y")
    answer = site.get("/part/y", headers={"Authorization": authorization})
    assert answer.status_code == 200 and answer.json()["path"] == "/part/y"


def test_a_gate_on_tcp_behind_an_upstream_block_with_kept_connections(make_site):
    port = free_port()
    site = make_site("GET /x price=5 uses=100 serve=@api\n* /health free serve=demo\n", L402_LISTEN=f"127.0.0.1:{port}",
                     http=f"upstream l402_gate {{ server 127.0.0.1:{port}; keepalive 8; }}",
                     server="set $l402_gate l402_gate; fastcgi_keep_conn on;", start=False)
    site.gate.start()
    authorization, _ = site.buy("/x")
    for left in range(99, 69, -1):
        answer = site.get("/x", headers={"Authorization": authorization})
        assert answer.status_code == 200 and answer.headers["L402-Uses-Left"] == str(left)


def test_three_gates_restart_one_after_the_other_without_a_lost_request(make_site):
    """As the comment of the shipped example has it: "max_fails=0", and the next gate is asked."""
    site = make_site("GET,POST /open/** free serve=@api\n", start=False)
    gates = several_gates(site, 3)
    statuses, done = [], threading.Event()

    def ask(method):
        with requests.Session() as session:
            while not done.is_set():
                statuses.append(session.request(method, site.url + "/open/x", data=b"x" if method == "POST" else None,
                                                timeout=30).status_code)

    threads = [threading.Thread(target=ask, args=(method,)) for method in ["GET", "POST"] * 4]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            for gate in gates:
                before = len(statuses)
                gate.stop()
                wait_for("requests while one is gone", lambda: len(statuses) > before + 50)
                gate.start()
                wait_for("requests when it is back", lambda: len(statuses) > before + 100)
    finally:
        done.set()
        for thread in threads:
            thread.join()
        for gate in gates:
            gate.stop()
    assert set(statuses) == {200}, {status: statuses.count(status) for status in set(statuses)}
