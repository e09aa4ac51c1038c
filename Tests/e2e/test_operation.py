"""Starting, reloading, stopping, and what the operator is told."""
import os
import signal
import subprocess
import threading

import pytest
import requests
from parts import BIN, Gate, wait_for


def start(tmp_path, **changes):
    """Starts a gate that is to fail at once; its lines on standard error and its status."""
    (tmp_path / "rules").write_text("* /** free\n")
    environment = {
        "PATH": os.environ["PATH"], "LNBITS_URL": "http://127.0.0.1:9", "LNBITS_KEY": "0123456789abcdef" * 2,
        "L402_RULES": str(tmp_path / "rules"), "L402_STATE_DIR": str(tmp_path / "state"),
        "L402_LISTEN": f"unix:{tmp_path}/gate.sock", **changes,
    }
    environment = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run([BIN / "l402-fcgi"], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=20)
    return done.stderr.splitlines(), done.returncode


@pytest.mark.parametrize("name,value,words", [
    ("LNBITS_URL", None, "is not set"),
    ("LNBITS_URL", "lnbits.example.org", "is not a base URL"),
    ("LNBITS_URL", "ftp://x", "is not a base URL"),
    ("LNBITS_KEY", None, "is not set"),
    ("LNBITS_KEY", "short", "no LNbits key"),
    ("L402_RULES", "rules", "is not an absolute path"),
    ("L402_STATE_DIR", "state", "is not an absolute path"),
    ("L402_STATE_DIR", "/proc/nothing", "cannot"),
    ("L402_LISTEN", "nonsense", "is not unix:/path"),
    ("L402_LISTEN", "127.0.0.1:0", "is not unix:/path"),
    ("L402_LISTEN", "127.0.0.1:99999", "is not unix:/path"),
    ("L402_WORKERS", "0", '"0" is not a whole number from 1 to 1024'),
    ("L402_WORKERS", "many", '"many" is not a whole number'),
    ("L402_INVOICE_EXPIRY", "soon", "is not a duration"),
    ("L402_MAX_PENDING", "-1", "is not a whole number"),
    ("L402_LNBITS_TIMEOUT", "0s", "is not a duration"),
    ("L402_TRUST_PREIMAGE", "yes", '"yes" is neither on nor off'),
    ("L402_DRY_RUN", "1", "is neither on nor off"),
    ("L402_CORS", "example.org", "is not *, off, or origins"),
    ("L402_LOG", "loud", '"loud" is none of error, warn, info, debug'),
    ("L402_ENV_FILE", "/nothing/here", "cannot be read"),
    ("L402_SITE", "my site", '"my site" is not a name'),
    ("L402_STOP_TIMEOUT", "soon", "is not a duration"),
    ("L402_JOURNAL_DAYS", "0", "is not a whole number from 1 to"),
    ("L402_JOURNAL_MB", "1GB", "is not a whole number from 1 to"),
    ("L402_LISTEN_ANYWHERE", "yes", "neither on nor off"),
    ("LNBITS_URL_shop", "http://127.0.0.1:9", "there is no LNBITS_KEY_shop"),
    ("LNBITS_KEY_FILE_shop", "/nothing/here", "cannot be read"),
])
def test_a_wrong_variable_stops_the_start_with_one_line_that_names_it(tmp_path, name, value, words):
    lines, status = start(tmp_path, **{name: value})
    assert status == 1
    assert len(lines) == 1 and name in lines[0] and words in lines[0], lines
    if name == "LNBITS_KEY" and value:
        assert value not in lines[0]


def test_without_a_socket_the_start_stops(tmp_path):
    lines, status = start(tmp_path, L402_LISTEN=None)
    assert status == 1 and "L402_LISTEN" in lines[0]


def test_all_errors_of_a_rules_file_stop_the_first_start(tmp_path):
    rules = tmp_path / "broken"
    rules.write_text("GET /a prize=5\nGET /b price=x\nget /c free\n")
    lines, status = start(tmp_path, L402_RULES=str(rules))
    assert status == 1
    assert [line.split(": ", 1)[1] for line in lines] == [
        f'{rules}:1:8: unknown term "prize"; did you mean "price"?',
        f'{rules}:2:14: price is whole sats from 1 to 10000000, or an amount such as 0.25USD: "x"',
        f'{rules}:3:1: unknown method "get"; did you mean "GET"?',
    ], lines


def test_an_environment_file_configures(tmp_path, wallet):
    file = tmp_path / "l402.env"
    file.write_text(f"# for a host without environment\nLNBITS_URL={wallet.url}\nLNBITS_KEY=\"{wallet.key}\"\n")
    gate = Gate(tmp_path, {"L402_ENV_FILE": str(file)}, "* /** free\n").start()
    gate.stop()
    assert "LNbits answers" in gate.log
    file.write_text("LNBITS_URL\n")
    gate = Gate(tmp_path, {"L402_ENV_FILE": str(file)}, "* /** free\n", name="second").start(ready=False)
    assert gate.process.wait(20) == 1
    assert f"{file}:1: this line is not NAME=value" in gate.log


