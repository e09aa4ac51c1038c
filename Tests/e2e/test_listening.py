"""How the gate is reached: sockets of every kind, roles, kept, broken and half-sent connections."""
import os
import random
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests
from parts import BIN, FastCGI, Gate, free_port, resident_megabytes, wait_for

RULES = "GET /x price=5 serve=demo\n* /free/** free serve=demo\nGET /some price=5 free=2/day serve=demo\n"


@pytest.fixture
def gate(tmp_path, wallet):
    made = []

    def make(start=True, **environment):
        gate = Gate(tmp_path / str(len(made)), {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key, **environment},
                    RULES)
        made.append(gate)
        return gate.start() if start else gate

    yield make
    for gate in made:
        gate.stop()


def test_on_a_tcp_port(gate):
    port = free_port()
    gate(L402_LISTEN=f"127.0.0.1:{port}")
    assert FastCGI(("127.0.0.1", port)).ask("/x")[0] == 402


def test_on_descriptor_0_as_spawners_pass_it(gate, tmp_path):
    path = str(tmp_path / "spawned.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        one = gate(start=False)
        del one.environment["L402_LISTEN"]
        one.start(stdin=listener)
        assert FastCGI(path).ask("/x")[0] == 402
        one.stop()
    assert one.process.returncode == 0
    assert os.path.exists(path), "the socket is the spawner's"


def test_on_the_descriptor_of_systemd(gate, tmp_path):
    """systemd-socket-activate is not on every machine; the protocol is two variables and descriptor 3."""
    path = str(tmp_path / "activated.sock")
    one = gate(start=False)
    del one.environment["L402_LISTEN"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        one.process = activate(one, listener)
        wait_for("the gate", lambda: "ready:" in one.log or one.process.poll() is not None)
        assert FastCGI(path).ask("/x")[0] == 402


def activate(one, listener):
    """Starts a gate as systemd does: the socket is descriptor 3."""
    os.set_inheritable(listener.fileno(), True)
    return subprocess.Popen(
        [sys.executable, "-c", "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ.update("
         "LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); os.execv(sys.argv[2], sys.argv[2:])",
         str(listener.fileno()), BIN / "l402-fcgi"],
        env=one.environment, stdin=subprocess.DEVNULL, stderr=open(one.log_path, "ab"),
        pass_fds=[listener.fileno()])


def test_a_restart_refuses_no_request(make_site):
    """The socket stays with systemd, here with the test, while gates come and go."""
    site = make_site("GET,POST /x free serve=demo", start=False, LNBITS_KEY="1234567890")
    one = site.gate
    path = one.environment.pop("L402_LISTEN").removeprefix("unix:")
    statuses, isOver = [], threading.Event()

    def ask(method):
        with requests.Session() as session:
            while not isOver.is_set():
                statuses.append(session.request(method, site.url + "/x", data=b"x" * 1000, timeout=30).status_code)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(1024)
        clients = [threading.Thread(target=ask, args=(method,)) for method in ("GET", "POST") * 4]
        for client in clients:
            client.start()
        for turn in range(1, 9):
            one.process = activate(one, listener)
            wait_for("the gate", lambda: one.log.count("ready:") == turn)
            before = len(statuses)
            wait_for("requests", lambda: len(statuses) > before + 50)
            one.stop()
        one.process = activate(one, listener)
        isOver.set()
        for client in clients:
            client.join()
    assert set(statuses) == {200}, [status for status in statuses if status != 200]


def test_the_key_from_a_file(gate, tmp_path, wallet):
    (tmp_path / "key").write_text(wallet.key + "\n")
    one = gate(start=False, LNBITS_KEY_FILE=str(tmp_path / "key"))
    del one.environment["LNBITS_KEY"]
    one.start()
    assert FastCGI(str(one.socket)).ask("/x")[0] == 402


def test_an_authorizer_with_a_content_length_does_not_wait_for_a_body(gate):
    path = str(gate().socket)
    for target, status in (("/x", 402), ("/free/y", 200)):
        asked, head = FastCGI(path).ask(target, role=FastCGI.AUTHORIZER, CONTENT_LENGTH="100000")
        assert asked == status, head


def test_an_authorizer_hands_on_what_was_sold(gate, wallet):
    path = str(gate().socket)
    status, head = FastCGI(path).ask("/some", role=FastCGI.AUTHORIZER)
    assert status == 200 and "Variable-L402_ACCESS: free" in head and "Variable-L402_FREE_LEFT: 1" in head


def test_many_requests_on_one_kept_connection(gate):
    connection = FastCGI(str(gate().socket))
    for number in range(50):
        assert connection.ask(f"/free/{number}", keep=True)[0] == 200
    assert connection.ask("/x", keep=False)[0] == 402
    assert connection.receive(1) == b"", "a connection that is not kept is closed"


@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 64, b"\xff" * 64, b"\1", FastCGI.record(1, b""),
    FastCGI.record(4, b"\xff\xff\xff\xff\xff\xff\xff\xff"), FastCGI.record(9, b""), FastCGI.record(200, b"x" * 1000),
    FastCGI.record(1, b"\0\1\0\0\0\0\0\0") + FastCGI.record(4, b"\x7f\x7fshort") + FastCGI.record(4),
    FastCGI.record(1, b"\0\1\0\0\0\0\0\0") + FastCGI.record(4, b"\xff\xff\xff\xff\x01NV") + FastCGI.record(4),
    FastCGI.record(1, b"\0\7\0\0\0\0\0\0") + FastCGI.record(4) + FastCGI.record(5),
    FastCGI.record(1, b"\0\1\0\0\0\0\0\0") + FastCGI.record(4) + FastCGI.record(5),
    os.urandom(5000),
])
def test_garbage_ends_its_connection_and_nothing_else(gate, garbage):
    one = gate()
    for hang_up in (False, True):
        connection = FastCGI(str(one.socket))
        connection.socket.sendall(garbage)
        if hang_up:
            connection.close()
        else:
            connection.socket.shutdown(socket.SHUT_WR)
            try:
                connection.receive(100_000)
            except ConnectionError:
                pass
    assert FastCGI(str(one.socket)).ask("/free/x")[0] == 200
    assert one.process.poll() is None


