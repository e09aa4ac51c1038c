"""Whom the gate believes: settings that come with requests, by the way that they come."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest
from parts import BIN, FastCGI, Gate, free_port, wait_for

RULES = "GET /x price=5 serve=demo\n* /free free serve=demo\n* /bare free\n"


class Stranger:
    """Somebody's server in the place of LNbits (a double), and what it was sent."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.received = b""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.settimeout(2)
            self.received += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            connection.close()


@pytest.fixture
def stranger():
    one = Stranger()
    yield one
    one.listener.close()


@pytest.fixture
def place():
    """A directory that only root and we can change, as /etc/l402 is."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="l402-trust-", dir="/var/lib" if os.geteuid() == 0 else None))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def ask(tmp_path, wallet):
    """Starts a gate and asks it one thing with some parameters."""
    gates = []

    def start(reach, **more):
        port = free_port()
        listen = {"unix": {}, "loopback": {"L402_LISTEN": f"127.0.0.1:{port}"},
                  "anywhere": {"L402_LISTEN": f"0.0.0.0:{port}", "L402_LISTEN_ANYWHERE": "on"}}[reach]
        gate = Gate(tmp_path / str(len(gates)), {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key, **listen, **more},
                    RULES).start()
        gates.append(gate)
        address = str(gate.socket) if reach == "unix" else ("127.0.0.1", port)
        return gate, lambda path="/x", **parameters: FastCGI(address).ask(path, **parameters)

    yield start
    for gate in gates:
        gate.stop()


@pytest.mark.parametrize("reach", ["unix", "loopback", "anywhere"])
def test_a_strangers_address_never_gets_our_key(ask, stranger, wallet, place, reach):
    gate, asked = ask(reach, LNBITS_KEY_shop=wallet.key)
    (place / "key").write_text(wallet.key)
    (place / "urls").write_text(f"LNBITS_URL={stranger.url}\n")
    tries = [{"LNBITS_URL": stranger.url}, {"LNBITS_URL_shop": stranger.url},
             {"L402_ENV_FILE": str(place / "urls")}]
    if reach != "unix":
        tries.append({"LNBITS_URL": stranger.url, "LNBITS_KEY_FILE": str(place / "key")})
    for parameters in tries:
        status, answer = asked(**parameters)
        assert status == 500 and '"misconfigured"' in answer, (parameters, answer)
    assert stranger.received == b""
    assert asked()[0] == 402, "its own requests go on"
    assert wallet.key not in gate.log
    assert "LNBITS_URL: comes with a request" in gate.log or reach == "anywhere"


def test_who_brings_his_own_wallet_is_served(ask, stranger):
    _, asked = ask("unix")
    assert asked(LNBITS_URL=stranger.url, LNBITS_KEY="a" * 32)[0] == 503
    assert b"a" * 32 in stranger.received


@pytest.mark.parametrize("reach", ["unix", "loopback", "anywhere"])
@pytest.mark.parametrize("name", ["L402_RULES", "L402_ENV_FILE", "LNBITS_KEY_FILE", "L402_STATE_DIR"])
def test_nothing_of_a_file_of_the_system_is_told_to_who_asks(ask, reach, name):
    gate, asked = ask(reach)
    for _ in range(30):
        status, answer = asked(**{name: "/etc/passwd"})
        assert "root:" not in answer and "daemon" not in answer and "/etc" not in answer
    if reach != "unix" or name != "L402_RULES":
        assert "root:x" not in gate.log
    kinds = [line for line in gate.log.splitlines() if "request parameters: " + name in line]
    assert len(kinds) <= 1, "once a minute"


def test_a_neighbours_rules_are_not_taken_from_a_port(ask, tmp_path, place):
    """Any program of the machine can connect: with rules of its own it would read the gate's files."""
    _, asked = ask("loopback")
    own = tmp_path / "neighbour"
    own.write_text("* /** free serve=file:/etc\n")
    own.chmod(0o666)
    for path in (own, tmp_path / "link"):
        if path != own:
            path.symlink_to(own)
        assert asked("/passwd", L402_RULES=str(path))[0] == 500
    assert asked("/passwd", L402_SERVE="file:/etc")[0] == 500
    fifo = place / "fifo"
    os.mkfifo(fifo)
    assert asked("/x", L402_ENV_FILE=str(fifo))[0] == 500
    # What root put where only root writes is a site of its own.
    if os.geteuid() == 0:
        (place / "rules").write_text("GET /other price=77 serve=demo\n")
        assert asked("/other", L402_RULES=str(place / "rules"))[0] == 402


def test_through_a_port_that_others_reach_nothing_is_set(ask):
    gate, asked = ask("anywhere")
    for name, value in {"L402_DRY_RUN": "on", "L402_SERVE": "file:/etc", "L402_STATE_DIR": "/tmp/x"}.items():
        assert asked(**{name: value})[0] == 500
    assert asked(L402_MODE="respond", L402_ENV_FILE="")[0] == 402
    assert "is trusted as your web server is" in gate.log


@pytest.mark.parametrize("address", ["0.0.0.0", "[::]", "localhost4.localdomain.invalid", "192.0.2.1"])
def test_an_address_that_is_not_loopback_stops_the_start(tmp_path, wallet, address):
    gate = Gate(tmp_path, {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key,
                           "L402_LISTEN": f"{address}:{free_port()}"}, RULES).start(ready=False)
    assert gate.process.wait(20) == 1
    assert "L402_LISTEN: " in gate.log and ("L402_LISTEN_ANYWHERE=on" in gate.log or "invalid" in address)


def test_an_inherited_port_that_others_reach_stops_the_start(tmp_path, wallet):
    gate = Gate(tmp_path, {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key}, RULES)
    del gate.environment["L402_LISTEN"]
    with socket.create_server(("0.0.0.0", 0)) as listener:
        gate.start(ready=False, stdin=listener)
        assert gate.process.wait(20) == 1
        gate.environment["L402_LISTEN_ANYWHERE"] = "on"
        gate.start(stdin=listener)
        assert FastCGI(("127.0.0.1", listener.getsockname()[1])).ask("/x")[0] == 402
        gate.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can name its hosts otherwise")
def test_a_name_with_two_addresses_is_listened_on_at_both(tmp_path):
    port = free_port()
    gate = Gate(tmp_path, {"LNBITS_URL": "http://127.0.0.1:1", "LNBITS_KEY": "0123456789abcdef" * 2,
                           "L402_LISTEN": f"localhost:{port}"}, RULES)
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n127.0.0.1 localhost\n::1 localhost\n")
    gate.process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", f"mount --bind {tmp_path}/hosts /etc/hosts && exec {BIN}/l402-fcgi"],
        env=gate.environment, stdin=subprocess.DEVNULL, stderr=open(gate.log_path, "ab"))
    wait_for("the gate", lambda: "ready:" in gate.log)
    try:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), 2).close()
        assert f"127.0.0.1:{port}" in gate.log and f"[::1]:{port}" in gate.log
    finally:
        gate.stop()
