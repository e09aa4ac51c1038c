"""The shipped backends, behind nginx and the gate: what they read of what was sold, each where its runtime is."""
import os
import shutil
import subprocess

import pytest
import requests
from parts import ROOT, free_port, stop, wait_for

EXAMPLES = ROOT / "nginx" / "examples"
# Where Debian has the modules of Node, for a node that is not Debian's.
NODE = {"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"}


def fastapi():
    # LNbits is made with it.
    python = os.environ["L402_TEST_LNBITS_PYTHON"]
    return lambda port: [python, "-m", "uvicorn", "fastapi_backend:app", "--port", str(port)]


def express():
    if not shutil.which("node") or subprocess.run(
            ["node", "-e", "require('express')"], env={**os.environ, **NODE}, capture_output=True).returncode:
        pytest.skip("no Express")
    return lambda port: ["node", "express_backend.js"]


def php():
    if not shutil.which("php"):
        pytest.skip("no PHP")
    return lambda port: ["php", "-S", f"127.0.0.1:{port}", "backend.php"]


@pytest.mark.parametrize("runtime", [fastapi, express, php])
def test_the_backend_reads_what_was_sold_and_serves_nobody_else(runtime, make_site):
    command, port = runtime(), free_port()
    url = f"http://127.0.0.1:{port}/api/echo"
    process = subprocess.Popen(command(port), cwd=EXAMPLES, env={**os.environ, **NODE, "PORT": str(port)})

    def past_the_gate():
        try:
            return requests.post(url, json={"prompt": "hi"}, timeout=10).status_code
        except requests.ConnectionError:
            return None

    try:
        assert wait_for("the backend", past_the_gate) == 403
        site = make_site("POST /api/echo price=5 uses=3 free=1/day serve=@example\n", server=f"""
            location @example {{ include l402/goods.conf; proxy_pass http://127.0.0.1:{port}; }}""")
        free = site.post("/api/echo", json={"prompt": "hi"}).json()
        assert free == {"result": "hi", "access": "free", "payment": "", "uses_left": None}
        authorization, challenge = site.buy("/api/echo", "POST", json={"prompt": "hi"})
        paid = site.post("/api/echo", json={"prompt": "hi"}, headers={"Authorization": authorization}).json()
        assert paid == {"result": "hi", "access": "paid", "payment": challenge["payment_hash"], "uses_left": 2}
    finally:
        stop(process)