def test_an_admin_key_is_refused(tmp_path, wallet):
    gate = Gate(tmp_path, {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.admin_key}, "* /** free\n").start(ready=False)
    assert gate.process.wait(20) == 1
    assert "LNBITS_KEY: this is the wallet's admin key" in gate.log and wallet.admin_key not in gate.log


def test_rules_are_re_read_on_change_and_on_sighup_and_a_broken_version_is_not(make_site):
    site = make_site("GET /a price=5 serve=demo\n* /health free serve=demo\n")
    assert site.challenge("/a")["price_sats"] == 5
    site.gate.rules.write_text("GET /a price=6 serve=demo\n* /health free serve=demo\n")
    wait_for("the changed file", lambda: site.get("/a").json().get("price_sats") == 6)
    site.gate.rules.write_text("GET /a prize=7\n")
    wait_for("the complaint", lambda: site.get("/health") and 'did you mean "price"?' in site.gate.log)
    assert site.challenge("/a")["price_sats"] == 6
    assert "the last good rules stay in force" in site.gate.log
    site.gate.rules.write_text("GET /a price=8 serve=demo\n* /health free serve=demo\n")
    site.gate.process.send_signal(signal.SIGHUP)
    wait_for("SIGHUP", lambda: site.get("/a").json().get("price_sats") == 8)


