#!/usr/bin/env python3
"""What the gate costs behind nginx, against its floor and its peers, in turns in one run.

    behind_nginx.py GATE FLOOR NODE SVG [SECONDS [ROUNDS]]

GATE is an l402-fcgi, FLOOR the C program of floor_fcgi.c, SVG where the plot goes. LNbits is a double
with a fixed latency (the real one would be all that is measured). Load comes from wrk, 32 connections.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from parts import ROOT, Gate, free_port, stop, wait_for  # noqa: E402

GATE, FLOOR, NODE, SVG = sys.argv[1:5]
SECONDS = sys.argv[5] if len(sys.argv) > 5 else "3"
ROUNDS = int(sys.argv[6]) if len(sys.argv) > 6 else 3
CONNECTIONS = 32

RULES = """
GET  /open    free serve=demo
GET  /tier    price=5 free=100000000/day serve=demo
GET  /many    price=5 uses=unlimited valid=30d serve=demo
GET  /counted price=5 uses=1000000000 valid=30d serve=demo
GET  /first   price=5 serve=demo
GET  /sale    price=5 serve=demo
"""
# A client of its own for each request, as nginx tells it by real_ip.
LUA = """
local requests, at, stride = {}, 0, 1
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(args)
  clients, authorizations = args[1] == "clients", nil
  if args[2] then
    authorizations = {}
    for line in io.lines(args[2]) do table.insert(authorizations, line) end
    at = number
  end
end
function request()
  local headers = {}
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


