"""One nginx with the gate, its floor and its peers behind it, and wrk before it."""
import http.server
import json
import os
import pathlib
import re
import socketserver
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from parts import ROOT, Gate, free_port, resident_megabytes, stop, wait_for  # noqa: E402

CONNECTIONS = 32

RULES = """
GET  /open    free serve=demo
GET  /tier    price=5 free=100000000/day serve=demo
GET  /many    price=5 uses=unlimited valid=30d serve=demo
GET  /counted price=5 uses=1000000000 valid=30d serve=demo
GET  /first   price=5 serve=demo
GET  /sale    price=5 serve=demo
"""
# What the gate orders an invoice with, so that LNbits alone has the same to do.
ORDER = json.dumps({"out": False, "amount": 5, "memo": "get-sale-0123456789", "expiry": 600, "unit": "sat", "extra": {
    "tag": "l402", "l402_service": "get-sale-01234567", "l402_tier": "0", "l402_price": "5", "l402_uses": "1",
    "l402_valid_until": "1800000000", "l402_token_id": "ab" * 32, "l402_signature": "cd" * 32,
    "l402_place": "2026-11-21:0123456789abcdef"}})
# A client of its own for each request, as nginx tells it by real_ip.
LUA = """
local requests, at, stride = {}, 0, 1
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(args)
  -- Else both threads of every run would be the same clients.
  math.randomseed(os.time() * 64 + number)
  clients, authorizations = args[1] == "clients", nil
  if args[2] then
    authorizations = {}
    for line in io.lines(args[2]) do table.insert(authorizations, line) end
    at = number
  end
end
function request()
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end
  if clients then
    headers["X-Client"] = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(0, 255))
  end
  if authorizations then
    if at >= #authorizations then
      if #authorizations > 1 then wrk.thread:stop() end
      at = 0
    end
    headers["Authorization"] = authorizations[at + 1]
    at = at + (#authorizations > 1 and 2 or 0)
  end
  return wrk.format(nil, nil, headers, wrk.body)
end
"""


