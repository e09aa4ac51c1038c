"""The rules file under a running gate: written by others, checked before, and what the operator is told."""
import os
import signal
import subprocess
import time

import pytest
from parts import BIN, Gate, wait_for


def l402(*arguments, **environment):
    return subprocess.run([BIN / "l402", *map(str, arguments)], capture_output=True, text=True, env=environment)


def check(tmp_path, text, *arguments, **environment):
    file = tmp_path / "rules"
    file.write_text(text)
    return l402("check", file, *arguments, **environment)


def price(site, path="/x"):
    return site.get(path).json().get("price_sats")


def test_warnings_are_told_apart_from_errors(tmp_path):
    done = check(tmp_path, "GET /one price=10 service=s serve=demo\nGET /bulk price=10 uses=100 service=s serve=demo\n")
    assert done.returncode == 0
    assert done.stderr.startswith(f"l402: warning: {tmp_path}/rules:2:") and done.stderr.count("\n") == 1
    assert done.stdout == f"{tmp_path}/rules: 2 rules, no errors, 1 warning\n"
    done = check(tmp_path, "GET /one prize=10\n")
    assert done.returncode == 1 and "warning:" not in done.stderr and done.stdout == ""


def test_good_rules_say_one_line(tmp_path):
    done = check(tmp_path, "GET /low price=1 service=t serve=demo\nGET /high price=10 tier=1 service=t serve=demo\n")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.count("\n") == 1


def test_an_edit_that_ends_passes_is_told_before(tmp_path):
    old = tmp_path / "old"
    old.write_text("# what is sold\nGET /news/** price=50 unlimited valid=1d serve=demo\n")
    done = check(tmp_path, "GET,POST /news/** price=50 unlimited valid=1d serve=demo\n", "--against", old)
    assert done.returncode == 0
    assert f'warning: {old}:2: service "get-news-' in done.stderr and "is no longer sold" in done.stderr
    assert check(tmp_path, old.read_text(), "--against", old).stderr == ""


def test_an_unended_file_a_missing_wallet_and_an_unnamed_site_are_told(tmp_path):
    assert "its last line is not ended" in check(tmp_path, "GET /x price=1 serve=demo").stderr
    rules = "GET /x price=1 wallet=shop serve=demo\n"
    assert check(tmp_path, rules).returncode == 0
    done = check(tmp_path, rules, LNBITS_URL="http://127.0.0.1:9")
    assert done.returncode == 1 and 'rules:1:23: wallet "shop" has no key: set LNBITS_KEY_shop' in done.stderr
    assert check(tmp_path, rules, LNBITS_URL="http://127.0.0.1:9", LNBITS_KEY_SHOP="x").returncode == 0
    settings = tmp_path / "env"
    settings.write_text("L402_SERVE=demo\n")
    done = check(tmp_path, "GET /x price=1\n", L402_ENV_FILE=str(settings))
    assert done.returncode == 0 and done.stderr.startswith("l402: note: L402_SITE is not set")
    settings.write_text("L402_SERVE=demo\nL402_SITE=shop\n")
    assert check(tmp_path, "GET /x price=1\n", L402_ENV_FILE=str(settings)).stderr == ""


@pytest.mark.parametrize("line", ["LNBITS_KEY=K", "LNBITS_KEY = K", "export LNBITS_KEY=K", "a K 1700000000", "K"])
def test_a_settings_or_key_file_is_refused_without_its_values(tmp_path, line):
    key = "3f2a9c81d47be605913ac7d8e0f14b26"
    text = line.replace("=K", "=" + key).replace(" K", " " + key).replace("K", key if line == "K" else "K")
    done = check(tmp_path, text + "\n")
    assert done.returncode == 1 and key[:12] not in done.stderr + done.stdout


def test_both_programs_look_for_the_rules_in_one_place(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "rules").write_text("GET /in price=1 serve=demo\n")
    environment = {"L402_STATE_DIR": f"{state}/"}
    assert f"{state}/rules: 1 rule" in l402("check", **environment).stdout
    (tmp_path / "rules").write_text("GET /beside price=1 serve=demo\n")
    assert f"{tmp_path}/rules: 1 rule" in l402("check", **environment).stdout


def test_explain_reads_hosts_as_the_gate_does(tmp_path):
    file = tmp_path / "rules"
    file.write_text("GET /** price=7 host=[0:0::1] serve=demo\nGET /** price=9 host=A.example serve=demo\n* /** deny\n")
    for url, words in (("http://[::1]:8080/x", "7 sats"), ("https://a.EXAMPLE.:81/x", "9 sats"), ("/x", "deny"),
                       ("http://b.example/x", "deny")):
        assert words in l402("explain", "GET", url, "--rules", file).stdout, url


