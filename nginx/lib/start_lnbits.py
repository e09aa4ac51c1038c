#!/usr/bin/env python3
"""Starts a throw-away LNbits (SQLite, FakeWallet: real invoices, real preimages, no real money).

    python start_lnbits.py DIRECTORY PORT [RATE_LIMIT]

Run it with the Python of a venv that has lnbits. It keeps its data in DIRECTORY, which must be
empty, makes two wallets, fills one of them, writes DIRECTORY/wallets.json
({"url", "merchant": {"inkey", "adminkey"}, "payer": {…}}) and then runs the server until it is
told to stop (SIGTERM).
"""
import importlib.util
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

directory = pathlib.Path(sys.argv[1]).resolve()
port = sys.argv[2]
rate_limit = sys.argv[3] if len(sys.argv) > 3 else "200"
base = f"http://127.0.0.1:{port}"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def call(method, path, body=None, **headers):
    request = urllib.request.Request(
        base + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}},
    )
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def start():
    for name in ("data", "extensions"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    # LNbits mounts the relative path lnbits/static.
    package = pathlib.Path(importlib.util.find_spec("lnbits").origin).parent
    link = directory / "lnbits"
    if not link.exists():
        link.symlink_to(package)
    environment = {
        **os.environ,
        "LNBITS_ADMIN_UI": "true",
        "LNBITS_BACKEND_WALLET_CLASS": os.environ.get("LNBITS_BACKEND_WALLET_CLASS", "FakeWallet"),
        "LNBITS_DATA_FOLDER": str(directory / "data"),
        "LNBITS_EXTENSIONS_PATH": str(directory / "extensions"),
        "AUTH_HTTPS_ONLY": "false",
        "AUTH_SECRET_KEY": secrets.token_hex(16),
        "LNBITS_RATE_LIMIT_NO": rate_limit,
        "LNBITS_RATE_LIMIT_UNIT": "minute",
        "ENABLE_LOG_TO_FILE": "false",
        # Nothing of this may reach out: a hanging price server would slow every invoice.
        "LNBITS_EXTENSIONS_DEACTIVATE_ALL": "true",
        "LNBITS_EXTENSIONS_MANIFESTS": "[]",
        "LNBITS_WASM_EXTENSIONS_MANIFESTS": "[]",
        "LNBITS_PRICE_AGGREGATOR_ENABLED": "false",
        "LNBITS_EXCHANGE_RATE_PROVIDERS": os.environ.get("LNBITS_EXCHANGE_RATE_PROVIDERS", "[]"),
    }
    # uvicorn itself: the "lnbits" program leaves a child behind when it is told to stop.
    return subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "lnbits.__main__:app", "--loop", "uvloop",
         "--host", "127.0.0.1", "--port", port, "--no-access-log"],
        cwd=directory, env=environment, stdin=subprocess.DEVNULL,
        stdout=open(directory / "lnbits.log", "ab"), stderr=subprocess.STDOUT,
    )


def wait_until_ready(server):
    for _ in range(1200):
        if server.poll() is not None:
            log = (directory / "lnbits.log").read_text(errors="replace")
            sys.exit(f"LNbits died:\n{log[-3000:]}")
        try:
            if call("GET", "/api/v1/health")[0] in (200, 302, 303, 307):
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit("LNbits is not ready after a minute")


def wallet(name):
    status, answer = call("POST", "/api/v1/account", {"name": name})
    if status not in (200, 201):
        sys.exit(f"no wallet: {status} {answer}")
    return {key: answer[key] for key in ("id", "inkey", "adminkey")}


def set_up():
    password = secrets.token_hex(12)
    status, answer = call("PUT", "/api/v1/auth/first_install",
                          {"username": "admin", "password": password, "password_repeat": password})
    if status != 200:
        sys.exit(f"first install failed: {status} {answer}")
    token = answer["access_token"]
    wallets = {"url": base, "merchant": wallet("merchant"), "payer": wallet("payer")}
    status, answer = call("PUT", "/users/api/v1/balance",
                          {"id": wallets["payer"]["id"], "amount": 5_000_000}, Authorization="Bearer " + token)
    if status != 200:
        sys.exit(f"no money for the payer: {status} {answer}")
    unfinished = directory / ".wallets.json"
    unfinished.write_text(json.dumps(wallets))
    unfinished.rename(directory / "wallets.json")


server = None


def end(*_):
    # Before there is a server there is nothing to end but this.
    if server is None:
        sys.exit(143)
    server.terminate()


signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
server = start()
try:
    wait_until_ready(server)
    if not (directory / "wallets.json").exists():
        set_up()
    sys.exit(server.wait())
except BaseException:
    server.kill()
    raise
