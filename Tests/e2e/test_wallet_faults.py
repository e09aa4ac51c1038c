"""LNbits with a wrong key, down at the start, going down, coming back: no goods, no crash."""
import json
import os
import subprocess
import threading

import pytest
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


def test_down_at_start_then_up_then_down_then_up(make_site, tmp_path, wallet):
    own = OwnLNbits(tmp_path)
    own.start()
    wallets = json.loads((tmp_path / "wallets.json").read_text())
    own.stop()

    site = make_site("GET /x price=5 uses=3 serve=demo\nGET /free price=5 free=1/day serve=demo\n* /health free\n",
                     LNBITS_URL=wallets["url"], LNBITS_KEY=wallets["merchant"]["inkey"])
    assert "LNbits cannot be used: wallet_unreachable" in site.gate.log
    refused = site.get("/x")
    assert refused.status_code == 503
    assert refused.json()["code"] in ("wallet_unreachable", "wallet_busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in refused.headers
    assert site.get("/health").status_code == 204
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
