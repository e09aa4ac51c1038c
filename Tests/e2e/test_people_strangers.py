"""What others do to a reader: sites, sibling domains, links and files of strangers. Real Chromium."""
import json
import re
import time

import pytest
import requests
from people import ARTICLE, OTHER, READ, RULES, document, invoice_of, open_blog, reader_at, reads, soon

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}


def put(site, name, body):
    """A page of the site that everybody may see."""
    path = site.gate.directory / "files" / "open" / name
    path.write_text(document(body))
    path.chmod(0o644)
    return f"/open/{name}"


def foreign(site):
    """The same machine under a name that is another site, and as trustworthy as this one."""
    return site.url.replace("127.0.0.1", "localhost")


def invoices(site):
    return len(site.wallet.call("GET", "/api/v1/payments?limit=10000", site.wallet.key))


def bought(site, reader, path="/ten/a.html", words="Goods Ten"):
    tab = reader.tab(site.url + path)
    site.wallet.pay(tab.invoice)
    reads(tab, words)
    return tab


def uses_left(tab):
    return tab.document()["headers"].get("L402-Uses-Left")


def test_a_link_of_another_site_takes_nothing_until_the_reader_says_so(blog, chromium):
    reader = chromium.reader()
    tab = bought(blog, reader)
    page = put(blog, "link.html", f'<a id="go" href="{blog.url}/ten/b.html">read</a>')
    tab.go(foreign(blog) + page)
    tab.settle(lambda: tab.click("#go"))
    assert tab.document()["status"] == 402 and tab.state == "left"
    assert "9 of 10 left" in tab.text
    tab.settle(lambda: tab.click("a.button"))
    reads(tab, "Goods Ten B")
    assert uses_left(tab) == "8"


def test_a_link_of_another_site_opens_what_is_bought_without_a_count(blog, chromium):
    tab = bought(blog, chromium.reader(), ARTICLE, READ[ARTICLE])
    page = put(blog, "link2.html", f'<a id="go" href="{blog.url}{ARTICLE}">read</a>')
    tab.go(foreign(blog) + page)
    tab.settle(lambda: tab.click("#go"))
    reads(tab, READ[ARTICLE])


@pytest.mark.parametrize("form", ['<form method="post" action="{url}/ten/b.html?l402=offer">',
                                  '<form method="post" action="{url}/ten/b.html">',
                                  '<form method="post" action="{url}/ten/b.html?l402=claim" enctype="text/plain">'])
def test_a_form_of_another_site_takes_and_makes_nothing(blog, chromium, form):
    reader = chromium.reader()
    tab = bought(blog, reader)
    page = put(blog, "form.html", form.format(url=blog.url) + '<input name="{&quot;token&quot;:&quot;x&quot;}"><button>go</button></form>')
    cookies = {cookie["name"] for cookie in reader.cookies()}
    before = invoices(blog)
    tab.go(foreign(blog) + page)
    tab.settle(lambda: tab.click("button"))
    assert tab.document()["status"] in (402, 403, 404, 405), tab.text
    assert invoices(blog) == before
    assert {cookie["name"] for cookie in reader.cookies()} == cookies
    tab.go(blog.url + "/ten/b.html")
    assert uses_left(tab) == "8"


def test_a_picture_of_another_site_takes_and_makes_nothing(blog, chromium):
    reader = chromium.reader()
    tab = bought(blog, reader)
    page = put(blog, "image.html", f'<img src="{blog.url}/ten/picture.png" alt="x"><img src="{blog.url}/one/a.html" alt="x">')
    before = invoices(blog)
    tab.go(foreign(blog) + page)
    # The browser shows the page nothing of these answers; this is what came over the wire.
    asked = soon("both questions", lambda: (r := [r["requestId"] for r in tab.requests(blog.url)])[1:] and r)[-2:]
    told = soon("both answers", lambda: (a := [a for a in tab.events("Network.responseReceivedExtraInfo")
                                               if a["requestId"] in asked])[1:] and a)
    assert [answer["statusCode"] for answer in told] == [402, 402]
    assert all("set-cookie" not in {name.lower() for name in answer["headers"]} for answer in told)
    assert invoices(blog) == before
    tab.go(blog.url + "/ten/b.html")
    assert uses_left(tab) == "8"


