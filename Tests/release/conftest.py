import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from system import System, wait_for  # noqa: E402
from parts import ROOT, Wallet, free_port, stop  # noqa: E402


@pytest.fixture(scope="session")
def wallet(tmp_path_factory):
    """A real LNbits of this machine: the systems share its loopback."""
    directory = tmp_path_factory.mktemp("lnbits")
    process = subprocess.Popen([os.environ["L402_TEST_LNBITS_PYTHON"], ROOT / "nginx/lib/start_lnbits.py", directory,
                                str(free_port()), "1000000"])
    wait_for("LNbits", lambda: (directory / "wallets.json").exists() or process.poll() is not None, 90)
    yield Wallet(json.loads((directory / "wallets.json").read_text()))
    stop(process)


@pytest.fixture(params=["bullseye", "bookworm", "trixie"])
def system(request):
    system = System(request.param)
    yield system
    system.end()