class SlowBackend(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Goods that take four seconds."""
    daemon_threads, request_queue_size = True, 1024

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            time.sleep(4)
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"slow")

        def log_message(self, *_):
            pass

    def __init__(self):
        port = free_port()
        super().__init__(("127.0.0.1", port), self.Handler)
        self.url = f"http://127.0.0.1:{port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Bench:
    def __init__(self, work, gate, floor, node, lnbits, seconds, rounds):
        self.work = work
        self.programs = (gate, floor, node, lnbits)
        self.seconds, self.rounds = seconds, rounds
        self.processes = []
        self.port, self.large_port, self.real_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lnbits = f"http://127.0.0.1:{free_port()}"
        self.floor_socket = work / "floor.sock"
        (work / "lua").write_text(LUA)
        self.rows = []

    def spawn(self, *words, **options):
        self.processes.append(subprocess.Popen([str(word) for word in words], stderr=subprocess.DEVNULL, **options))
        return self.processes[-1]

    def start(self):
        _, floor, node_program, lnbits_python = self.programs
        self.spawn(sys.executable, HERE.parent / "doubles/faulty_lnbits.py", self.lnbits.rsplit(":", 1)[1])
        (self.work / "lnbits").mkdir()
        self.spawn(lnbits_python, ROOT / "nginx/lib/start_lnbits.py", self.work / "lnbits", free_port(), "100000000",
                   stdout=subprocess.DEVNULL)
        self.slow = SlowBackend()
        self.floor = self.spawn(floor, self.floor_socket)
        wait_for("the floor", self.floor_socket.exists)
        self.floor_socket.chmod(0o777)
        environment = {"LNBITS_URL": self.lnbits, "LNBITS_KEY": "0123456789abcdef", "L402_LOG": "error"}
        wait_for("the double", lambda: self.answers(self.lnbits + "/_calls"))
        rules = RULES + f"GET /slow free serve={self.slow.url}\n"
        self.gate = self.gate_process("ten", rules, environment)
        wallets = self.work / "lnbits/wallets.json"
        wait_for("LNbits", wallets.exists, 90)
        self.wallet = json.loads(wallets.read_text())
        self.real = self.gate_process("real", RULES, {
            **environment, "LNBITS_URL": self.wallet["url"], "LNBITS_KEY": self.wallet["merchant"]["inkey"]})
        many = RULES + "".join(f"GET /v{at}/*/x{at} price=5 serve=demo\n" for at in range(10_000 - 6))
        self.large = self.gate_process("large", many, environment)
        node, fast = free_port(), free_port()
        self.node = self.spawn(node_program, HERE / "peers/worker.mjs", node, self.lnbits, "key")
        self.fast = self.spawn(sys.executable, HERE / "peers/middleware.py", fast, self.lnbits, "key")
        (self.work / "l402").symlink_to(ROOT / "nginx/l402")
        names = "".join(f"upstream {name} {{ server unix:{path}; keepalive 64; }}" for name, path in (
            ("ten", self.gate.socket), ("large", self.large.socket), ("floor", self.floor_socket),
            ("real", self.real.socket)))

        def gate(prefix, name):
            return f"location {prefix} {{ set $l402_gate {name}; include l402/gate.conf; }}\n"

        peers = "".join(
            f"location {prefix} {{ proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://{name}; }}"
            for prefix, name in (("/node", "node"), ("/fast", "fast")))
        names += f"upstream node {{ server 127.0.0.1:{node}; keepalive 64; }}"
        names += f"upstream fast {{ server 127.0.0.1:{fast}; keepalive 64; }}"
        temp = "".join(f"{kind}_temp_path {self.work}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.work / "nginx.conf").write_text(f"""
            daemon off; pid {self.work}/pid; worker_processes 1; worker_rlimit_nofile 8192;
            events {{ worker_connections 4096; }}
            http {{ access_log off; {temp} {names} keepalive_requests 100000000;
              set_real_ip_from 127.0.0.1; real_ip_header X-Client;
              server {{ listen 127.0.0.1:{self.port} backlog=4096; include l402/endpoints.conf;
                location = /ok {{ return 200 'ok'; }}
                {gate("= /floor", "floor")} {gate("/", "ten")}
                {peers} }}
              server {{ listen 127.0.0.1:{self.large_port} backlog=4096; include l402/endpoints.conf; {gate("/", "large")} }}
              server {{ listen 127.0.0.1:{self.real_port} backlog=4096; include l402/endpoints.conf; {gate("/", "real")} }} }}""")
        self.spawn("nginx", "-p", self.work, "-c", self.work / "nginx.conf", "-e", self.work / "error.log")
        for path in ("/ok", "/floor", "/open", "/node", "/fast/x"):
            wait_for(path, lambda: self.answers(self.url + path))

    def gate_process(self, name, rules, environment):
        gate = Gate(self.work / name, environment, rules)
        gate.directory.chmod(0o755)
        before = os.environ.get("PATH")
        gate.environment["PATH"] = before
        gate.process = self.spawn(self.programs[0], env=gate.environment, stdin=subprocess.DEVNULL)
        wait_for("the gate", gate.socket.exists)
        return gate

    @staticmethod
    def answers(url):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as answer:
            return answer.code != 502
        except OSError:
            return False
        return True

    def put(self, path, value):
        body = json.dumps(value).encode()
        request = urllib.request.Request(self.lnbits + path, method="PUT", data=body)
        urllib.request.urlopen(request, timeout=30).close()

    def offer(self, path, client="10.0.0.1"):
        request = urllib.request.Request(self.url + path, headers={"X-Client": client})
        try:
            urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as answer:
            return answer.headers, json.loads(answer.read() or b"{}")
        raise AssertionError(path + " was not refused")

    def token(self, path, client="10.0.0.1"):
        """A paid token. The double's preimages stay with it, so the proof is the token alone."""
        _, body = self.offer(path, client)
        self.put("/_paid/" + body["payment_hash"], {})
        return "L402 " + body["macaroon"]

    def fast_token(self):
        try:
            urllib.request.urlopen(self.url + "/fast/x", timeout=30)
            raise AssertionError("the middleware let an unpaid request pass")
        except urllib.error.HTTPError as answer:
            challenge = answer.headers["WWW-Authenticate"]
        with urllib.request.urlopen(self.lnbits + "/_last", timeout=30) as answer:
            return f"L402 {re.search('macaroon=.(.*?).,', challenge)[1]}:{json.load(answer)}"

    def wrk(self, url, clients=False, tokens=None, connections=CONNECTIONS, seconds=None, body=None, key=""):
        script = self.work / "lua"
        arguments = ["clients" if clients else "-"]
        if tokens is not None:
            (self.work / "tokens").write_text("\n".join(tokens) + "\n")
            arguments.append(str(self.work / "tokens"))
        if body:
            script = self.work / "lua-post"
            script.write_text(f"wrk.method = 'POST'; wrk.headers['Content-Type'] = 'application/json'\n"
                              f"wrk.headers['X-Api-Key'] = '{key}'\nwrk.body = '{body}'\n" + LUA)
        output = subprocess.run(
            ["wrk", "-t2", f"-c{connections}", f"-d{seconds or self.seconds}s", "--latency", "--timeout", "20s", "-s", str(script), url, "--",
             *arguments], capture_output=True, text=True, check=True).stdout
        failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        return {
            "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
            "count": int(re.search(r"(\d+) requests in", output)[1]),
            "refused": int(failed[1]) if failed else 0,
            **{name: milliseconds(re.search(name[1:] + r"%\s+([\d.]+)(us|ms|s)", output)) for name in ("p50", "p99")}}

    def measure(self, rows):
        """Every row in every round; the median of each figure."""
        results = {name: [] for name, *_ in rows}
        for _ in range(self.rounds):
            for name, process, expected, run in rows:
                before = cpu_seconds(process)
                result = run()
                result["cpu"] = (cpu_seconds(process) - before) / max(1, result["count"]) * 1e6 if process else 0
                result["memory"] = resident_megabytes(process) if process else 0
                share = result["refused"] / max(1, result["count"])
                assert (share < 0.01) == (expected < 400), (name, result)
                results[name].append(result)
        for name, *_ in rows:
            runs = results[name]
            self.rows.append({"name": name, **{
                key: sorted(run[key] for run in runs)[len(runs) // 2] for key in ("rate", "p50", "p99", "cpu", "memory")}})

    def stop(self):
        for process in reversed(self.processes):
            stop(process)


def milliseconds(match):
    return float(match[1]) * {"us": 0.001, "ms": 1, "s": 1000}[match[2]]


def cpu_seconds(process):
    if not process:
        return 0
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
