"""The manuals: that they can be read, and say of variables, commands and statuses what the programs have.

Terms, codes, outcomes and kinds of journal lines are compared in PaywallTests/ManualTests.swift.
"""
import html.parser
import json
import os
import re
import subprocess

import pytest
from parts import BIN, ROOT

PAGES = sorted((ROOT / "nginx/man").glob("*.[1-8]"))
NAME = r"(?:L402|LNBITS)_[A-Z0-9_]+"


def page(name):
    return (ROOT / "nginx/man" / name).read_text()


def section(name, title):
    found = re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH |\Z)", page(name), re.S | re.M)
    assert found, f"{name} has no section {title}"
    return found[1]


def heads(text):
    """The lines behind .TP, without fonts."""
    return [re.sub(r"\\f.|\"", "", line) for line in re.findall(r"^\.TP\n(.*)", text, re.M)]


@pytest.mark.parametrize("manual", PAGES, ids=lambda path: path.name)
def test_nothing_is_wrong_with_a_manual(manual):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", manual], capture_output=True, text=True)
    assert done.stdout + done.stderr == ""


class Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.tags = "", []

    def handle_starttag(self, tag, _):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The manuals as pages of the web."""
    directory = tmp_path_factory.mktemp("html")
    subprocess.run([ROOT / "nginx/lib/manuals", directory], check=True)
    return directory


@pytest.mark.parametrize("manual", PAGES, ids=lambda path: path.name)
def test_a_manual_can_be_read_as_a_page_of_the_web(pages, manual):
    source = (pages / f"{manual.name}.html").read_text()
    read = Text()
    read.feed(source)
    text = " ".join(read.text.split())
    assert read.tags.count("table") >= page(manual.name).count("\n.TS\n")
    assert all(title in text for title in re.findall(r"^\.SH (.*)", page(manual.name), re.M))
    links = set(re.findall(r'href="([^"#]+)"', source))
    assert len(links) > 2 and all((pages / link).exists() for link in links), links


def test_a_manual_names_manuals_that_exist():
    for manual in PAGES:
        for name, number in re.findall(r"\b(l402(?:-[a-z0-9]+)*) ?\((\d)\)", manual.read_text().replace("\\-", "-")):
            assert (ROOT / "nginx/man" / f"{name}.{number}").exists(), f"{manual.name}: {name}({number})"


# --- Variables ---

def variables():
    """What the section ENVIRONMENT explains; those for further wallets without NAME."""
    return {name for head in heads(section("l402-fcgi.8", "ENVIRONMENT")) for name in re.findall(NAME, head)}


def parameters():
    return {name for head in heads(section("l402-fcgi.8", "WHAT THE WEB SERVER ASKS")) for name in re.findall(NAME, head)}


def named_in_sources():
    """Every string of the sources that is the name of a variable, or the beginning of one."""
    return {name for source in (ROOT / "Sources").rglob("*.swift")
            for name in re.findall(rf'"({NAME})"', source.read_text())}


def test_each_variable_of_the_code_is_in_the_manual_and_no_other():
    # Its file is never handed over; nothing reads the variable yet.
    ahead = {"L402_REPORT_KEY_FILE"}
    beginnings = {"LNBITS_KEY_", "LNBITS_KEY_FILE_", "LNBITS_URL_"}
    assert variables() >= beginnings
    assert variables() & parameters() == set()
    assert variables() | parameters() == named_in_sources() - ahead


def test_each_parameter_of_the_snippets_is_in_the_manual_and_no_other():
    sent = {name for snippet in (ROOT / "nginx/l402").glob("*.conf")
            for name in re.findall(rf"^\s*fastcgi_param\s+({NAME})", snippet.read_text(), re.M)}
    assert sent - variables() == parameters()


IMPOSSIBLE = {"LNBITS_KEY": "two words", "LNBITS_KEY_": "two words", "LNBITS_URL_": "?"}


@pytest.mark.parametrize("name", sorted(variables()))
def test_the_gate_names_a_variable_with_an_impossible_value(name, tmp_path):
    good = {"LNBITS_URL": "http://127.0.0.1:9", "LNBITS_KEY": "0" * 32, "L402_STATE_DIR": str(tmp_path / "state"),
            "L402_LISTEN": f"unix:{tmp_path}/l402.sock"}
    set_to = name + "shop" if name.endswith("_") else name
    if name == "LNBITS_KEY_FILE":
        del good["LNBITS_KEY"]
    if name == "LNBITS_URL_":
        good["LNBITS_KEY_shop"] = "1" * 32
    done = subprocess.run([BIN / "l402-fcgi"], env={**good, set_to: IMPOSSIBLE.get(name, "?")}, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=30)
    assert done.returncode == 1
    assert done.stderr.startswith(f"l402-fcgi: {set_to}: "), done.stderr


# --- The tool ---

def l402(*words, directory=None, **environment):
    return subprocess.run([BIN / "l402", *words], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
                          env={"PATH": os.environ["PATH"], **({"L402_STATE_DIR": str(directory)} if directory else {}), **environment})


def commands(tree, before=()):
    """Each command without subcommands, and its options."""
    for command in tree.get("subcommands", []):
        words = (*before, command["commandName"])
        if command.get("subcommands"):
            yield from commands(command, words)
        else:
            options = {name["name"] for argument in command.get("arguments", []) for name in argument.get("names", [])
                       if name["kind"] == "long"}
            yield " ".join(words), options - {"help", "version"}


def test_each_command_of_the_tool_is_in_the_manual_with_its_options_and_no_other():
    tree = json.loads(l402("--experimental-dump-help").stdout)["command"]
    told = {}
    for head in heads(section("l402.1", "COMMANDS")):
        words = re.sub(r"^\.\w+ ", "", head).replace("\\-", "-")
        name = re.match(r"[a-z]+( [a-z]+)*", words)[0].strip()
        told[name.removesuffix(" command")] = set(re.findall(r"--([a-z-]+)", words))
    known = dict(commands(tree))
    known.setdefault("help", set())
    assert told == known


def test_each_exit_status_of_the_tool_is_in_the_manual_and_no_other(tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("GET /x price=5 serve=demo\n")
    bad.write_text("GET /x prize=5\n")
    state, none = tmp_path / "state", "0" * 64
    calls = {
        0: [["--help"], ["--version"], ["check", good], ["explain", "GET", "/x", "--rules", good], ["keys", "list"],
            ["keys", "rotate"], ["report"], ["state", "check"], ["state", "repair"]],
        1: [["check", bad], ["check", tmp_path / "nothing"], ["explain", "GET", "/none", "--rules", good],
            ["token", "inspect", "x"], ["payment", "show", none], ["payment", "revoke", none], ["payment", "refund", none]],
        64: [["sell"], ["check", "--prize"], ["explain", "GET"], ["payment", "show", "x"], ["report", "--days", "0"],
             ["report", "--json", "--csv"]],
    }
    for status, wanted in calls.items():
        for words in wanted:
            done = l402(*words, directory=state)
            assert done.returncode == status, (words, done.stdout, done.stderr)
    told = re.findall(r"^(\d+)\|", section("l402.1", "EXIT STATUS"), re.M)
    assert [int(number) for number in told] == sorted(calls)
    # No source ends a command with another status.
    ended = {int(number) for source in (ROOT / "Sources/l402").rglob("*.swift")
             for number in re.findall(r"ExitCode\((\d+)\)", source.read_text())}
    assert ended <= set(calls)


def test_the_exit_statuses_of_the_gate_are_as_the_manual_says():
    told = [int(number) for number in re.findall(r"\b\d+\b", section("l402-fcgi.8", "EXIT STATUS"))]
    assert told == [0, 1, 2]
    for status, words in ((0, ["--version"]), (1, []), (2, ["--prize"])):
        done = subprocess.run([BIN / "l402-fcgi", *words], env={"LNBITS_URL": ""}, capture_output=True, stdin=subprocess.DEVNULL)
        assert done.returncode == status, done.stderr
