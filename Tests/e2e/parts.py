"""The real parts that the end-to-end tests put together: gate, nginx, backend, wallet."""
import copy
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("L402_TEST_BIN") or ROOT / ".build" / "debug")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def resident_megabytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def stop(process, how=signal.SIGTERM):
    if process and process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Wallet:
    """Two wallets of a real LNbits: the merchant's, and the payer's that pays."""

    def __init__(self, wallets):
        self.url = wallets["url"]
        self.key = wallets["merchant"]["inkey"]
        self.admin_key = wallets["merchant"]["adminkey"]
        self.payer_key = wallets["payer"]["adminkey"]
        self.payer_read_key = wallets["payer"]["inkey"]

    def call(self, method, path, key, body=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"X-Api-Key": key, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def pay(self, invoice, key=None):
        """Pays and gives the preimage."""
        paid = self.call("POST", "/api/v1/payments", key or self.payer_key, {"out": True, "bolt11": invoice})
        return paid["preimage"]

    def of_another_shop(self):
        """The same LNbits, with a merchant who has sold nothing yet."""
        request = urllib.request.Request(
            self.url + "/api/v1/account", data=b'{"name": "another"}', headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            keys = json.load(answer)
        another = copy.copy(self)
        another.key, another.admin_key = keys["inkey"], keys["adminkey"]
        return another

    def invoice(self, sats, key=None, extra=None):
        return self.call("POST", "/api/v1/payments", key or self.key,
                         {"out": False, "amount": sats, "memo": "other", "extra": extra or {}})


class Gate:
    """One gate process. Several may share a directory."""

    def __init__(self, directory, environment, rules=None, name="gate"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.rules = self.directory / "rules"
        if rules is not None:
            self.rules.write_text(rules)
        self.socket = self.directory / f"{name}.sock"
        self.log_path = self.directory / f"{name}.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "L402_RULES": str(self.rules),
            "L402_STATE_DIR": str(self.directory / "state"),
            "L402_LISTEN": f"unix:{self.socket}",
            "L402_LOG": "debug",
            **environment,
        }
        self.process = None

    def start(self, ready=True, stdin=subprocess.DEVNULL):
        before = self.log.count("ready:")
        self.process = subprocess.Popen(
            [BIN / "l402-fcgi"], env=self.environment, stdin=stdin,
            stderr=open(self.log_path, "ab"))
        if ready:
            wait_for("the gate", lambda: self.log.count("ready:") > before or self.process.poll() is not None)
            assert self.process.poll() is None, self.log
        return self

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self, how=signal.SIGTERM):
        stop(self.process, how)


class Nginx:
    """nginx with the shipped snippet, in a directory of its own."""

    def __init__(self, directory, gate_socket, backend_port, server="", http=""):
        self.directory = pathlib.Path(directory) / "nginx"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.directory.mkdir(parents=True, exist_ok=True)
        shutil.copytree(ROOT / "nginx" / "l402", self.directory / "l402", dirs_exist_ok=True)
        files = pathlib.Path(directory) / "files"
        (files / "articles").mkdir(parents=True, exist_ok=True)
        (files / "articles" / "first.html").write_text("<h1>paid article</h1>\n")
        for folder in (pathlib.Path(directory), *files.rglob("*")):
            folder.chmod(0o755)
        site = (ROOT / "nginx" / "example-site.conf").read_text()
        site = site.replace("127.0.0.1:8402", f"127.0.0.1:{self.port}")
        site = site.replace("127.0.0.1:8403", f"127.0.0.1:{backend_port}")
        site = site.replace("/srv/l402-files/", f"{files}/")
        site = site.replace("unix:/run/l402/l402.sock", f"unix:{gate_socket}")
        site = site.replace("set $l402_gate l402;", "set $l402_gate l402;\n" + server)
        (self.directory / "site.conf").write_text(site)
        temp = "".join(f"{kind}_temp_path {self.directory}/{kind};" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.directory / "nginx.conf").write_text(
            f"daemon off; pid {self.directory}/pid; error_log {self.directory}/error.log info;"
            f"worker_processes 2; events {{ worker_connections 2048; }}"
            f"http {{ access_log off; {temp} {http} include site.conf; }}")
        self.process = None

    def start(self):
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [program, "-p", self.directory, "-c", self.directory / "nginx.conf", "-e", self.directory / "error.log"],
            stderr=open(self.directory / "stderr.log", "ab"))

        def answers():
            if self.process.poll() is not None:
                raise AssertionError((self.directory / "stderr.log").read_text())
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for("nginx", answers)
        return self

    def stop(self):
        stop(self.process)


def several_gates(site, count):
    """So many gates over one state directory behind the nginx of a site that was not started, as the
    comment of the shipped example has it: "max_fails=0", and the next gate is asked."""
    gates = [Gate(site.gate.directory, site.gate.environment | {"L402_LISTEN": f"unix:{site.gate.directory}/{number}.sock"},
                  name=str(number)).start() for number in range(count)]
    lines = "".join(f"server unix:{gate.socket} max_fails=0;" for gate in gates)
    shipped = site.nginx.directory / "site.conf"
    text, changed = re.subn(r"server unix:\S+ max_fails=0;(?=\n    keepalive)", lines, shipped.read_text())
    assert changed == 1
    shipped.write_text(text)
    site.nginx.stop()
    site.nginx.start()
    return gates


class FastCGI:
    """A FastCGI client: one connection to a gate, record by record."""

    RESPONDER, AUTHORIZER = 1, 2

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(20)
        self.socket.connect(address)

    @staticmethod
    def record(kind, content=b""):
        return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content

    @classmethod
    def head(cls, parameters, role=RESPONDER, keep=False):
        pairs = b""
        for name, value in parameters.items():
            name, value = name.encode(), value.encode()
            pairs += struct.pack(">II", len(name) | 1 << 31, len(value) | 1 << 31) + name + value
        return (cls.record(1, struct.pack(">HB5x", role, keep)) + cls.record(4, pairs) + cls.record(4))

    def ask(self, path, role=RESPONDER, keep=False, body=b"", **parameters):
        """The status and the head of the answer; ends the request's body unless it is an authorizer."""
        query = {"REQUEST_METHOD": "GET", "REQUEST_URI": path, "REMOTE_ADDR": "127.0.0.1", **parameters}
        data = self.head(query, role, keep)
        if role == self.RESPONDER:
            data += (self.record(5, body) if body else b"") + self.record(5)
        self.socket.sendall(data)
        return self.answer()

    def answer(self):
        output = b""
        while True:
            head = self.receive(8)
            if len(head) < 8:
                return None, output.decode()
            _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", head)
            content = self.receive(length)
            self.receive(padding)
            if kind == 6:
                output += content
            if kind == 3:
                text = output.decode()
                return int(text.split()[1]) if text.startswith("Status:") else 200, text

    def receive(self, count):
        data = b""
        while len(data) < count and (part := self.socket.recv(count - len(data))):
            data += part
        return data

    def close(self):
        self.socket.close()


def raw_request(port, target, method="GET", headers=()):
    """Sends a request target exactly as given; the status and the body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        lines = [f"{method} ".encode() + target + b" HTTP/1.1", b"Host: site.test", b"Connection: close",
                 *[header.encode() for header in headers]]
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body, head