def test_sigterm_finishes_what_is_running(make_site):
    site = make_site("GET /x price=5 serve=demo\n")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(site.get("/x").status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for("a request under way", lambda: answers)
    site.gate.process.send_signal(signal.SIGTERM)
    assert site.gate.process.wait(15) == 0
    for thread in threads:
        thread.join()
    assert set(answers) <= {402, 502}, answers
    assert 402 in answers


def test_a_killed_gate_serves_nothing_and_nothing_is_lost(make_site):
    site = make_site("GET /x price=5 uses=3 serve=demo\nGET /free price=5 free=2/day serve=demo\n")
    authorization, _ = site.buy("/x")
    headers = {"Authorization": authorization}
    assert site.get("/x", headers=headers).headers["L402-Uses-Left"] == "2"
    assert site.get("/free").headers["L402-Free-Left"] == "1"
    site.gate.stop(signal.SIGKILL)
    assert site.get("/x", headers=headers).status_code in (502, 503)
    site.gate.start()
    assert site.get("/x", headers=headers).headers["L402-Uses-Left"] == "1"
    assert site.get("/free").headers["L402-Free-Left"] == "0"
    assert site.get("/free").status_code == 402


def test_keys_rotate_under_a_running_gate(make_site):
    site = make_site("GET /x price=5 uses=3 serve=demo\n")
    old, _ = site.buy("/x")
    rotated = subprocess.run([BIN / "l402", "keys", "rotate"], capture_output=True, text=True,
                             env={"L402_STATE_DIR": str(site.gate.directory / "state")})
    assert rotated.returncode == 0 and "signs from now on" in rotated.stdout
    keys = (site.gate.directory / "state" / "keys")
    assert keys.stat().st_mode & 0o777 == 0o600
    new, _ = site.buy("/x")
    for authorization in (old, new):
        assert site.get("/x", headers={"Authorization": authorization}).status_code == 200
    # Deleting the old line ends the old tokens.
    lines = keys.read_text().splitlines(keepends=True)
    keys.write_text("".join(lines[:-2] + lines[-1:]))
    answer = site.get("/x", headers={"Authorization": old})
    assert answer.status_code == 402 and answer.json()["code"] == "credential_forged"
    assert site.get("/x", headers={"Authorization": new}).status_code == 200


def test_request_parameters_override_and_client_headers_do_not(make_site, tmp_path):
    other = tmp_path / "other-rules"
    tmp_path.chmod(0o755)
    other.write_text("GET /other/** price=77 serve=demo\n")
    site = make_site("* /** free serve=demo\n", server=f"""
        location /other/ {{ include l402/gate.conf; fastcgi_param L402_RULES {other}; }}""")
    assert site.challenge("/other/x")["price_sats"] == 77
    for name in ("L402-Rules", "L402_RULES", "L402-Mode", "L402-Dry-Run"):
        assert site.get("/other/x", headers={name: "on"}).status_code == 402


def test_a_dry_run_never_refuses_and_says_what_it_would_have_done(make_site):
    site = make_site("GET /x price=5 serve=demo\n", L402_DRY_RUN="on")
    answer = site.get("/x")
    assert answer.status_code == 200 and answer.headers["L402-Access"] == "dry-run"
    assert "dry-run rule=1 service=get-x code=payment_required" in site.gate.log


def test_no_secret_is_in_any_log(make_site, wallet):
    site = make_site()
    authorization, body = site.buy("/api/one")
    macaroon, preimage = authorization[5:].split(":")
    for value in (authorization, authorization, f"L402 {macaroon}:{'0' * 64}", f"L402 {macaroon[:-8]}:{preimage}",
                  f"L402 {preimage}:{macaroon}", "Basic c2VjcmV0OnNlY3JldA=="):
        site.get(f"/api/one?token={macaroon[:40]}", headers={"Authorization": value})
        site.post("/api/dvm", json={"prompt": macaroon, "payment_hash": preimage}, headers={"Authorization": value})
    site.gate.process.send_signal(signal.SIGTERM)
    site.gate.process.wait(15)
    key = (site.gate.directory / "state" / "keys").read_text().split("\t")[1]
    log = site.gate.log
    journal = "".join(path.read_text() for path in (site.gate.directory / "state" / "journal").iterdir())
    nginx = (site.nginx.directory / "error.log").read_text()
    assert "code=payment_used" in log
    for secret in (wallet.key, preimage, macaroon[:60], macaroon[-40:], key, "c2VjcmV0OnNlY3JldA"):
        assert secret not in log and secret not in journal and secret not in nginx


def test_plain_cgi_answers_one_request(make_site, wallet, tmp_path):
    # The rules of a CGI process come with the request: without a name they would be a site of their own.
    site = make_site("GET /x price=5 serve=demo\n* /health free serve=demo\n", L402_SITE="shop")

    def cgi(path, **more):
        environment = {
            **site.gate.environment, "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "REQUEST_URI": path,
            "REMOTE_ADDR": "192.0.2.1", **more}
        environment.pop("L402_LISTEN")
        done = subprocess.run([BIN / "l402-fcgi"], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30)
        return done.stdout.decode()

    assert cgi("/health").startswith("Status: 200 ")
    challenge = cgi("/x")
    assert challenge.startswith("Status: 402 Payment Required\r\nWWW-Authenticate: L402 macaroon=")
    authorization, _ = site.buy("/x")
    assert cgi("/x", HTTP_AUTHORIZATION=authorization).startswith("Status: 200 ")
    assert cgi("/x", HTTP_AUTHORIZATION=authorization).startswith("Status: 402 ")
    # The same payment at the FastCGI process that shares the state.
    assert site.get("/x", headers={"Authorization": authorization}).status_code == 402


def test_plain_cgi_reads_a_body_of_unknown_length_and_waits_for_none_that_was_not_announced(tmp_path):
    """Apache gives a chunked body no CONTENT_LENGTH and ends standard input; other servers keep it open."""
    gate = Gate(tmp_path, {"LNBITS_URL": "http://127.0.0.1:9", "LNBITS_KEY": "0123456789abcdef" * 2},
                "POST /need price=1 require=prompt serve=demo\n")

    def cgi(body, ends=True, **more):
        environment = {**gate.environment, "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST",
                       "REQUEST_URI": "/need", "CONTENT_TYPE": "application/json", "REMOTE_ADDR": "192.0.2.1", **more}
        environment.pop("L402_LISTEN")
        process = subprocess.Popen([BIN / "l402-fcgi"], env=environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdin.write(body)
        process.stdin.flush()
        if ends:
            process.stdin.close()
        process.wait(10)
        answer = process.stdout.read().decode()
        process.stdout.close()
        return answer

    body = b'{"prompt": "' + b"x" * 300_000 + b'"}'
    # The wallet is down, so that what passes the check of its fields is a 503.
    assert cgi(body, HTTP_TRANSFER_ENCODING="chunked").startswith("Status: 503 ")
    assert cgi(body, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="Chunked").startswith("Status: 503 ")
    assert cgi(b"", HTTP_TRANSFER_ENCODING="chunked").startswith("Status: 400 ")
    assert cgi(b"{}", ends=False).startswith("Status: 400 ")
    assert cgi(b'{"prompt": "x"}', ends=False, CONTENT_LENGTH="15").startswith("Status: 503 ")


def test_two_gates_cannot_listen_on_one_socket(make_site):
    site = make_site("* /** free serve=demo\n")
    second = subprocess.run([BIN / "l402-fcgi"], env=site.gate.environment, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and "another process answers on it" in second.stderr
    assert requests.get(site.url + "/health").status_code == 200


def command(*arguments, **environment):
    return subprocess.run([BIN / "l402", *arguments], capture_output=True, text=True, env=environment)


def test_l402_check_explain_and_inspect(site, tmp_path):
    good = command("check", str(site.gate.rules))
    assert good.returncode == 0 and "15 rules, no errors" in good.stdout, good
    bad = tmp_path / "bad"
    bad.write_text('GET /x price=1 memo="unended\nGET /y\n')
    done = command("check", str(bad))
    assert done.returncode == 1
    assert f"{bad}:1:" in done.stderr and f"{bad}:2:" in done.stderr

    told = command("explain", "GET", "https://api.test/api//three?x", "--rules", str(site.gate.rules)).stdout
    assert "9 sats" in told and "3 requests" in told and "/api/three" in told
    assert command("explain", "GET", "/none", "--rules", str(site.gate.rules)).returncode == 1

    authorization, body = site.buy("/api/one")
    told = command("token", "inspect", authorization, L402_STATE_DIR=str(site.gate.directory / "state")).stdout
    assert body["payment_hash"] in told and "holds" in told and authorization.split(":")[1] not in told
    assert command("token", "inspect", "nonsense!").returncode == 1
