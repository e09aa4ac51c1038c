"""The Debian package: what is in it, and that it comes, stays quiet, goes and is gone."""
import os
import subprocess
import textwrap

import pytest

from parts import BIN, ROOT


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    target, programs = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("programs")
    for name in ("l402-fcgi", "l402"):
        subprocess.run(["strip", "-o", programs / name, BIN / name], check=True)
    subprocess.run([ROOT / "nginx/release", target], check=True, env={
        **os.environ, "L402_BIN": str(programs), "DPKG_DEB_COMPRESSOR_TYPE": "none"})
    return next(target.glob("*.deb"))


def test_it_holds_programs_units_snippets_and_manuals(package):
    listing = subprocess.run(["dpkg-deb", "-c", package], check=True, capture_output=True, text=True).stdout
    names = {line.split()[5] for line in listing.splitlines()}
    for name in ("usr/bin/l402-fcgi", "usr/bin/l402", "lib/systemd/system/l402.service",
                 "lib/systemd/system/l402.socket", "usr/share/l402-fcgi/nginx/l402/server.conf", "usr/share/l402-fcgi/etc/rules",
                 "usr/share/man/man8/l402-fcgi.8.gz", "usr/share/man/man1/l402.1.gz",
                 "usr/share/man/man5/l402-rules.5.gz", "usr/share/doc/l402-fcgi/examples/apache/htaccess",
                 "usr/share/doc/l402-fcgi/examples/backend.php", "usr/share/doc/l402-fcgi/NOTICES.gz"):
        assert "./" + name in names
    assert all("root/root" in line for line in listing.splitlines())


@pytest.fixture
def machine(tmp_path):
    """Runs a script as root in a copy of this machine that forgets everything."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a machine of its own")

    def run(script):
        upper, work, root = (tmp_path / name for name in ("upper", "work", "root"))
        around = f"""
            set -e
            mount -t tmpfs none {tmp_path}
            mkdir {upper} {work} {root}
            mount -t overlay overlay -o lowerdir=/,upperdir={upper},workdir={work} {root}
            mount --bind /dev {root}/dev
            mount -t proc proc {root}/proc
            cat > {root}/script
            exec chroot {root} bash -e /script
        """
        return subprocess.run(["unshare", "-m", "-p", "-f", "bash", "-c", around], input=textwrap.dedent(script),
                              capture_output=True, text=True, timeout=120)

    if run("true").returncode != 0:
        pytest.skip("no overlay can be mounted here")
    return run


def test_it_is_installed_quietly_and_purged_without_a_trace(machine, package):
    content = package.read_bytes().hex()
    done = machine(f"""
        python3 -c 'import sys; open("/root/p.deb", "wb").write(bytes.fromhex(sys.stdin.read()))' <<'HEX'
{content}
HEX
        echo "== install"
        dpkg -i /root/p.deb
        id l402 > /dev/null
        ! command -v systemd-analyze > /dev/null || systemd-analyze verify --man=no /lib/systemd/system/l402.service /lib/systemd/system/l402.socket
        if pgrep -x l402-fcgi; then exit 1; fi
        test -e /etc/nginx/l402/server.conf
        test "$(stat -c %U:%a /var/lib/l402)" = l402:700
        echo "== remove"
        mkdir -p /var/lib/l402 && touch /var/lib/l402/keys
        echo key > /etc/l402/lnbits.key
        dpkg -r l402-fcgi
        test -e /var/lib/l402/keys
        test -e /etc/l402/env
        echo "== again"
        dpkg -i /root/p.deb
        test -e /var/lib/l402/keys
        echo "== purge"
        dpkg -P l402-fcgi < /dev/null
        for gone in /var/lib/l402 /etc/l402 /etc/nginx/l402 /usr/bin/l402-fcgi /lib/systemd/system/l402.service; do
            test ! -e $gone
        done
        if id l402 2> /dev/null; then exit 1; fi
        echo "== done"
    """.replace("\n        ", "\n"))
    assert done.returncode == 0 and done.stdout.rstrip().endswith("== done"), done.stdout + done.stderr
    parts = done.stdout.split("== ")
    assert "not running" in parts[1] and "/etc/l402/lnbits.key" in parts[1], "says what to do next"
    assert "not running" not in parts[3], "and not again where the key is"
