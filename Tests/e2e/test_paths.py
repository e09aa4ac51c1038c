"""What nginx would serve and what the rule says never differ."""
import pathlib
import random
import shutil
import subprocess

import pytest
from parts import free_port, raw_request, stop, wait_for

RULES = """
*  /secret/**   deny
*  /sold/*      price=5 serve=/l402-files/
*  /sold/a/**   price=6 serve=/l402-files/
*  /Exact       price=7 serve=/l402-files/
*  /open/**     free serve=/l402-files/
"""
EXPECTED = {"/secret/": 403, "/sold/": 402, "/open/": 200}

TRICKS = [
    b"/secret/x", b"//secret/x", b"/secret//x", b"/./secret/x", b"/open/../secret/x", b"/%73ecret/x", b"/secret%2fx",
    b"/open/%2e%2e/secret/x", b"/open/..%2fsecret/x", b"/open%2f..%2fsecret/x", b"/open/.%2e/secret/x",
    b"/open/%2e./secret/x", b"/secret/./x", b"/secret/%2e/x", b"/x/../secret/y", b"/secret/..", b"/secret/../open/x",
    b"/secret/../secret/x", b"/secret;x/y", b"/secret/x;y", b"/SECRET/x", b"/secret/x.", b"/secret/x/", b"/secret./x",
    b"/secret/", b"/secret", b"/secret%00/x", b"/secret/x%00", b"/%2573ecret/x", b"/secret%5cx", b"/open/..%5csecret/x",
    b"/sold/a", b"/sold/a/b", b"/sold/a%2fb", b"/sold//a", b"/sold/x%3fy", b"/sold/x?y/../../secret", b"/sold/%23x",
    b"/sold/x#y", b"/Exact", b"/exact", b"/Exact/", b"/Exact%2f", b"/Exact%20", b"/%45xact", b"/../secret/x", b"/..",
    b"/%2e%2e/secret/x", b"/open/../../secret/x", b"/%zz", b"/%", b"/%2", b"/sold/%C3%A9", b"/sold/\xc3\xa9",
    b"/open/%2e%2e%2fsecret/x", b"/open/.../x", b"/open/..x", b"/open/x..", b"/secret/%2e%2e", b"/open/%09x",
    b"/secret/.", b"/.", b"/%2e", b"/open/.", b"/secret/x?a=b&c", b"/open/x%26y", b"/open/+", b"/open/~x",
]


@pytest.fixture(scope="module")
def plain_nginx(tmp_path_factory):
    """nginx that answers with the path as it normalises it."""
    directory = pathlib.Path(tmp_path_factory.mktemp("plain"))
    port = free_port()
    temp = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in
                   ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (directory / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log; events {{ }}"
        f"http {{ access_log off; {temp} server {{ listen 127.0.0.1:{port}; default_type text/plain;"
        " location / { return 200 \"$uri\"; } } }")
    process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c",
                                directory / "nginx.conf", "-e", directory / "error.log"])

    def answers():
        try:
            return raw_request(port, b"/")[0] == 200
        except OSError:
            return False

    wait_for("plain nginx", answers)
    yield port
    stop(process)


@pytest.fixture(scope="module")
def sold(make_site):
    site = make_site(RULES)
    files = site.gate.directory / "files" / "open"
    files.mkdir()
    files.chmod(0o755)
    return site


def meaning(path):
    """The status that the rules above have for a normalised path; the goods themselves may be 404."""
    if path.startswith(b"/secret/"):
        return {403}
    rest = path[len(b"/sold/"):]
    if path.startswith(b"/sold/") and b"/" not in rest:
        return {402}
    if path.startswith(b"/sold/a/") or path == b"/Exact":
        return {402}
    if path.startswith(b"/open/"):
        return {200, 403, 404}
    return {404}


def compare(plain_nginx, sold, target):
    status, path, _ = raw_request(plain_nginx, target)
    got, body, head = raw_request(sold.nginx.port, target)
    expected = meaning(path) if status == 200 else {400}
    assert got in expected, (target, status, path, got, body[:200])
    if got == 403 and path.startswith(b"/open/"):
        assert b"nginx" in body, "a directory without index, refused by nginx, not by a rule"
    if got == 402:
        price = 6 if path.startswith(b"/sold/a/") else 7 if path == b"/Exact" else 5
        assert b"L402-Price: %d" % price in head, (target, path)


@pytest.mark.parametrize("target", TRICKS)
def test_tricks(plain_nginx, sold, target):
    compare(plain_nginx, sold, target)


def test_the_gate_reads_random_targets_as_nginx_does(plain_nginx, sold):
    pieces = [b"/", b"//", b".", b"..", b"%2e", b"%2E", b"%2f", b"%5c", b"\\", b"a", b"open", b"secret", b"sold", b";",
              b"%25", b"%23", b"%3f", b"?", b"x=1", b"&", b"+", b"%41", b"~", b"%c3%a9", b"/../", b"/./"]
    choose = random.Random(402)
    for _ in range(250):
        target = b"/" + b"".join(choose.choice(pieces) for _ in range(choose.randrange(1, 9)))
        if b"sold" in target and choose.random() < 0.5:
            continue  # each sold one makes an invoice
        compare(plain_nginx, sold, target)


def test_a_path_that_backends_read_in_two_ways_is_refused(make_site):
    site = make_site("* /admin/** deny\n* /free/** free serve=@api\n")
    # nginx reads /free/x; many a framework something below /admin/.
    status, body, _ = raw_request(site.nginx.port, b"/admin/..%2ffree/x")
    assert status == 400 and b"path_ambiguous" in body
    assert raw_request(site.nginx.port, b"/free/a%2fb")[0] == 200
