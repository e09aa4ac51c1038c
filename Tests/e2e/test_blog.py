"""The blog of the demo, sold by the shipped rules behind nginx, and on shared hosting."""
import os
import re
import shutil
import subprocess
import threading

import pytest
from parts import BIN, ROOT, free_port, stop
from people import ARTICLE, FREE, OTHER, READ, picture, reads
from servers import serving


def shipped_blog(serve):
    """The blog's lines of the shipped rules, with goods as shared hosting hands them out."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "nginx" / "example.rules").read_text())
    lines = [line for line in text.splitlines() if re.match(r"GET\s+(/ |/blog|/articles|/pass)", line)]
    assert len(lines) == 5, lines
    return "".join(line.replace("serve=/l402-files/", serve) + "\n" for line in lines)


@pytest.fixture(scope="module", params=["apache-fcgid", "apache-cgi"])
def hosted(request, wallet, backend_port):
    def lay_out(served):
        shutil.copytree(ROOT / "nginx" / "blog", served.directory / "files", dirs_exist_ok=True)

    with serving(request.param, wallet, backend_port, shipped_blog("serve=file:/srv/l402-files"), lay_out) as served:
        yield served


def test_shared_hosting_sells_the_blog(hosted, chromium):
    tab = chromium.reader().tab(hosted.url + "/")
    assert "Pages that ask for money" in tab.text
    tab.settle(lambda: tab.click(f"a[href='{FREE}']"))
    assert "It is older than most of the web" in tab.text
    tab.go(hosted.url + "/")
    tab.settle(lambda: tab.click(f"a[href='{ARTICLE}']"))
    assert tab.state == "invoice" and "A subscription asks for your name" in tab.text
    hosted.wallet.pay(tab.invoice)
    reads(tab, READ[ARTICLE])
    assert tab.url == hosted.url + ARTICLE
    tab.go(hosted.url + OTHER)
    assert tab.state == "invoice", "the other article is sold by itself"
    tab.go(hosted.url + "/articles/nothing.html")
    assert tab.document()["status"] == 404, "nothing is sold that is not there"


def test_the_first_page_of_the_blog_names_what_there_is():
    page = (ROOT / "nginx" / "blog" / "index.html").read_text()
    for address in re.findall(r'href="(/[^"]+)"', page):
        assert (ROOT / "nginx" / "blog" / address[1:]).is_file(), address
    for article in (ROOT / "nginx" / "blog" / "articles").iterdir():
        assert f'href="/articles/{article.name}"' in page
        assert article.name == FREE.rpartition("/")[2] or (ROOT / "nginx/blog/teasers/articles" / article.name).is_file()


@pytest.fixture
def demo():
    """The demo as it stands, with a gate that is built already."""
    ports = {name: str(free_port()) for name in ("DEMO_PORT", "DEMO_BACKEND_PORT", "DEMO_LNBITS_PORT")}
    process = subprocess.Popen(
        [ROOT / "nginx" / "demo"], env={**os.environ, **ports, "DEMO_GATE": str(BIN / "l402-fcgi")}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told = ""
    for line in process.stdout:
        told += line
        if "stays up" in line:
            break
    assert "stays up" in told, told
    threading.Thread(target=process.stdout.read, daemon=True).start()
    yield f"http://127.0.0.1:{ports['DEMO_PORT']}"
    stop(process)


def test_whoever_tries_the_demo_reads_an_article_after_one_click(demo, chromium):
    tab = chromium.reader().tab(demo + "/")
    picture(tab, "demo-list")
    tab.settle(lambda: tab.click(f"a[href='{OTHER}']"))
    assert "This button is the demo’s and exists nowhere else" in tab.text
    picture(tab, "demo-article")
    tab.click("form[action='/demo/pay'] button")
    reads(tab, READ[OTHER])
    assert tab.url == demo + OTHER
    picture(tab, "demo-read")
    # Another site's page cannot press it.
    tab.go(demo.replace("127.0.0.1", "localhost") + "/")
    assert tab.evaluate(f"fetch('{demo}/demo/pay', {{method: 'POST', mode: 'no-cors', body: 'x'}}).then(a => a.type)") == "opaque"
    posted = [answer["status"] for answer in tab.answers() if answer["url"].endswith("/demo/pay")]
    assert posted[-1] == 403
