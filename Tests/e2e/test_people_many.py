"""Many readers at once: behind one address, and waiting."""
import asyncio
import os
import re
import time

import requests
from parts import resident_megabytes, wait_for
from people import ARTICLE, OTHER, READ, Between, invoice_of, open_blog, reader_at

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}
FORM = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}


def test_twenty_readers_behind_one_address_all_get_to_read(make_site):
    site = open_blog(make_site, L402_MAX_PENDING="20")
    readers = [requests.Session() for _ in range(20)]
    shown = []
    for reader in readers:
        page = reader.get(site.url + ARTICLE, headers=NAVIGATION, timeout=20)
        assert page.status_code == 402
        shown.append(invoice_of(page.text))
    assert all(shown[:10]) and not any(shown[10:]), "half of the places are for those who ask by a click"
    for reader, invoice in list(zip(readers, shown))[10:]:
        assert "l402=offer" in reader.get(site.url + ARTICLE, headers=NAVIGATION, timeout=20).text
        page = reader.post(site.url + ARTICLE + "?l402=offer", headers=FORM, timeout=20)
        assert page.status_code == 402 and page.history[0].status_code == 303
        shown[readers.index(reader)] = invoice_of(page.text)
    assert len(set(shown)) == 20 and all(shown), "to each his own"
    full = requests.post(site.url + ARTICLE + "?l402=offer", headers=FORM, timeout=20)
    assert full.status_code == 429 and "<main" in full.text and "Retry-After" in full.headers
    for reader, invoice in zip(readers, shown):
        site.wallet.pay(invoice)
    for reader in readers:
        wait_for("the article", lambda: READ[ARTICLE] in reader.get(site.url + ARTICLE, headers=NAVIGATION, timeout=20).text)


async def ask_forever(port, path, source, cookie, results, end):
    """A page that waits: it asks once a second, over a connection that stays."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    request = (f"GET {path}?l402=status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
               f"Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Dest: empty\r\nCookie: {cookie}\r\n\r\n").encode()
    while time.monotonic() < end:
        begun = time.monotonic()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if length := re.search(r"(?i)content-length: (\d+)", head):
            body = await reader.readexactly(int(length[1]))
        else:
            body = b""
            while size := int((await reader.readline()).strip() or b"0", 16):
                body += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readexactly(2)
        results.append((time.monotonic() - begun, int(head.split()[1]), body))
        await asyncio.sleep(max(0, begun + 1 - time.monotonic()))
    writer.close()


def test_many_pages_that_wait_cost_lnbits_two_questions_a_second(make_site, wallet):
    # So many in the daily run; the figures of the README are for a thousand.
    count = int(os.environ.get("L402_TEST_PAGES", "300"))
    between = Between(wallet.url)
    site = open_blog(make_site, LNBITS_URL=between.url, L402_MAX_PENDING="1000")
    cookies, invoices = [], []
    for number in range(count):
        # 250 behind each address.
        source = f"127.0.0.{2 + number // 250}"
        page = reader_at(source).get(site.url + ARTICLE, headers=NAVIGATION, timeout=20)
        assert page.status_code == 402, page.text
        invoices.append(invoice_of(page.text))
        cookies.append((source, "; ".join(f"{cookie.name}={cookie.value}" for cookie in page.cookies)))
    results, made = [], []
    begun, seconds = time.time(), 8

    async def wait_and_buy():
        end = time.monotonic() + seconds
        pages = [asyncio.create_task(ask_forever(site.nginx.port, ARTICLE, *cookie, results, end)) for cookie in cookies]
        for _ in range(5):
            await asyncio.sleep(1)
            before = time.monotonic()
            page = await asyncio.to_thread(requests.get, site.url + OTHER, headers=NAVIGATION, timeout=20)
            made.append((time.monotonic() - before, invoice_of(page.text)))
        await asyncio.to_thread(wallet.pay, invoices[0])
        await asyncio.gather(*pages)

    asyncio.run(wait_and_buy())
    asked = between.questions(begun)
    print(f"{len(results)} questions of {count} pages in {seconds} s, {len(asked)} of the gate to LNbits; "
          f"{resident_megabytes(site.gate.process):.0f} MB; slowest {max(r[0] for r in results):.2f} s; "
          f"invoices in {max(m[0] for m in made):.2f} s")
    assert {status for _, status, _ in results} == {200}
    assert len(results) > count * seconds * 0.5
    assert len(asked) <= 2 * (seconds + 2) + 5, asked[-5:]
    assert all(invoice for _, invoice in made), "and others still buy"
    assert any(b'"paid"' in body for _, _, body in results), "who has paid is told so"