class Bench:
    def __init__(self, work):
        self.work = work
        self.processes = []
        self.port, self.large_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lnbits = f"http://127.0.0.1:{free_port()}"
        self.floor_socket = work / "floor.sock"
        (work / "lua").write_text(LUA)
        self.rows = []

    def spawn(self, *words, **options):
        self.processes.append(subprocess.Popen([str(word) for word in words], stderr=subprocess.DEVNULL, **options))
        return self.processes[-1]

    def start(self):
        self.spawn(sys.executable, HERE.parent / "doubles/faulty_lnbits.py", self.lnbits.rsplit(":", 1)[1])
        self.floor = self.spawn(FLOOR, self.floor_socket)
        wait_for("the floor", self.floor_socket.exists)
        self.floor_socket.chmod(0o777)
        environment = {"LNBITS_URL": self.lnbits, "LNBITS_KEY": "0123456789abcdef", "L402_LOG": "error"}
        wait_for("the double", lambda: self.answers(self.lnbits + "/_calls"))
        self.gate = self.gate_process("ten", RULES, environment)
        many = RULES + "".join(f"GET /v{at}/*/x{at} price=5 serve=demo\n" for at in range(10_000 - 6))
        self.large = self.gate_process("large", many, environment)
        node, fast = free_port(), free_port()
        self.node = self.spawn(NODE, HERE / "peers/worker.mjs", node, self.lnbits, "key")
        self.fast = self.spawn(sys.executable, HERE / "peers/middleware.py", fast, self.lnbits, "key")
        (self.work / "l402").symlink_to(ROOT / "nginx/l402")
        names = "".join(f"upstream {name} {{ server unix:{path}; keepalive 64; }}" for name, path in (
            ("ten", self.gate.socket), ("large", self.large.socket), ("floor", self.floor_socket)))

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
              server {{ listen 127.0.0.1:{self.large_port} backlog=4096; include l402/endpoints.conf; {gate("/", "large")} }} }}""")
        self.spawn("nginx", "-p", self.work, "-c", self.work / "nginx.conf", "-e", self.work / "error.log")
        for path in ("/ok", "/floor", "/open", "/node", "/fast/x"):
            wait_for(path, lambda: self.answers(self.url + path))

    def gate_process(self, name, rules, environment):
        gate = Gate(self.work / name, environment, rules)
        gate.directory.chmod(0o755)
        before = os.environ.get("PATH")
        gate.environment["PATH"] = before
        gate.process = self.spawn(GATE, env=gate.environment, stdin=subprocess.DEVNULL)
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

    def wrk(self, url, clients=False, tokens=None, connections=CONNECTIONS, seconds=SECONDS, body=None):
        script = self.work / "lua"
        arguments = ["clients" if clients else "-"]
        if tokens is not None:
            (self.work / "tokens").write_text("\n".join(tokens) + "\n")
            arguments.append(str(self.work / "tokens"))
        if body:
            script = self.work / "lua-post"
            script.write_text(f"wrk.method = 'POST'; wrk.headers['Content-Type'] = 'application/json'\n"
                              f"wrk.body = '{body}'\n" + LUA)
        output = subprocess.run(
            ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "20s", "-s", str(script), url, "--",
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
        for _ in range(ROUNDS):
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


def resident_megabytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def plot(rows, path):
    """Requests per second as bars."""
    widest = max(row["rate"] for row in rows)
    lines = []
    for at, row in enumerate(rows):
        y, width = 30 + at * 24, 420 * row["rate"] / widest
        lines.append(f'<text x="300" y="{y + 12}" text-anchor="end">{row["name"].replace("&", "and")}</text>'
                     f'<rect x="310" y="{y}" width="{width:.1f}" height="16" fill="#f7931a"/>'
                     f'<text x="{316 + width:.1f}" y="{y + 12}">{row["rate"]:,.0f}</text>')
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{50 + len(rows) * 24}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/><text x="310" y="18">requests per second</text>{"".join(lines)}</svg>\n')


def main(work):
    bench = Bench(work)
    try:
        bench.start()
        idle = resident_megabytes(bench.gate.process)
        many, counted = bench.token("/many"), bench.token("/counted")
        forged = many[:-9] + ("A" if many[-9] != "A" else "B") + many[-8:]
        paid = bench.offer("/sale")[1]["payment_hash"]
        bench.put("/_paid/" + paid, {})
        fast = bench.fast_token()
        url, gate = bench.url, bench.gate.process

        stock = [[bench.token("/first", f"10.{9 + turn}.{at // 250}.{at % 250}") for at in range(1000)]
                 for turn in range(ROUNDS)]

        def first():
            return bench.wrk(url + "/first", tokens=stock.pop(), clients=True)

        def sale(latency):
            bench.put("/_fault", {"latency": latency})
            try:
                return bench.wrk(url + "/sale", clients=True, connections=6)
            finally:
                bench.put("/_fault", {"latency": 0})

        def stub(latency):
            bench.put("/_fault", {"latency": latency})
            try:
                return bench.wrk(bench.lnbits + "/api/v1/payments", connections=6,
                                 body='{"out": false, "amount": 5, "memo": "m", "expiry": 600, "extra": {}}')
            finally:
                bench.put("/_fault", {"latency": 0})

        question = '{"prompt": "hello"}'
        proof = f'{{"prompt": "hello", "payment_hash": "{paid}"}}'
        bench.measure([
            ("nginx: return 200", None, 200, lambda: bench.wrk(url + "/ok")),
            ("floor: C, libfcgi, a constant", bench.floor, 200, lambda: bench.wrk(url + "/floor")),
            ("gate: free path", gate, 200, lambda: bench.wrk(url + "/open")),
            ("gate: free path, 10,000 rules", bench.large.process, 200, lambda: bench.wrk(f"http://127.0.0.1:{bench.large_port}/open")),
            ("gate: free-tier request", gate, 200, lambda: bench.wrk(url + "/tier", clients=True)),
            ("gate: known token, unlimited", gate, 200, lambda: bench.wrk(url + "/many", tokens=[many])),
            ("gate: known token, counted", gate, 200, lambda: bench.wrk(url + "/counted", tokens=[counted])),
            ("gate: first redemption", gate, 200, first),
            # One client, who soon holds as many unpaid invoices as he may: what is left is the refusal.
            ("gate: forged token", gate, 402, lambda: bench.wrk(url + "/many", tokens=[forged])),
            *[row for latency in (0, 5, 50) for row in (
                (f"double of LNbits alone, {latency} ms, 6 callers", None, 200, lambda latency=latency: stub(latency)),
                (f"gate: 402, LNbits {latency} ms, 6 callers", gate, 402, lambda latency=latency: sale(latency)))],
            ("Node worker: paid hash", bench.node, 200, lambda: bench.wrk(url + "/node", body=proof)),
            ("Node worker: 402", bench.node, 402, lambda: bench.wrk(url + "/node", body=question)),
            ("FastAPI with l402 0.0.9: known token", bench.fast, 200, lambda: bench.wrk(url + "/fast/x", tokens=[fast])),
        ])
        loaded = resident_megabytes(gate)
        print(f"{'':58} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8} {'RSS MB':>7}")
        for row in bench.rows:
            print(f"{row['name']:58} {row['rate']:9,.0f} {row['p50']:8.2f} {row['p99']:8.2f} {row['cpu']:8.0f} {row['memory']:7.1f}")
        rates = {row["name"]: row["rate"] for row in bench.rows}
        floor = rates["floor: C, libfcgi, a constant"]
        for name in ("gate: free path", "gate: free-tier request", "gate: known token, unlimited", "gate: known token, counted"):
            print(f"{name}: {rates[name] / floor:.2f} of the floor")
        print(f"10,000 rules: {rates['gate: free path'] / rates['gate: free path, 10,000 rules']:.2f} times ten's time")
        print(f"gate's memory: {idle:.1f} MB idle, {loaded:.1f} MB after all of this")
        siege(bench, many)
        plot(bench.rows, pathlib.Path(SVG))
        print(f"plot: {SVG}")
    finally:
        bench.stop()


def siege(bench, token):
    """200 challenges hang at LNbits; what do those feel who need no LNbits?"""
    idle = bench.wrk(bench.url + "/many", tokens=[token])
    bench.put("/_fault", {"create": "hang"})
    # Who is refused comes back a second later, as Retry-After says.
    patient = bench.work / "lua-patient"
    patient.write_text(LUA + "function delay() return 1000 end\n")
    background = subprocess.Popen(
        ["wrk", "-t1", "-c200", "-d12s", "--timeout", "20s", "-s", str(patient), bench.url + "/sale", "--", "clients"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(2)
    stuck = bench.wrk(bench.url + "/many", tokens=[token])
    memory = resident_megabytes(bench.gate.process)
    background.wait()
    time.sleep(0.2)
    start = time.monotonic()
    headers, body = bench.offer("/sale")
    fast = (time.monotonic() - start) * 1000
    bench.put("/_fault", {"create": ""})
    start = time.monotonic()
    wait_for("recovery", lambda: bench.offer("/sale")[1].get("invoice"), 30)
    print(f"200 challenges stuck at LNbits: known tokens {idle['rate']:,.0f} -> {stuck['rate']:,.0f} req/s, "
          f"p99 {idle['p99']:.2f} -> {stuck['p99']:.2f} ms, {memory:.1f} MB; then a 503 ({body.get('code')}) takes {fast:.0f} ms, "
          f"and selling begins {time.monotonic() - start:.1f} s after LNbits is back")


with tempfile.TemporaryDirectory(prefix="l402-bench-http-", dir=os.environ.get("BENCH_DIR", "/dev/shm")) as directory:
    os.chmod(directory, 0o755)
    main(pathlib.Path(directory))
