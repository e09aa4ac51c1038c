"""What a reader does, in Firefox."""
import io
import time

from people import ARTICLE, PAGES, READ, reads, soon
from PIL import Image
from pyzbar.pyzbar import ZBarSymbol, decode


def test_a_reader_scans_pays_and_reads(blog, firefox):
    tab = firefox.tab(blog.url + ARTICLE)
    assert tab.state == "invoice"
    PAGES.mkdir(parents=True, exist_ok=True)
    code, = decode(Image.open(io.BytesIO(tab.screenshot(PAGES / "firefox.png"))), symbols=[ZBarSymbol.QRCODE])
    assert code.data.decode() == "LIGHTNING:" + tab.invoice.upper()
    before = tab.read("[role=timer]")
    soon("the next second", lambda: tab.read("[role=timer]") != before, 3)
    paid = time.monotonic()
    blog.wallet.pay(tab.invoice)
    reads(tab, READ[ARTICLE])
    assert time.monotonic() - paid < 4
    tab.reload()
    reads(tab, READ[ARTICLE])


def test_a_tab_behind_another_opens_when_it_is_looked_at(blog, firefox):
    tab = firefox.tab(blog.url + "/album/index.html")
    front = tab.another(blog.url + "/open/x.html")
    front.ask("browsingContext.activate")
    blog.wallet.pay(tab.invoice)
    tab.ask("browsingContext.activate")
    reads(tab, "Goods Album")


def test_a_counted_view_and_the_way_back(blog, firefox):
    tab = firefox.tab(blog.url + "/one/a.html")
    blog.wallet.pay(tab.invoice)
    reads(tab, "Goods A")
    tab.go(blog.url + "/open/x.html")
    tab.ask("browsingContext.traverseHistory", delta=-1)
    reads(tab, "Goods A")
    tab.go(blog.url + "/one/b.html")
    assert tab.state == "invoice", "what was bought was one view"


def test_a_link_of_another_site_takes_nothing(blog, firefox):
    (blog.gate.directory / "files" / "open" / "firefox.html").write_text(
        f'<!DOCTYPE html><title>x</title><a id="go" href="{blog.url}/ten/b.html">read</a>')
    tab = firefox.tab(blog.url + "/ten/a.html")
    blog.wallet.pay(tab.invoice)
    reads(tab, "Goods Ten")
    tab.go(blog.url.replace("127.0.0.1", "localhost") + "/open/firefox.html")
    tab.click("#go")
    soon("what is left", lambda: tab.state == "left" and "9 of 10 left" in tab.text)
    tab.click("a.button")
    reads(tab, "Goods Ten B")


def test_a_purchase_goes_to_another_device(blog, firefox):
    tab = firefox.tab(blog.url + ARTICLE)
    blog.wallet.pay(tab.invoice)
    reads(tab, READ[ARTICLE])
    tab.go(blog.url + ARTICLE + "?l402=receipt")
    link = tab.evaluate("[...document.querySelectorAll('textarea')].map(e => e.value).find(t => t.includes('#'))")
    there = firefox.tab(link)
    assert "#" not in there.url
    soon("the button", lambda: there.read("[data-l402=claim]", "disabled") is False)
    there.click("[data-l402=claim]")
    reads(there, READ[ARTICLE])