def test_a_half_written_file_is_never_in_force(make_site):
    site = make_site("GET /x price=10 serve=demo\n")
    with open(site.gate.rules, "w") as file:
        for part in ("GET /x price=1", "00 serve=demo\n", "GET /weather/* serve=demo free"):
            file.write(part)
            file.flush()
            end = time.monotonic() + 2.5
            while time.monotonic() < end:
                assert price(site) == 10 and site.get("/weather/oslo").status_code == 404
                time.sleep(0.2)
        file.write("=2/hour price=10\n")
    wait_for("the whole file", lambda: price(site) == 100, 10)
    assert site.get("/weather/oslo").headers["L402-Free-Left"] == "1"


def test_a_last_line_without_end_waits_and_says_why_even_on_sighup(make_site):
    site = make_site("GET /x price=10 serve=demo\n")
    site.gate.rules.write_text("GET /x price=1")
    site.gate.process.send_signal(signal.SIGHUP)
    wait_for("the reason", lambda: "its last line is not ended" in site.gate.log)
    assert price(site) == 10
    site.gate.rules.write_text("GET /x price=1 \\\n")
    site.gate.process.send_signal(signal.SIGHUP)
    wait_for("the reason again", lambda: site.gate.log.count("its last line is not ended") == 2)
    assert price(site) == 10
    site.gate.rules.write_text("GET /x price=12 serve=demo\n")
    site.gate.process.send_signal(signal.SIGHUP)
    wait_for("the whole file", lambda: price(site) == 12, 2)


def test_a_file_renamed_into_place_is_soon_in_force(make_site):
    site = make_site("GET /x price=10 serve=demo\n")
    new = site.gate.rules.with_name("rules.new")
    new.write_text("GET /x price=11 serve=demo\n")
    time.sleep(0.05)  # a rename in the same tick of the file system's clock cannot be told from a write
    os.rename(new, site.gate.rules)
    wait_for("the new file", lambda: price(site) == 11, 4)


def test_a_reload_that_ends_passes_warns(make_site):
    site = make_site("GET /news/** price=5 unlimited valid=1d serve=demo\n")
    _, body = site.buy("/news/x")
    site.gate.rules.write_text("GET /news/* price=5 unlimited valid=1d serve=demo\n")
    site.gate.process.send_signal(signal.SIGHUP)
    wait_for("the warning", lambda: "is no longer sold" in site.gate.log)
    line = next(line for line in site.gate.log.splitlines() if "is no longer sold" in line)
    assert " warn " in line and f'{site.gate.rules}:1: service "{body["service"]}"' in line


def test_a_wallet_without_key_stops_the_start_and_not_the_running_gate(make_site, wallet, tmp_path):
    rules = "GET /x price=5 wallet=shop serve=demo\n"
    settings = {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key}
    gate = Gate(tmp_path, settings, rules).start(ready=False)
    assert gate.process.wait(20) == 1
    assert f'{gate.rules}:1:23: wallet "shop" has no key: set LNBITS_KEY_shop or LNBITS_KEY_FILE_shop' in gate.log
    Gate(tmp_path, {**settings, "LNBITS_KEY_SHOP": wallet.key}, rules, name="named").start().stop()
    site = make_site("GET /x price=4 serve=demo\n")
    site.gate.rules.write_text(rules)
    site.gate.process.send_signal(signal.SIGHUP)
    wait_for("the complaint", lambda: "has no key" in site.gate.log)
    assert price(site) == 4


def test_cgi_waits_for_a_file_that_is_being_written_and_refuses_half_of_one(wallet, tmp_path):
    gate = Gate(tmp_path, {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key}, "GET /x price=10 serve=demo\n")
    environment = {**gate.environment, "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "REQUEST_URI": "/x",
                   "REMOTE_ADDR": "192.0.2.1"}
    environment.pop("L402_LISTEN")

    def ask():
        return subprocess.Popen([BIN / "l402-fcgi"], env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    with open(gate.rules, "w") as file:
        file.write("GET /x free serve=demo\n* /y deny\n")
        file.flush()
        asked = ask()
        time.sleep(1)
        file.seek(0)
        file.write("GET /x price=77 serve=demo\n* /y deny\n")
    answer = asked.communicate(timeout=30)[0]
    assert answer.startswith("Status: 402") and '"price_sats":77' in answer
    gate.rules.write_text("GET /x free serve=demo")
    answer = ask().communicate(timeout=30)[0]
    assert answer.startswith("Status: 503") and "rules_changing" in answer and "\nRetry-After: " in answer
