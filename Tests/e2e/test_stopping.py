"""Told to stop: at once for who comes, in time for who is there, also while it starts."""
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests
from parts import BIN, FastCGI, Gate, free_port, stop, wait_for

# A backend's answer that goes on as long as somebody reads it (a double: no real one is so patient).
ENDLESS = """
import http.server, sys, time
class Endless(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"x" * 100)
            self.wfile.flush()
            time.sleep(0.1)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Endless).serve_forever()
"""


@pytest.fixture
def endless():
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(port)], stderr=subprocess.DEVNULL)
    wait_for("the backend", lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
    yield f"http://127.0.0.1:{port}"
    stop(process, signal.SIGKILL)


def test_with_a_long_answer_under_way_newcomers_are_refused_and_the_place_is_free(make_site, endless):
    rules = f"GET /long free serve={endless}\nGET /free free serve=demo\n"
    site = make_site(rules, L402_STOP_TIMEOUT="4s")
    old = site.gate
    with requests.get(site.url + "/long", stream=True, timeout=30) as long:
        parts = long.iter_content(100)
        assert next(parts)
        # This connection of nginx's is kept, and still gets its answer.
        kept = FastCGI(str(old.socket))
        assert kept.ask("/free", keep=True)[0] == 200
        told = time.monotonic()
        old.process.send_signal(signal.SIGTERM)
        wait_for("the place", lambda: not old.socket.exists(), 1)
        with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
            FastCGI(str(old.socket))
        new = Gate(old.directory, {**old.environment}, name="gate")
        new.start()
        try:
            for _ in range(20):
                start = time.monotonic()
                assert site.get("/free").status_code == 200
                assert time.monotonic() - start < 1
            assert old.process.poll() is None, "it still answers who was there"
            assert kept.ask("/free", keep=True)[0] == 200
            assert next(parts)
            assert old.process.wait(15) == 0
            assert 3.5 < time.monotonic() - told < 9
            assert old.socket.exists(), "the socket is the new gate's by now"
            assert site.get("/free").status_code == 200
        finally:
            new.stop()
    assert "1 request was cut" in old.log
    assert not old.socket.exists()


def test_what_the_gate_itself_cuts_is_given_back(make_site, endless):
    site = make_site(f"GET /** price=1 uses=1 service=cut serve={endless}\n", L402_STOP_TIMEOUT="1s")
    authorization, _ = site.buy("/long")
    with requests.get(site.url + "/long", stream=True, timeout=30, headers={"Authorization": authorization}) as long:
        parts = long.iter_content(100)
        assert long.status_code == 200 and next(parts)
        site.gate.process.send_signal(signal.SIGTERM)
        assert site.gate.process.wait(15) == 0
    site.gate.start()
    with requests.get(site.url + "/long", stream=True, timeout=30, headers={"Authorization": authorization}) as again:
        assert again.status_code == 200


def test_on_a_tcp_port_newcomers_are_refused(make_site, endless):
    port = free_port()
    site = make_site(f"GET /long free serve={endless}\n", L402_LISTEN=f"127.0.0.1:{port}", L402_STOP_TIMEOUT="2s")
    connection = FastCGI(("127.0.0.1", port))
    connection.socket.sendall(FastCGI.head({"REQUEST_METHOD": "GET", "REQUEST_URI": "/long", "REMOTE_ADDR": "::1"})
                              + FastCGI.record(5))
    assert connection.receive(8)
    site.gate.process.send_signal(signal.SIGTERM)
    wait_for("refusal", lambda: socket.socket().connect_ex(("127.0.0.1", port)) != 0, 1)
    assert site.gate.process.poll() is None
    assert site.gate.process.wait(10) == 0


@pytest.fixture
def silent_wallet():
    """Accepts and never answers (a double: a real LNbits does not hang on demand)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def starting(tmp_path, url, *before):
    gate = Gate(tmp_path, {"LNBITS_URL": url, "LNBITS_KEY": "0123456789abcdef" * 2}, "* /** free serve=demo\n")
    gate.process = subprocess.Popen([*before, BIN / "l402-fcgi"], env=gate.environment, stdin=subprocess.DEVNULL,
                                    stderr=open(gate.log_path, "ab"))
    wait_for("the socket", gate.socket.exists)
    return gate


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_while_it_waits_for_the_wallet(tmp_path, silent_wallet, how):
    gate = starting(tmp_path, silent_wallet)
    start = time.monotonic()
    gate.process.send_signal(how)
    assert gate.process.wait(10) == 0
    assert time.monotonic() - start < 1
    assert not gate.socket.exists() and "during the start" in gate.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes process namespaces")
def test_told_to_stop_while_it_starts_as_process_1(tmp_path, silent_wallet):
    gate = starting(tmp_path, silent_wallet, "unshare", "--pid", "--fork", "--kill-child")
    child = subprocess.run(["pgrep", "-P", str(gate.process.pid)], capture_output=True, text=True).stdout
    os.kill(int(child), signal.SIGTERM)
    assert gate.process.wait(3) == 0


def test_a_request_under_way_is_finished(make_site):
    """The wallet's answer is waited for: who asked before the signal gets his invoice."""
    site = make_site("GET /x price=5 serve=demo\n")
    before = site.gate.log.count("/x 402")
    connections = [FastCGI(str(site.gate.socket)) for _ in range(6)]
    for connection in connections:
        connection.socket.sendall(
            FastCGI.head({"REQUEST_METHOD": "GET", "REQUEST_URI": "/x", "REMOTE_ADDR": "127.0.0.1"})
            + FastCGI.record(5))
    site.gate.process.send_signal(signal.SIGTERM)
    assert [connection.answer()[0] for connection in connections] == [402] * 6
    assert site.gate.process.wait(15) == 0
    assert site.gate.log.count("/x 402") == before + 6


@pytest.mark.parametrize("before,words", [
    ("ulimit -n 40", "only 40 files and connections may be open"),
    pytest.param("mount -t tmpfs none /proc", "/proc is not there", marks=pytest.mark.skipif(
        os.geteuid() != 0, reason="only root takes /proc away")),
])
def test_what_is_missing_around_it_is_told_and_the_gate_serves(tmp_path, before, words):
    gate = Gate(tmp_path, {"LNBITS_URL": "http://127.0.0.1:9", "LNBITS_KEY": "0123456789abcdef" * 2}, "* /** free serve=demo\n")
    away = ["unshare", "-m"] if "mount" in before else []
    gate.process = subprocess.Popen([*away, "sh", "-c", f'{before} && exec "$0"', BIN / "l402-fcgi"],
                                    env=gate.environment, stdin=subprocess.DEVNULL, stderr=open(gate.log_path, "ab"))
    wait_for("the gate", lambda: "ready:" in gate.log)
    assert words in gate.log
    assert FastCGI(str(gate.socket)).ask("/x")[0] == 200
    gate.stop()
    assert gate.process.returncode == 0
