"""The READMEs: short, with links that lead somewhere, and with blocks that run as they stand."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
import requests
from parts import BIN, ROOT, Gate, free_port, stop, wait_for

README = (ROOT / "README.md").read_text()
SERVERS = (ROOT / "nginx/README.md").read_text()
PAGES = [ROOT / path for path in ("README.md", "nginx/README.md", "Tests/README.md", "Tests/bench/README.md")]


def chapter(title):
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README + SERVERS, re.S | re.M)
    assert found, title
    return found[1]


def indented(text):
    """Each block of indented lines."""
    return [re.sub(r"^    ", "", block, flags=re.M) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


def test_the_readme_is_for_newcomers():
    assert len(README.encode()) <= 9000 and len(README.splitlines()) <= 150
    titles = re.findall(r"^## (.*)", README, re.M)
    wanted = ["Try it", "How it works", "What you need", "Install", "Your site, before and after", "Rules in ten lines",
              "What is safe, and where to read more"]
    assert [title for title in titles if title in wanted] == wanted
    assert len(indented(chapter("Rules in ten lines"))[0].splitlines()) <= 10


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_leads_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)]*)\)", path.read_text()):
        name, _, anchor = target.partition("#")
        other = (path.parent / name).resolve() if name else path
        assert other.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)", other.read_text(), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, target


@pytest.mark.parametrize("title", ["Your site, before and after", "Rules in ten lines", "Selling articles"])
def test_the_rules_have_neither_errors_nor_warnings(title, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text(indented(chapter(title))[-1 if title.startswith("Your") else 0])
    done = subprocess.run([BIN / "l402", "check", rules], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.endswith("no errors\n"), done.stderr + done.stdout


# --- Your site, before and after ---

def site(mark):
    """The server block without the lines of the other state."""
    block = re.search(r"```diff\n(.*?)```", chapter("Your site, before and after"), re.S)[1]
    return "".join(line[1:] + "\n" for line in block.splitlines() if line[0] in (" ", mark))


class Shop:
    """nginx with the site of the README, but for its ports and paths, and a gate with its rules."""

    def __init__(self, directory, wallet, backend_port, text):
        self.directory, self.port = directory, free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificate = directory / "shop.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                        "-subj", "/CN=shop.example.org", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", directory / "shop.key", "-out", self.certificate], check=True, capture_output=True)
        self.gate = Gate(directory / "gate", {"LNBITS_URL": wallet.url, "LNBITS_KEY": wallet.key},
                         indented(chapter("Your site, before and after"))[-1])
        self.gate.directory.chmod(0o755)
        shutil.copytree(ROOT / "nginx/l402", directory / "l402")
        endpoints = directory / "l402/endpoints.conf"
        endpoints.write_text(endpoints.read_text().replace("/run/l402/l402.sock", str(self.gate.socket)))
        # Debian's package nginx has it beside nginx.conf.
        shutil.copy("/etc/nginx/proxy_params", directory / "proxy_params")
        for shipped, ours in (("443", f"127.0.0.1:{self.port}"), ("/etc/ssl/", f"{directory}/"),
                              ("/var/cache/", f"{directory}/cache-"), ("127.0.0.1:3000", f"127.0.0.1:{backend_port}")):
            assert shipped in text
            text = text.replace(shipped, ours)
        temp = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (directory / "nginx.conf").write_text(f"daemon off; pid {directory}/pid; events {{ }} http {{ access_log off; {temp}\n{text}\n}}\n")
        self.process = None

    def start(self):
        self.gate.start()
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-p", self.directory, "-c", self.directory / "nginx.conf",
                                         "-e", self.directory / "error.log"])

        def answers():
            assert self.process.poll() is None, (self.directory / "error.log").read_text()
            try:
                return self.get("/").ok
            except requests.ConnectionError:
                return False

        wait_for("nginx", answers)
        return self

    def get(self, path, **headers):
        return requests.get(self.url + path, headers={name.replace("_", "-"): value for name, value in headers.items()},
                            verify=self.certificate, timeout=20)

    def stop(self):
        stop(self.process)
        self.gate.stop()


@pytest.fixture
def shop(wallet, backend_port, backend_url):
    running = []

    def make(text):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="l402-e2e-"))
        directory.chmod(0o755)
        running.append(Shop(directory, wallet, backend_port, text))
        return running[-1].start()

    yield make
    for one in running:
        one.stop()
        shutil.rmtree(one.directory)


def asked(backend_url, path):
    """How often the backend was asked for a path."""
    return sum(seen["path"] == path for seen in requests.get(backend_url + "/_seen", timeout=20).json())


def test_the_site_before_serves_all_and_keeps_a_part_in_its_cache(shop, backend_url):
    before = shop(site("-"))
    for _ in range(2):
        assert before.get("/maps/before").status_code == 200
    assert asked(backend_url, "/maps/before") == 1
    assert "L402-Access" not in before.get("/page").headers


def test_the_site_after_sells_what_the_cache_holds_to_each_client(shop, backend_url, wallet):
    after = shop(site("+"))
    page = after.get("/page")
    assert page.status_code == 200 and page.headers["L402-Access"] == "free"
    told = page.json()["headers"]
    assert told["x-forwarded-proto"] == "https" and told["host"].startswith("127.0.0.1")

    refused = after.get("/maps/oslo")
    assert refused.status_code == 402 and asked(backend_url, "/maps/oslo") == 0
    proofs = []
    for _ in range(2):
        offer = after.get("/maps/oslo").json()
        proofs.append(f"L402 {offer['macaroon']}:{wallet.pay(offer['invoice'])}")
    first = after.get("/maps/oslo", Authorization=proofs[0])
    again = after.get("/maps/oslo", Authorization=proofs[0])
    other = after.get("/maps/oslo", Authorization=proofs[1])
    assert [answer.status_code for answer in (first, again, other)] == [200, 200, 200]
    assert [answer.headers["L402-Uses-Left"] for answer in (first, again, other)] == ["49", "48", "49"]
    assert all(answer.headers["Cache-Control"] == "private" for answer in (first, again, other))
    assert again.content == first.content == other.content and asked(backend_url, "/maps/oslo") == 1
    # The cache holds it now, and still asks for payment.
    assert after.get("/maps/oslo").status_code == 402
    assert after.get("/maps/paris", Authorization=proofs[1]).status_code == 200


def test_a_browser_gets_a_cookie_for_tls_alone(shop):
    answer = shop(site("+")).get("/maps/oslo", Accept="text/html", Sec_Fetch_Mode="navigate")
    assert answer.status_code == 402 and "; Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("beside", [
    "proxy_pass http://127.0.0.1:3000;", "try_files /none @site;",
], ids=["proxy_pass", "try_files"])
def test_what_stands_beside_the_gate_asks_nobody(shop, beside):
    """Why gate.conf stands alone in its location: nginx' way, which no snippet can change."""
    text = site("+").replace("include l402/server.conf;", "include l402/endpoints.conf; location / { include l402/gate.conf; %s }" % beside)
    assert shop(text).get("/maps/oslo").status_code == 200