def test_a_prefetch_takes_and_makes_nothing(blog, chromium):
    reader = chromium.reader()
    tab = bought(blog, reader)
    page = put(blog, "prefetch.html", '<link rel="prefetch" href="/ten/b.html"><link rel="prefetch" href="/one/a.html">')
    before = invoices(blog)
    tab.go(blog.url + page)
    ahead = soon("both answers", lambda: (a := [
        answer for answer in tab.answers() if answer["url"].endswith(("/ten/b.html", "/one/a.html"))])[1:] and a)
    assert [answer["status"] for answer in ahead] == [503, 503]
    assert all("no-store" in {n.lower(): v for n, v in a["headers"].items()}["cache-control"] for a in ahead)
    assert invoices(blog) == before
    tab.go(blog.url + "/ten/b.html")
    reads(tab, "Goods Ten B")
    assert uses_left(tab) == "8"


def test_a_script_of_the_site_takes_no_counted_view(blog, chromium):
    tab = bought(blog, chromium.reader())
    for options in ("{}", "{headers: {Accept: 'text/html'}}", "{method: 'POST'}"):
        assert tab.evaluate(f"fetch('/ten/b.html', {options}).then(a => a.status)") in (402, 404, 405)
    tab.go(blog.url + "/ten/b.html")
    assert uses_left(tab) == "8"


def test_a_service_worker_of_the_site_takes_no_view_by_itself(blog, chromium):
    worker = blog.gate.directory / "files" / "sw.js"
    worker.write_text("onactivate = event => event.waitUntil(clients.claim());"
                      "onfetch = event => event.respondWith(fetch(event.request));"
                      "onmessage = event => fetch(event.data).then(a => event.source.postMessage(a.status));")
    worker.chmod(0o644)
    reader = chromium.reader()
    bought(blog, reader, ARTICLE, READ[ARTICLE]).close()
    tab = bought(blog, reader)
    tab.go(blog.url + "/open/x.html")
    tab.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => 1)")
    soon("the worker", lambda: tab.evaluate("!!navigator.serviceWorker.controller"))
    # What somebody opens goes through it, and opens.
    tab.go(blog.url + ARTICLE)
    reads(tab, READ[ARTICLE])
    assert tab.document()["fromServiceWorker"]
    assert tab.evaluate("""new Promise(done => {
        navigator.serviceWorker.onmessage = event => done(event.data);
        navigator.serviceWorker.controller.postMessage('/ten/b.html');
    })""") == 402
    tab.go(blog.url + "/ten/b.html")
    reads(tab, "Goods Ten B")
    assert uses_left(tab) == "8"
    # And the page of the gate is one behind it, too.
    tab.go(blog.url + OTHER)
    assert tab.state == "invoice"
    blog.wallet.pay(tab.invoice)
    reads(tab, READ[OTHER])


@pytest.fixture
def stranger():
    """Somebody at another address."""
    session = reader_at("127.0.0.2")
    session.headers.update(NAVIGATION)
    return session


def test_the_cookie_of_a_sibling_domain_has_nobody_pay_a_strangers_invoice(blog, chromium, stranger):
    page = stranger.get(blog.url + "/one/a.html")
    strangers = invoice_of(page.text)
    cookie = next(iter(stranger.cookies))
    assert strangers and cookie.name.startswith("l402-")
    assert invoice_of(stranger.get(blog.url + "/one/a.html").text) == strangers, "his own is offered to him again"
    reader = chromium.reader()
    # evil.blog.test may set cookies for all of blog.test; this is one.
    reader.set_cookie(name=cookie.name, value=cookie.value, domain=".blog.test", path="/")
    reader.set_cookie(name=cookie.name, value=cookie.value, domain="127.0.0.1", path="/")
    tab = reader.tab(blog.url + "/one/a.html")
    assert tab.invoice and tab.invoice != strangers
    plain = reader.tab(blog.url.replace("127.0.0.1", "blog.test") + "/one/a.html")
    if not plain.invoice:
        plain.settle(lambda: plain.click("form[action*='l402=offer'] button"))
    assert plain.invoice and plain.invoice != strangers
    # Should it turn out paid after all, it opens.
    blog.wallet.pay(strangers)
    plain.go(blog.url.replace("127.0.0.1", "blog.test") + "/one/a.html")
    reads(plain, "Goods A")


