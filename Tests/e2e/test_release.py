"""What people download: what is in it, that one commit gives the same bytes, and what the programs ask of a host."""
import os
import pathlib
import re
import subprocess
import tarfile

import pytest
from parts import ROOT

# What nginx/release made of this commit; Tests/run release makes it.
RELEASE = os.environ.get("L402_TEST_RELEASE")
PROGRAMS = ("l402-fcgi", "l402")


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Two archives and packages of the same files, around programs of one line, made in two directories."""
    programs = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        (programs / name).write_text(f'#!/bin/sh\necho "{name} 9.9.9~dev"\n')
        (programs / name).chmod(0o755)
    made = [tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("another")]
    for directory, umask in zip(made, ("022", "077")):
        subprocess.run(["bash", "-c", f'umask {umask}; exec "$0" "$1"', ROOT / "nginx/release", directory], check=True,
                       env={**os.environ, "L402_BIN": str(programs), "TMPDIR": str(directory)})
    return made


def test_the_same_files_give_the_same_bytes(packed):
    sums = [(directory / "SHA256SUMS").read_text() for directory in packed]
    assert sums[0] == sums[1]
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=packed[0], check=True)
    assert set(re.findall(r"  (\S+)", sums[0])) == {
        "l402-fcgi-9.9.9~dev-linux-x86_64.tar.gz", "l402-fcgi_9.9.9~dev_amd64.deb"}


def test_the_archive_holds_what_its_pages_speak_of(packed, tmp_path):
    with tarfile.open(next(packed[0].glob("*.tar.gz"))) as archive:
        members = archive.getmembers()
        archive.extractall(tmp_path, filter="data")
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, members[0].mtime)}
    home = tmp_path / "l402-fcgi-9.9.9~dev-linux-x86_64"
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=home, check=True)
    summed = set(re.findall(r"  (.+)", (home / "SHA256SUMS").read_text())) | {"SHA256SUMS"}
    assert summed == {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    hosting = (home / "nginx/README.md").read_text().split("## Shared hosting")[1].split("\n## ")[0]
    named = set(re.findall(r"`((?:bin|nginx|etc|man)/[\w./-]+)`", hosting))
    assert named >= {"bin/l402-fcgi", "nginx/apache/htaccess", "nginx/apache/env", "nginx/apache/rules"}
    assert all((home / name).exists() for name in named)
    notices = (home / "NOTICES").read_text()
    assert all(name in notices for name in ("BoringSSL", "libfcgi", "libstdc++", "Runtime Library Exception", "Apache License"))


def test_both_programs_say_the_next_version_where_no_release_was_made():
    if RELEASE:
        pytest.skip("a release was made")
    binaries = pathlib.Path(os.environ.get("L402_TEST_BIN") or ROOT / ".build" / "debug")
    next_version = (ROOT / "nginx/version").read_text().strip()
    for name in PROGRAMS:
        told = subprocess.run([binaries / name, "--version"], check=True, capture_output=True, text=True).stdout
        assert told == f"{name} {next_version}~dev\n"


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, tmp_path_factory):
    if not RELEASE:
        pytest.skip("Tests/run release makes the programs that people download")
    directory = tmp_path_factory.mktemp("release")
    with tarfile.open(next(pathlib.Path(RELEASE).glob("*.tar.gz"))) as archive:
        archive.extractall(directory, filter="data")
    return next(directory.glob(f"*/bin/{request.param}"))


def read(program, *options):
    return subprocess.run(["readelf", "-W", *options, program], check=True, capture_output=True, text=True).stdout


def test_a_program_asks_for_no_younger_glibc_and_for_no_other_library(program):
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", read(program, "-d")))
    assert needed <= {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1",
                      "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
    versions = set(re.findall(r"Name: (\w+)", read(program, "-V"))) | set(re.findall(r"@(\w+[.\d]*)", read(program, "--dyn-syms")))
    glibc = {tuple(map(int, number.split("."))) for number in re.findall(r"GLIBC_([\d.]+)", " ".join(versions) + read(program, "-V"))}
    assert (2, 2, 5) in glibc and max(glibc) <= (2, 28)
    assert "GLIBC_ABI_DT_RELR" not in read(program, "-V") and "GLIBCXX" not in read(program, "-V")


def test_a_program_is_hardened_and_tells_nothing_of_where_it_was_built(program):
    assert "GNU_RELRO" in read(program, "-l") and "BIND_NOW" in read(program, "-d") and "DYN" in read(program, "-h")
    assert not re.search(r"RPATH|RUNPATH", read(program, "-d"))
    assert b"l402-release." not in program.read_bytes()


def test_a_program_says_of_which_commit_it_is(program):
    told = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    next_version = re.escape((ROOT / "nginx/version").read_text().strip())
    assert re.fullmatch(rf"{program.name} {next_version}(~\d+\.[0-9a-f]{{9,}})?\n", told)
    assert program.parents[1].name.startswith(f"l402-fcgi-{told.split()[1]}-linux-")
