"""The log: whatever becomes of standard error, requests go on, and nothing secret is told."""
import os
import pty
import re
import socket
import subprocess

import pytest
from parts import BIN, FastCGI, Gate, wait_for

KEY = "0123456789abcdef0123456789abcdef"
RULES = "GET /free free serve=demo\n"


def unread_pipe():
    return os.pipe()


def unread_socket():
    return tuple(end.detach() for end in socket.socketpair())


def unread_terminal():
    return pty.openpty()


def full_disk():
    return None, os.open("/dev/full", os.O_WRONLY)


def start(gate, standard_error, **options):
    gate.process = subprocess.Popen([BIN / "l402-fcgi"], env=gate.environment, stdin=subprocess.DEVNULL,
                                    stderr=standard_error, **options)
    wait_for("the gate", gate.socket.exists)
    return gate


def lost(gate):
    text = FastCGI(str(gate.socket)).ask("/.l402/metrics")[1]
    return int(float(re.search(r"^l402_log_lines_lost_total (\S+)", text, re.M)[1]))


@pytest.fixture
def gate(tmp_path, wallet):
    made = Gate(tmp_path, {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key}, RULES)
    yield made
    made.stop()


@pytest.mark.parametrize("make", [unread_pipe, unread_socket, unread_terminal, full_disk])
@pytest.mark.parametrize("user", [None, 33])
def test_a_log_that_nobody_takes_stops_no_request(gate, make, user, tmp_path):
    """As another user the pipe cannot be opened once more, and a thread stands between."""
    if user and os.geteuid() != 0:
        pytest.skip("only root starts it as another user")
    reader, writer = make()
    options = {"user": user, "group": user} if user else {}
    if user:
        for folder in (tmp_path, *tmp_path.parents):
            if str(folder).startswith("/tmp/") and len(folder.parts) > 2:
                folder.chmod(folder.stat().st_mode | 0o011)
        os.chown(tmp_path, user, user)
    start(gate, writer, **options)
    os.close(writer)
    connection = FastCGI(str(gate.socket))
    for _ in range(3000):
        assert connection.ask("/free", keep=True)[0] == 200
    if reader is None:
        assert lost(gate) > 2000
    else:
        assert lost(gate) > 500
        wait_for("room", lambda: b"lines were lost: nobody read standard error" in drained(reader, gate))
        os.close(reader)
        assert FastCGI(str(gate.socket)).ask("/free")[0] == 200
    gate.stop()
    assert gate.process.returncode == 0


def drained(reader, gate):
    """What has been written meanwhile, one more request's lines among it."""
    os.set_blocking(reader, False)
    FastCGI(str(gate.socket)).ask("/free")
    text = b""
    try:
        while part := os.read(reader, 65536):
            text += part
    except BlockingIOError:
        pass
    return text


def test_the_descriptor_of_others_stays_blocking(gate):
    reader, writer = os.pipe()
    start(gate, writer)
    assert FastCGI(str(gate.socket)).ask("/free")[0] == 200
    assert os.get_blocking(writer)
    os.close(reader)
    assert FastCGI(str(gate.socket)).ask("/free")[0] == 200, "nobody reads it any more"
    os.close(writer)


@pytest.mark.parametrize("program,arguments", [("l402-fcgi", ()), ("l402", ("keys", "rotate"))])
def test_started_without_standard_descriptors_no_file_of_the_state_becomes_one(gate, program, arguments):
    closing = subprocess.Popen(
        ["sh", "-c", 'exec 0<&- 1>&- 2>&-; exec "$@"', "sh", BIN / program, *arguments], env=gate.environment)
    if not arguments:
        gate.process = closing
        wait_for("the gate", gate.socket.exists)
        assert FastCGI(str(gate.socket)).ask("/free")[0] == 200
        links = {number: os.readlink(f"/proc/{closing.pid}/fd/{number}") for number in range(3)}
        assert set(links.values()) == {"/dev/null"}, links
        gate.stop()
    closing.wait(15)
    assert closing.returncode == 0
    for path in (gate.directory / "state").rglob("*"):
        told = path.read_bytes() if path.is_file() else b""
        assert not any(words in told for words in (b"ready:", b" info ", b"signs from now on")), path


SLIPS = [
    ("LNBITS_URL=http://127.0.0.1:9 LNBITS_KEY=%s\n", {}),
    ("LNBITS_URL=http://user:hunter22@127.0.0.1:9 # mine\nLNBITS_KEY=%s\n", {}),
    ("LNBITS_URL=%s\nLNBITS_KEY=http://127.0.0.1:9\n", {}),
    ("LNBITS_URL=http://127.0.0.1:9\nLNBITS_KEY_FILE=%s\n", {}),
    ("LNBITS_KEY:%s\n", {}),
    ("%s=x\n%s=x\n", {}),
    ("LNBITS_URL=http://127.0.0.1:9\nLNBITS_KEY=%s x\n", {}),
    ("LNBITS_URL=http://127.0.0.1:9\nLNBITS_KEY=%s\nL402_STATE_DIR=/tmp/x L402_REPORT_KEY=hunter22\n", {}),
    ("LNBITS_URL=http://127.0.0.1:9\nLNBITS_KEY=%s\nL402_LOG=%s\n", {}),
    # The settings in the place of the rules.
    ("LNBITS_URL=http://127.0.0.1:9\nLNBITS_KEY=%s\n", {"L402_RULES": "env"}),
    # The key in the place of the rules, of the settings, and as an argument.
    ("LNBITS_URL=http://127.0.0.1:9\nLNBITS_KEY=%s\n", {"L402_RULES": "key"}),
    ("%s\n", {}),
]


@pytest.mark.parametrize("text,more", SLIPS)
def test_a_slip_in_the_settings_tells_no_secret(tmp_path, text, more):
    (tmp_path / "env").write_text(text.replace("%s", KEY))
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "rules").write_text(RULES)
    environment = {"L402_ENV_FILE": str(tmp_path / "env"), "L402_RULES": str(tmp_path / "rules"),
                   "L402_STATE_DIR": str(tmp_path / "state"), "L402_LISTEN": f"unix:{tmp_path}/s"}
    environment |= {name: str(tmp_path / value) for name, value in more.items()}
    if "L402_STATE_DIR" in text:
        del environment["L402_STATE_DIR"]
    for command in ([BIN / "l402-fcgi"], [BIN / "l402", "check"], [BIN / "l402", "explain", "GET", "/x"]):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20)
        told = done.stdout + done.stderr
        assert KEY not in told and "hunter22" not in told
        if command[0].name == "l402-fcgi":
            assert done.returncode == 1 and told.strip()


def test_an_argument_that_is_a_key_is_not_told():
    done = subprocess.run([BIN / "l402-fcgi", f"LNBITS_KEY={KEY}"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and KEY not in done.stderr


def test_the_log_tells_no_password_of_an_address(tmp_path, wallet):
    url = wallet.url.replace("://", "://user:hunter22@")
    gate = Gate(tmp_path, {"LNBITS_URL": url, "LNBITS_KEY": wallet.key}, "GET /x price=3 serve=demo\n").start()
    try:
        FastCGI(str(gate.socket)).ask("/x")
    finally:
        gate.stop()
    assert "LNbits answers at http://127.0.0.1" in gate.log and "hunter22" not in gate.log