def receipt_link(tab, url):
    tab.go(url + ("&" if "?" in url else "?") + "l402=receipt")
    return tab.evaluate("[...document.querySelectorAll('textarea')].map(e => e.value).find(t => t.includes('#')) ?? null")


def test_a_purchase_goes_to_another_device(blog, chromium):
    here = bought(blog, chromium.reader(), ARTICLE, READ[ARTICLE])
    link = receipt_link(here, blog.url + ARTICLE)
    assert here.document()["status"] == 200 and here.state == "receipt"
    policy = {name.lower(): value for name, value in here.document()["headers"].items()}["content-security-policy"]
    assert "sandbox" in policy and "frame-ancestors 'none'" in policy and "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    address, _, fragment = link.partition("#")
    assert address == blog.url + ARTICLE + "?l402=claim" and len(fragment) > 100
    there = chromium.reader().tab(link)
    assert there.url == address, "the token is out of the address at once"
    assert there.state == "claim" and there.reader.cookies() == [], "it asks first"
    there.click("[data-l402=claim]")
    reads(there, READ[ARTICLE])
    assert there.url == blog.url + ARTICLE
    assert fragment.removeprefix("l402=") not in json.dumps(there.ask("Page.getNavigationHistory"))
    here.go(blog.url + ARTICLE)
    reads(here, READ[ARTICLE])


def test_what_is_bought_is_forgotten_on_this_device_alone(blog, chromium):
    reader = chromium.reader()
    tab = bought(blog, reader, ARTICLE, READ[ARTICLE])
    link = receipt_link(tab, blog.url + ARTICLE)
    tab.settle(lambda: tab.click("form button"))
    assert not [cookie for cookie in reader.cookies() if cookie["name"].startswith("l402")]
    # The browser may still have kept the article itself, as it keeps pages; asked anew it is sold.
    tab.go(blog.url + ARTICLE)
    tab.reload()
    assert tab.document()["status"] == 402
    there = chromium.reader().tab(link)
    there.click("[data-l402=claim]")
    reads(there, READ[ARTICLE])


def test_a_receipt_without_a_purchase_says_what_to_do(blog, chromium):
    tab = chromium.reader().tab(blog.url + ARTICLE + "?l402=receipt")
    assert tab.state == "receipt" and "Nothing has been bought" in tab.text
    assert tab.read("textarea") is None


def test_a_link_with_an_unpaid_token_opens_nothing_and_leaves_nothing(blog, chromium, stranger):
    stranger.get(blog.url + ARTICLE)
    token = next(iter(stranger.cookies)).value
    reader = chromium.reader()
    tab = reader.tab(f"{blog.url}{ARTICLE}?l402=claim#l402={token}")
    tab.click("[data-l402=claim]")
    soon("the words", lambda: "opens nothing here" in tab.text)
    assert reader.cookies() == []
    # And a token in another's place replaces no cookie.
    tab = bought(blog, reader, OTHER, READ[OTHER])
    own = {cookie["name"]: cookie["value"] for cookie in reader.cookies()}
    tab.go(f"{blog.url}{OTHER}?l402=claim#l402={token}")
    tab.click("[data-l402=claim]")
    soon("the words", lambda: "opens nothing here" in tab.text)
    assert {cookie["name"]: cookie["value"] for cookie in reader.cookies()} == own