def mutated(stream, random):
    """A stream of records with bytes changed, put in, left out, repeated and cut off."""
    stream = bytearray(stream)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at, what = random.randrange(len(stream) + 1), random.randrange(6)
        # Most of what libfcgi decides by stands in the heads of records.
        at = random.choice((at, at // 8 * 8, at // 8 * 8 + 5)) if what < 3 else at
        if what == 0:
            stream[at:at + 1] = bytes([random.randrange(256)])
        elif what == 1:
            stream[at:at + 1] = bytes([random.choice((0, 1, 0x7f, 0x80, 0xff))])
        elif what == 2:
            stream[at:at] = random.randbytes(random.choice((1, 8, 300)))
        elif what == 3:
            del stream[at:at + random.choice((1, 8, 100))]
        elif what == 4:
            stream[at:at] = stream[at:at + 64]
        else:
            del stream[at:]
        if not stream:
            break
    return bytes(stream)


def test_changed_records_neither_end_nor_fatten_the_gate(gate):
    """L402_TEST_RECORDS streams of a seed that the test names, from eight clients at once.

    No parameter of the gate's own is among them: each new set of those is a site, of which it keeps 64.
    """
    one = gate()
    count, seed = int(os.environ.get("L402_TEST_RECORDS", "4000")), random.randrange(1 << 32)
    token = "L402 " + "AgEEbDQwMgJCAAB" * 12
    whole = FastCGI.head({"REQUEST_METHOD": "POST", "REQUEST_URI": "/x?payment_hash=" + "ab" * 32, "CONTENT_LENGTH": "17",
                          "REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": token, "HTTP_COOKIE": "l402=" + token[5:],
                          "HTTP_HOST": "site.test"})
    whole += FastCGI.record(5, b'{"prompt": "hey"}') + FastCGI.record(5)
    free = FastCGI.head({"REQUEST_METHOD": "GET", "REQUEST_URI": "/free/x", "REMOTE_ADDR": "::1"}) + FastCGI.record(5)

    def send(number):
        dice = random.Random(seed * 8 + number)
        for _ in range(count // 8):
            connection = FastCGI(str(one.socket))
            try:
                connection.socket.sendall(mutated(dice.choice((whole, free, whole + free)), dice))
                connection.socket.shutdown(socket.SHUT_WR)
                while connection.socket.recv(65536):
                    pass
            except (ConnectionError, BrokenPipeError):
                pass
            connection.close()

    send(0)
    before = resident_megabytes(one.process)
    threads = [threading.Thread(target=send, args=(number,)) for number in range(1, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.process.poll() is None, f"seed {seed}: {one.log[-2000:]}"
    assert FastCGI(str(one.socket)).ask("/free/x")[0] == 200, seed
    assert resident_megabytes(one.process) < before + 8000 / 1024, seed


def half_sent(one, count):
    """So many connections with the beginning of a request, and the rest of each."""
    head = FastCGI.head({"REQUEST_METHOD": "GET", "REQUEST_URI": "/free/x", "REMOTE_ADDR": "127.0.0.1"})
    stuck = [FastCGI(str(one.socket)) for _ in range(count)]
    for connection in stuck:
        connection.socket.sendall(head[:30])
    return stuck, head[30:] + FastCGI.record(5)


def test_half_sent_requests_hold_no_more_than_the_workers_they_reached(gate):
    one = gate(L402_WORKERS="8")
    stuck, rest = half_sent(one, 7)
    assert FastCGI(str(one.socket)).ask("/free/x")[0] == 200
    for connection in stuck:
        connection.socket.sendall(rest)
        assert connection.answer()[0] == 200


def test_half_sent_requests_delay_nobody_for_long(gate):
    """With as many as there are workers, and many more: others step in for who waits."""
    one = gate(L402_WORKERS="2")
    stuck, rest = half_sent(one, 60)
    start = time.monotonic()
    for _ in range(20):
        assert FastCGI(str(one.socket)).ask("/free/x")[0] == 200
    assert time.monotonic() - start < 10, "nobody waits until the half ones are given up"
    for connection in stuck:
        connection.socket.sendall(rest)
    assert [connection.answer()[0] for connection in stuck] == [200] * len(stuck)


def test_silent_connections_hold_no_worker(gate):
    one = gate(L402_WORKERS="4")
    silent = [FastCGI(str(one.socket)) for _ in range(30)]
    kept = [FastCGI(str(one.socket)) for _ in range(100)]
    for connection in kept:
        assert connection.ask("/free/x", keep=True)[0] == 200
    for connection in kept:
        assert connection.ask("/free/y", keep=True)[0] == 200
    assert len(silent) == 30


def test_without_a_client_address_nothing_is_free_but_everything_can_be_bought(gate):
    path = str(gate().socket)
    for address in ("", "unix:", "not an address", "1.2.3.4.5", "::g"):
        assert FastCGI(path).ask("/some", REMOTE_ADDR=address)[0] == 402
    assert FastCGI(path).ask("/some")[0] == 200


def test_the_network_of_an_ipv6_client_is_one_client(gate):
    path = str(gate().socket)
    assert FastCGI(path).ask("/some", REMOTE_ADDR="2001:db8:1:2::1")[0] == 200
    assert FastCGI(path).ask("/some", REMOTE_ADDR="2001:db8:1:2:ffff::2")[0] == 200
    assert FastCGI(path).ask("/some", REMOTE_ADDR="2001:db8:1:2::3")[0] == 402
    assert FastCGI(path).ask("/some", REMOTE_ADDR="2001:db8:1:3::1")[0] == 200
    assert FastCGI(path).ask("/some", REMOTE_ADDR="::ffff:127.0.0.1")[0] == 200


def test_five_hundred_at_once(gate):
    one = gate()
    statuses = []

    def ask():
        connection = FastCGI(str(one.socket))
        statuses.append(connection.ask("/free/x")[0])
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(500)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 500, time.monotonic() - start