def test_a_location_for_the_same_paths_asks_nobody(shop):
    text = site("+").replace("location @maps", "location /maps/ { proxy_pass http://127.0.0.1:3000; } location @maps")
    assert shop(text).get("/maps/oslo").status_code == 200


# --- The transcript ---

def test_the_transcript_is_what_is_answered(make_site):
    """But for what is cut with an ellipsis, and the host."""
    transcript = "".join(indented(README.partition("## ")[0]))
    rules, changed = re.subn(r"(/api/dvm .*)serve=@api", r"\1serve=demo", indented(chapter("Rules in ten lines"))[0])
    assert changed == 1
    sold = make_site(rules)
    body = json.loads(re.search(r"--json '(.*?)'", transcript)[1])
    assert sold.post("/api/dvm", json=body).status_code == 200, "one a day is free"
    answer = sold.post("/api/dvm", json=body)
    assert f"HTTP/1.1 {answer.status_code} {answer.reason}" in transcript
    head = re.search(r"WWW-Authenticate: (L402 macaroon=\")\S+ (invoice=\")\S+ (payment_hash=\")", transcript)
    assert all(part in answer.headers["WWW-Authenticate"] for part in head.groups())
    told = answer.json()
    assert re.search(r'"status": "(\w+)", "price_sats": (\d+)', transcript).groups() == (told["status"], str(told["price_sats"]))
    proof = f"L402 {told['macaroon']}:{sold.wallet.pay(told['invoice'])}"
    paid = sold.post("/api/dvm", json=body, headers={"Authorization": proof})
    assert paid.json() == json.loads(transcript.splitlines()[-1])