def test_a_claim_comes_from_the_page_itself_alone(blog, chromium):
    here = bought(blog, chromium.reader(), ARTICLE, READ[ARTICLE])
    token = receipt_link(here, blog.url + ARTICLE).partition("#")[2].removeprefix("l402=")
    address, host = blog.url + ARTICLE + "?l402=claim", blog.url.removeprefix("http://")
    body = json.dumps({"token": token})
    kind = {"Content-Type": "application/json"}
    for headers, status in (({"Sec-Fetch-Site": "same-origin"}, None), ({"Origin": blog.url}, None),
                            ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
                            ({"Origin": "http://evil.test"}, 403), ({"Origin": "null"}, 403), ({}, 403)):
        answer = requests.post(address, data=body, headers={**kind, **headers}, timeout=20)
        if status:
            assert answer.status_code == status and "Set-Cookie" not in answer.headers, headers
        else:
            assert answer.ok and "l402-" in answer.headers["Set-Cookie"], (headers, answer.text)
    answer = requests.post(address, data=body, headers={"Content-Type": "text/plain", "Origin": blog.url}, timeout=20)
    assert not answer.ok and "Set-Cookie" not in answer.headers
    assert host


def test_no_script_of_the_site_reads_the_receipt(blog, chromium):
    reader = chromium.reader()
    tab = bought(blog, reader, ARTICLE, READ[ARTICLE])
    secret = receipt_link(tab, blog.url + ARTICLE).partition("#")[2]
    address = ARTICLE + "?l402=receipt"
    tab.go(blog.url + "/open/x.html")
    told = tab.evaluate(f"fetch('{address}', {{headers: {{Accept: 'text/html'}}}}).then(a => a.text())")
    assert secret not in told
    # In a frame it is not shown.
    tab.evaluate(f"""new Promise(done => {{ const f = document.createElement('iframe'); f.onload = done;
        f.src = '{address}'; document.body.append(f); setTimeout(done, 3000); }})""")
    assert secret not in tab.evaluate(
        "(f => { try { return f.contentDocument?.body?.innerText ?? '' } catch { return '' } })(document.querySelector('iframe'))")
    # In a window that the script opens it is shown, to the person alone.
    tab.evaluate(f"window.other = window.open('{address}'); 1")
    time.sleep(1)
    assert tab.evaluate("(() => { try { return window.other.document.body.innerText } catch (e) { return e.name } })()") \
        in ("SecurityError", "", None, "TypeError")


HOSTILE = [
    "<script>document.title='owned'</script>", "\"><img src=x onerror=document.title='owned'>",
    "'-document.title='owned'-'", "{{invoice}}{{#memo}}", "</textarea></title><script>document.title='owned'</script>",
    "‮evil", "&lt;script&gt;",
]


@pytest.mark.parametrize("memo", [text.replace('"', '\\"') for text in HOSTILE])
def test_a_hostile_memo_is_text(make_site, chromium, memo):
    site = make_site(f'GET /goods/** price=1 serve=demo memo="{memo}"\n')
    tab = chromium.reader().tab(site.url + "/goods/x")
    shown = memo.replace('\\"', '"')
    assert tab.evaluate("document.title") != "owned"
    assert tab.read("h1").strip() == shown.replace("‮", "")
    assert tab.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert tab.complaints() == []
    site.gate.stop()
    site.nginx.stop()


@pytest.mark.parametrize("path", [
    "/goods/%3Cscript%3Ealert(1)%3C/script%3E", "/goods/x?a=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E", "/goods/x?\"><b>",
    "/goods/x?a='onmouseover='alert(1)", "/goods/%7B%7Binvoice%7D%7D", "/goods/x?l402=wait&l402=status&a=&&b"])
def test_a_hostile_address_is_text(blog, chromium, path):
    tab = chromium.reader(script=False).tab(blog.url + path)
    assert tab.document()["status"] == 402, tab.text
    assert tab.evaluate("document.querySelectorAll('main img, main script, main b, [onmouseover]').length") == 0
    assert tab.complaints() == []
