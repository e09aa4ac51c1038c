"""The Debian package on Debian 11, 12 and 13: installed, upgraded unattended with changes, removed, purged."""
import os
import shutil
import subprocess

import pytest
import requests
from parts import ROOT, free_port
from system import ARCHIVE, PACKAGE
from test_archive import buy, gate, nginx

INSTALL = "apt-get install -q -y --no-install-recommends"


@pytest.fixture(scope="session")
def before(tmp_path_factory):
    """The package of an older version with another snippet and other examples."""
    directory = tmp_path_factory.mktemp("before")
    subprocess.run(["tar", "-xzf", ARCHIVE, "-C", directory], check=True)
    unpacked = directory / ARCHIVE.name.removesuffix(".tar.gz")
    for file in ("nginx/l402/answer.conf", "nginx/l402/goods.conf", "etc/rules", "etc/env"):
        with open(unpacked / file, "a") as older:
            older.write("# of an older release\n")
    made = subprocess.run([ROOT / "nginx/debian/build", unpacked, "0.2.0~0", directory], check=True, text=True,
                          capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1790000000",
                               "DPKG_DEB_COMPRESSOR_TYPE": "none"})
    return directory / made.stdout.strip()


def test_lintian_has_nothing_to_say():
    if not shutil.which("lintian"):
        pytest.skip("no lintian")
    # What debian/l402-fcgi.lintian-overrides gives a reason for is not said.
    said = subprocess.run(["lintian", "--allow-root", "--no-cfg", "-EvIL", "+pedantic", PACKAGE],
                          capture_output=True, text=True)
    tags = [line for line in said.stdout.splitlines() if not line.startswith("N:")]
    assert said.returncode == 0 and tags == [], said.stdout + said.stderr


def test_it_is_installed_upgraded_removed_and_purged_under_a_running_site(system, wallet, before):
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    told = system.run(f"{INSTALL} {system.take_in(before)}", **quiet)
    assert "not running" in told and "/etc/l402/lnbits.key" in told, "says what to do next"
    assert system.running() == [], "and starts nothing"
    assert "of an older release" in system.read("/etc/nginx/l402/answer.conf")

    port = free_port()
    gate(system, wallet, "/usr/bin/l402-fcgi")
    nginx(system, port)
    url = f"http://127.0.0.1:{port}/articles/first.html"
    buy(url, wallet)

    system.write("/etc/l402/env", f"LNBITS_URL={wallet.url}\n")
    system.write("/etc/nginx/l402/goods.conf", system.read("/etc/nginx/l402/goods.conf") + "# my own line\n")
    rules = system.read("/etc/l402/rules")
    told = system.run(f"{INSTALL} {system.take_in(PACKAGE)}", **quiet)
    assert "not running" not in told, told
    assert system.read("/etc/l402/rules") == rules and system.read("/etc/l402/env") == f"LNBITS_URL={wallet.url}\n"
    assert "of an older release" not in system.read("/etc/nginx/l402/answer.conf"), "an unchanged snippet follows"
    assert "# my own line" in system.read("/etc/nginx/l402/goods.conf"), "a changed one stays"
    assert system.run("dpkg-query -W -f '${Conffiles}' l402-fcgi").strip() == "", "nothing that dpkg would ask about"
    assert requests.get(url, timeout=30).status_code == 402

    system.run("apt-get remove -q -y l402-fcgi", **quiet)
    assert system.exists("/var/lib/l402/keys") and system.exists("/etc/l402/lnbits.key")
    system.run("nginx -t")

    told = system.run("apt-get purge -q -y l402-fcgi", **quiet)
    assert "/etc/nginx/l402 stays" in told
    for gone in ("/var/lib/l402", "/etc/l402", "/usr/bin/l402-fcgi", "/usr/share/l402-fcgi", "/usr/share/doc/l402-fcgi"):
        assert not system.exists(gone), gone
    system.run("nginx -t")


def test_a_purge_leaves_nothing_where_no_site_includes_it(system):
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    listing = "find /etc /usr /var/lib /lib -xdev -not -path '/var/lib/apt/*' -not -path '/var/lib/dpkg/*' | sort"
    before = system.run(listing)
    system.run(f"{INSTALL} {system.take_in(PACKAGE)}", **quiet)
    system.run("apt-get purge -q -y l402-fcgi", **quiet)
    left = set(system.run(listing).split()) - set(before.split())
    assert not [path for path in left if "l402" in path], left
    assert "l402" not in system.run("grep -rl l402 /var/lib/ucf /etc/passwd /etc/group || true; getent passwd l402 || true")
