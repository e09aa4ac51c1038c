"""LNbits with a wrong key, down at the start, going down, coming back: no goods, no crash."""
import http.server
import json
import os
import socket
import subprocess
import threading
import time

import pytest
import requests
from conftest import lnbits
from parts import ROOT, free_port, stop, wait_for


class OwnLNbits:
    """A real LNbits that a test may stop and start."""

    def __init__(self, directory):
        self.directory, self.port, self.process = directory, free_port(), None

    def start(self):
        self.process = subprocess.Popen([os.environ["L402_TEST_LNBITS_PYTHON"],
                                         ROOT / "nginx/lib/start_lnbits.py", self.directory, str(self.port), "1000000"])
        wait_for("LNbits", lambda: (self.directory / "wallets.json").exists(), 90)

    def stop(self):
        stop(self.process)


class Relay:
    """Hands requests on to LNbits."""

    def __init__(self, port, url):
        class Handler(http.server.BaseHTTPRequestHandler):
            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = requests.request(self.command, url + self.path, data=body, timeout=20, headers={
                    name: value for name, value in self.headers.items() if name in ("X-Api-Key", "Content-Type")})
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def test_down_at_start_then_up_then_down_then_up(make_site, tmp_path, wallet):
    own = OwnLNbits(tmp_path)
    own.start()
    wallets = json.loads((tmp_path / "wallets.json").read_text())
    own.stop()

    site = make_site("GET /x price=5 uses=3 serve=demo\nGET /free price=5 free=1/day serve=demo\n* /health free serve=demo\n",
                     LNBITS_URL=wallets["url"], LNBITS_KEY=wallets["merchant"]["inkey"])
    assert "LNbits cannot be used: wallet_unreachable" in site.gate.log
    refused = site.get("/x")
    assert refused.status_code == 503
    assert refused.json()["code"] in ("wallet_unreachable", "wallet_busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in refused.headers
    assert site.get("/health").status_code == 200
    assert site.get("/free").status_code == 200, "what needs no wallet works"

    own.start()
    wait_for("recovery without restart", lambda: site.get("/x").status_code == 402, 20)
    site.wallet = type(wallet)(wallets)
    authorization, _ = site.buy("/x")
    unredeemed, _ = site.buy("/x")
    assert site.get("/x", headers={"Authorization": authorization}).status_code == 200

    own.stop()
    assert site.get("/x", headers={"Authorization": authorization}).status_code == 200, "a known payment keeps working"
    answer = site.get("/x", headers={"Authorization": unredeemed})
    assert answer.status_code == 503 and "result" not in answer.text
    assert site.get("/x").status_code == 503

    own.start()
    wait_for("recovery", lambda: site.get("/x", headers={"Authorization": unredeemed}).status_code == 200, 20)
    own.stop()


def test_a_wrong_key(make_site):
    site = make_site("GET /x price=5 serve=demo\n", LNBITS_KEY="f" * 32)
    assert "LNBITS_KEY: LNbits does not know this key" in site.gate.log
    answer = site.get("/x")
    assert answer.status_code == 503 and answer.json()["code"] == "wallet_key_refused"


def test_an_admin_key_of_any_wallet_stops_the_start(make_site, wallet):
    site = make_site("GET /x price=5 serve=demo wallet=shop\n", start=False,
                     LNBITS_KEY_shop=wallet.admin_key, LNBITS_KEY_other="f" * 32)
    site.gate.start(ready=False)
    assert site.gate.process.wait(20) == 1
    assert "LNBITS_KEY_shop: this is the wallet's admin key" in site.gate.log
    assert "LNBITS_KEY_other: LNbits does not know this key" in site.gate.log
    assert wallet.admin_key not in site.gate.log and "f" * 32 not in site.gate.log


def test_an_admin_key_sells_nothing_either_when_lnbits_was_down_at_the_start(make_site, wallet):
    port = free_port()
    site = make_site("GET /x price=5 serve=demo\n", LNBITS_URL=f"http://127.0.0.1:{port}", LNBITS_KEY=wallet.admin_key)
    relay = Relay(port, wallet.url)
    try:
        # Until then the breaker is open, or the relay not yet there.
        wait_for("the key to be refused", lambda: site.get("/x").json()["code"] == "wallet_key_refused")
        assert "LNBITS_KEY: this is the wallet's admin key" in site.gate.log
    finally:
        relay.stop()


def test_wallets_that_hang_hold_the_start_no_longer_than_one(make_site):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        keys = {f"LNBITS_KEY_w{n}": f"{n:032x}" for n in range(1, 8)}
        start = time.monotonic()
        site = make_site("* /free free\n", LNBITS_URL=url, LNBITS_KEY="0" * 32, **keys)
        assert time.monotonic() - start < 8
        assert "LNBITS_KEY_w7: LNbits cannot be used" in site.gate.log


def test_a_password_in_the_address_is_not_shown(make_site, wallet):
    url = wallet.url.replace("//", "//someone:pass-word@")
    site = make_site("GET /x price=5 serve=demo\n", LNBITS_URL=url)
    assert site.get("/x").status_code == 402
    assert f"LNbits answers at {wallet.url}" in site.gate.log
    assert "pass-word" not in site.gate.log


def test_a_hosted_wallet_that_sets_the_life_of_its_invoices_itself(make_site, tmp_path):
    port = free_port()
    double = subprocess.Popen([os.environ["L402_TEST_LNBITS_PYTHON"],
                               ROOT / "Tests/doubles/hosted_wallet_double.py", str(port)])
    try:
        wait_for("the double", lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        with lnbits(tmp_path / "lnbits", LNBITS_BACKEND_WALLET_CLASS="AlbyWallet", ALBY_ACCESS_TOKEN="none",
                    ALBY_API_ENDPOINT=f"http://127.0.0.1:{port}/") as hosted:
            site = make_site("GET /x price=5 uses=2 serve=demo\n", LNBITS_URL=hosted.url, LNBITS_KEY=hosted.key)
            site.wallet = hosted
            for life, seconds in ((0, 3600), (86_400, 86_400), (60, 60)):
                requests.put(f"http://127.0.0.1:{port}/_life", data=str(life), timeout=5)
                authorization, body = site.buy("/x")
                assert abs(body["invoice_expires_at"] - time.time() - seconds) < 5
                assert site.get("/x", headers={"Authorization": authorization}).status_code == 200
            for life in (30, 691_200):
                requests.put(f"http://127.0.0.1:{port}/_life", data=str(life), timeout=5)
                answer = site.get("/x")
                assert answer.status_code == 503 and f"gives its invoice {life} seconds" in site.gate.log
    finally:
        stop(double)


def test_a_changed_key_gives_no_goods_for_a_paid_hash(make_site):
    site = make_site("GET /x price=5 serve=demo\n")
    authorization, body = site.buy("/x")
    wrong = make_site("GET /x price=5 serve=demo\n", directory=site.gate.directory / "second",
                      L402_STATE_DIR=str(site.gate.directory / "state"), LNBITS_KEY="f" * 32)
    for proof in (authorization, f"L402 {body['payment_hash']}"):
        answer = wrong.get("/x", headers={"Authorization": proof})
        assert answer.status_code == 503 and answer.json()["code"] == "wallet_key_refused"
    assert site.get("/x", headers={"Authorization": authorization}).status_code == 200


def test_one_use_among_many_simultaneous_tries_in_several_processes(make_site):
    first = make_site("GET /x price=5 serve=demo\nGET /ten price=5 uses=10 serve=demo\n"
                      "GET /free price=5 free=7/day serve=demo\n")
    state = str(first.gate.directory / "state")
    sites = [first] + [make_site(None, directory=first.gate.directory / f"more{n}", L402_STATE_DIR=state,
                                 L402_RULES=str(first.gate.rules)) for n in range(3)]
    cases = {"/x": 1, "/ten": 10}
    for path, expected in cases.items():
        authorization, _ = first.buy(path)
        statuses = []

        def run(site, path=path, authorization=authorization, statuses=statuses):
            for _ in range(4):
                statuses.append(site.get(path, headers={"Authorization": authorization}).status_code)

        threads = [threading.Thread(target=run, args=(site,)) for site in sites for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses.count(200) == expected, (path, statuses)
    statuses = [site.get("/free").status_code for site in sites for _ in range(4)]
    assert statuses.count(200) == 7


def test_a_full_disk_gives_nothing_away_and_recovers(make_site, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() != 0 or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("may not mount a tmpfs here")
    try:
        site = make_site("GET /x price=5 uses=3 serve=demo\nGET /free price=5 free=9/day serve=demo\n",
                         L402_STATE_DIR=str(small))
        authorization, _ = site.buy("/x")
        known, _ = site.buy("/x")
        assert site.get("/x", headers={"Authorization": known}).status_code == 200
        with open(small / "filler", "wb", buffering=0) as filler:
            with pytest.raises(OSError):
                while True:
                    filler.write(b"x" * 4096)
        answer = site.get("/x", headers={"Authorization": authorization})
        assert answer.status_code == 503 and answer.json()["code"] == "state_unavailable"
        assert site.get("/free").status_code == 503
        (small / "filler").unlink()
        assert site.get("/x", headers={"Authorization": authorization}).status_code == 200
        assert site.get("/free").status_code == 200
        site.gate.stop()
    finally:
        subprocess.run(["umount", "-l", small], check=True)
