"""What the tests of the pages for people have in common: a blog that sells, and how a reader waits."""
import pathlib
import re
import shutil
import socket
import tempfile
import threading
import time

import requests
from browsers import BrowserError
from parts import ROOT

ARTICLE = "/articles/a-page-without-an-account.html"
OTHER = "/articles/from-the-code-to-the-page.html"
FREE = "/articles/the-number-that-waited.html"
# Words of the goods that no page of the gate has.
READ = {ARTICLE: "You have paid for this page", OTHER: "You scanned a code"}

# Where a person can open what the tests saw.
PAGES = ROOT / ".build" / "pages"
WIDTHS = (320, 390, 1280)

RULES = """
GET  /                          free serve=/l402-files/
GET  /blog.css                  free serve=/l402-files/
GET  /sw.js                     free serve=/l402-files/
GET  /open/**                   free serve=/l402-files/
GET  {FREE}                     free serve=/l402-files/
GET  /articles/*                price=100 unlimited valid=30d service=articles per=path \\
                                teaser={files}/teasers serve=/l402-files/ memo="An article"
GET  /pass.html                 price=150 unlimited valid=30d service=articles serve=/l402-files/ memo="All articles"
GET  /one/**                    price=5 serve=/l402-files/ memo="One view"
GET  /ten/**                    price=9 uses=10 serve=/l402-files/ memo="Ten views"
GET  /token/**                  price=7 hash=off serve=/l402-files/ memo="Without a hash"
GET  /film/**                   price=20 serve=/l402-files/ memo="A film"
GET  /album/**                  price=30 unlimited valid=1d serve=/l402-files/ memo="An album"
GET  /now/**                    price=3 uses=3 serve=@api memo="Fresh"
GET  /goods/**                  price=1000 serve=/l402-files/ memo="Things"
"""

# The smallest picture: a PNG of one grey point.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636800000082008177cd72b60000000049454e44ae426082")


def document(body, title="Goods"):
    return f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title><body>{body}'


def lay_out(files):
    """The blog of the demo, and goods of other kinds."""
    shutil.copytree(ROOT / "nginx" / "blog", files, dirs_exist_ok=True)
    pages = {
        "one/a.html": "Goods A", "one/b.html": "Goods B", "one/c.html": "Goods C",
        "ten/a.html": 'Goods Ten <img src="/ten/picture.png" alt="part">', "ten/b.html": "Goods Ten B",
        "token/a.html": "Goods Token", "goods/a.html": "Goods Thing",
        "album/index.html": 'Goods Album <img id="part" src="/album/picture.png" alt="part">',
        "open/x.html": "Open to all",
    }
    for name, text in pages.items():
        path = files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document(f"<p>{text}</p>"))
    for name in ("ten/picture.png", "album/picture.png"):
        (files / name).write_bytes(PICTURE)
    for path in (files, *files.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def open_blog(make_site, rules=RULES, **environment):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="l402-blog-"))
    directory.chmod(0o755)
    lay_out(directory / "files")
    return make_site(rules.format(files=directory / "files", FREE=FREE), http="include /etc/nginx/mime.types;",
                     directory=directory, **environment)


def soon(what, condition, seconds=10):
    """Waits for something that is asked of a page, which may be going away just then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            value = condition()
        except BrowserError:
            value = None
        if value:
            return value
        time.sleep(0.03)
    raise AssertionError(f"not within {seconds} s: {what}")


def reads(tab, words, seconds=10):
    """Waits until the tab shows the goods."""
    try:
        soon(words, lambda: words in tab.text, seconds)
    except AssertionError:
        raise AssertionError(f"not within {seconds} s: {words!r}; {tab.url} shows: {tab.text[:600]}") from None


def asked(tab, word="status"):
    """How often the tab has asked the gate by a word of its own."""
    return len(tab.requests(f"l402={word}"))


def invoice_of(html):
    found = re.search(r"lightning:(lnbc[a-z0-9]+)", html)
    return found and found[1]


class Elsewhere(requests.adapters.HTTPAdapter):
    """Comes from another address of this machine."""

    def __init__(self, source):
        self.source = source
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        return super().init_poolmanager(*arguments, source_address=(self.source, 0), **options)


def reader_at(source):
    session = requests.Session()
    session.mount("http://", Elsewhere(source))
    return session


class Between:
    """A relay before LNbits, which counts what it is asked and can be cut."""

    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.target = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lines = []
        self.is_cut = False
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            server = socket.create_connection(self.target)
            self.open |= {client, server}
            for source, sink, counts in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.pass_on, args=(source, sink, counts), daemon=True).start()

    def pass_on(self, source, sink, counts):
        try:
            while data := source.recv(65536):
                if counts and (line := re.match(rb"(GET|POST|PUT) (\S+) HTTP", data)):
                    self.lines.append((time.time(), line[1].decode(), line[2].decode()))
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            self.open.discard(end)
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def cut(self):
        self.is_cut = True
        for end in list(self.open):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def mend(self):
        self.is_cut = False

    def questions(self, begin=0.0):
        """What was asked that makes no invoice."""
        return [line for line in self.lines if line[0] >= begin and line[1] == "GET"]


def picture(tab, name):
    """A page in every width, light and dark."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        for dark in (False, True):
            tab.look(width, dark)
            tab.screenshot(PAGES / f"{name}-{width}-{'dark' if dark else 'light'}.png")


def lay_out_index():
    """One page with all pictures."""
    names = sorted({path.name.rsplit("-", 2)[0] for path in PAGES.glob("*-*-*.png")})
    rows = "".join(
        f"<h2>{name}</h2><p>" + " ".join(f'<img alt="" src="{path.name}">' for path in sorted(PAGES.glob(f"{name}-[0-9]*.png")))
        for name in names)
    (PAGES / "index.html").write_text(document(rows + "<style>img{border:1px solid;vertical-align:top}</style>", "Pages"))
