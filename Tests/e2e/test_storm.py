"""Clients that hang up, backends that fail and gates that are killed, all at random, over one state directory.

L402_TEST_STORM=2000 buys so many times instead of a few; L402_TEST_SEED repeats a run's choices."""
import concurrent.futures
import http.server
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from parts import BIN, several_gates, stop

PURCHASES = int(os.environ.get("L402_TEST_STORM", "60"))
SEED = int(os.environ.get("L402_TEST_SEED", "0")) or random.randrange(1 << 32)
GOODS = b"goods " * 400
# What the backend does, and how often of a hundred times.
BACKEND = {"ok": 70, "fails": 10, "dies": 8, "half": 4, "slow": 8}
# When the client leaves.
CLIENT = {"stays": 70, "at once": 8, "soon": 12, "first bytes": 10}


class Backend(http.server.BaseHTTPRequestHandler):
    """Does what the last part of the path says."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        what = self.path.rsplit("/", 1)[1]
        if what == "slow":
            time.sleep(0.3)
        if what == "dies":
            self.close_connection = True
            return
        status, body = (503, b"broken") if what == "fails" else (200, GOODS)
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:100] if what == "half" else body)
        except OSError:
            pass
        if what == "half":
            self.close_connection = True

    def log_message(self, *arguments):
        pass


class Payment:
    """A purchase, and what its buyer knows to have got."""

    def __init__(self, site, path, uses):
        authorization, challenge = site.buy(path)
        self.authorization, self.hash, self.uses = authorization, challenge["payment_hash"], uses
        self.delivered = self.unsure = 0
        self.lock = threading.Lock()

    def count(self, delivered, unsure=0):
        with self.lock:
            self.delivered += delivered
            self.unsure += unsure


def ask(site, payment, path, leaves, random):
    """One request; whether goods came, and whether the client cannot know."""
    try:
        with socket.create_connection(("127.0.0.1", site.nginx.port), timeout=40) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n"
                               f"Authorization: {payment.authorization}\r\n\r\n".encode())
            if leaves == "at once":
                return 0, 1
            if leaves == "soon":
                connection.settimeout(random.random() * 0.3)
            got = b""
            try:
                while part := connection.recv(1000):
                    got += part
                    if leaves == "first bytes":
                        break
            except TimeoutError:
                pass
    except OSError:
        return 0, 1
    if not got:
        return 0, 1
    status = int(got.split()[1])
    assert status in (200, 402, 502, 503, 504), got[:300]
    # Bytes of the goods are out.
    return int(status == 200), 0


def used(gate, payment_hash):
    shown = subprocess.run([BIN / "l402", "payment", "show", payment_hash], capture_output=True, text=True,
                           env={"PATH": os.environ["PATH"], "L402_STATE_DIR": gate.environment["L402_STATE_DIR"]})
    found = re.search(r"^used\s+(\d+) of \d+", shown.stdout, re.M)
    assert found or shown.returncode == 1, shown
    return int(found[1]) if found else 0


@pytest.mark.parametrize("how", ["nginx hands over", "the gate hands over"])
def test_uses_taken_are_answers_delivered_whatever_fails(make_site, how):
    print("seed", SEED)
    chooser = random.Random(SEED)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    backend = f"http://127.0.0.1:{server.server_port}"
    serve = "@storm" if how.startswith("nginx") else backend
    site = make_site(f"GET /one/** price=1 uses=1 service=one serve={serve}\n"
                     f"GET /twenty/** price=3 uses=20 service=twenty serve={serve}\n", start=False,
                     server="location @storm { include l402/goods.conf; proxy_pass %s; }" % backend)
    gates = several_gates(site, 4)
    over = threading.Event()

    def kill():
        while not over.wait(0.7):
            gate = chooser.choice(gates)
            gate.stop(signal.SIGKILL)
            gate.start()

    def pick(choices, random):
        return random.choices(list(choices), choices.values())[0]

    def use(payment, folder, number, seed):
        mine = random.Random(seed)
        path = f"/{folder}/{payment.hash[:8]}/{number}/{pick(BACKEND, mine)}"
        payment.count(*ask(site, payment, path, pick(CLIENT, mine), mine))

    killer = threading.Thread(target=kill)
    try:
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            folders = ["one" if chooser.random() < 0.6 else "twenty" for _ in range(PURCHASES)]
            payments = list(pool.map(
                lambda folder: (folder, Payment(site, f"/{folder}/offer", 1 if folder == "one" else 20)), folders))
            killer.start()
            tries = [(payment, folder, number) for folder, payment in payments
                     for number in range(4 if folder == "one" else 24)]
            chooser.shuffle(tries)
            jobs = [pool.submit(use, *one, chooser.randrange(1 << 32)) for one in tries]
            for job in jobs:
                job.result()
        over.set()
        killer.join()
        # What is still on its way is over when nginx has told the gates.
        time.sleep(2)
        for folder, payment in payments:
            taken = used(site.gate, payment.hash)
            assert payment.delivered <= payment.uses, (folder, payment.hash, "more than was bought")
            assert payment.delivered <= taken <= min(payment.uses, payment.delivered + payment.unsure), (
                folder, payment.hash, taken, payment.delivered, payment.unsure)
            # None is lost: what is left can be had, and no more.
            for number in range(taken, payment.uses):
                came, _ = ask(site, payment, f"/{folder}/{payment.hash[:8]}/rest{number}/ok", "stays", chooser)
                assert came, (folder, payment.hash, number, taken)
            assert ask(site, payment, f"/{folder}/{payment.hash[:8]}/more/ok", "stays", chooser) == (0, 0)
    finally:
        over.set()
        for gate in gates:
            stop(gate.process, signal.SIGKILL)
        server.shutdown()
