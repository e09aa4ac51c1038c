"""Real browsers, driven by what they speak themselves: Chromium by the DevTools protocol, Firefox by
WebDriver BiDi. Each test opens readers of its own (no cookie in common) in one running browser.

Names below `.test` lead to this machine: sites that are not each other's, over plain http.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import websocket

from parts import wait_for

NAMES = ("blog.test", "shop.blog.test", "evil.blog.test", "other.test")


class Wire:
    """JSON with numbered questions over a web socket; events are kept until somebody looks."""

    def __init__(self, url):
        self.socket = websocket.create_connection(url, timeout=60, suppress_origin=True, skip_utf8_validation=True)
        self.last = 0
        self.events = []

    def ask(self, method, parameters, **more):
        self.last += 1
        number = self.last
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters, **more}))
        end = time.monotonic() + 60
        while True:
            if time.monotonic() > end:
                raise BrowserError(f"{method}: no answer within a minute")
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']} {message.get('message', '')}")
                return message["result"]
            self.events.append(message)

    def pump(self):
        """Takes in what has come."""
        self.socket.settimeout(0.001)
        try:
            while True:
                self.events.append(json.loads(self.socket.recv()))
        except websocket.WebSocketTimeoutException:
            pass
        finally:
            self.socket.settimeout(60)


class BrowserError(Exception):
    pass


def plain(text):
    return re.sub("[\u00a0\u2009\u202f]", " ", text)


class Process:
    """A browser in a session of its own: its helpers end with it."""

    def __init__(self, command, **more):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="l402-browser-"))
        self.log = self.home / "log"
        self.process = subprocess.Popen(
            [*command(self.home)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"),
            start_new_session=True, **more)

    def address(self, before):
        """What the browser says after these words of its log."""
        def said():
            text = self.log.read_text(errors="replace")
            assert self.process.poll() is None, text
            _, found, rest = text.partition(before)
            return rest.split()[0] if found and "\n" in rest else None

        return wait_for(f"{before!r} in the browser's log", said, 60)

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Chromium:
    def __init__(self, cookies=True):
        def command(home):
            if not cookies:
                preferences = home / "Default" / "Preferences"
                preferences.parent.mkdir()
                preferences.write_text(json.dumps({"profile": {"default_content_setting_values": {"cookies": 2}}}))
            return [*self.COMMAND, f"--user-data-dir={home}", "about:blank"]

        self.process = Process(command)
        self.wire = Wire(self.process.address("DevTools listening on "))
        self.readers = []

    COMMAND = [
        "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
        "--disable-dev-shm-usage", "--remote-debugging-port=0", "--host-resolver-rules=MAP *.test 127.0.0.1"]

    def reader(self, **options):
        reader = Reader(self, **options)
        self.readers.append(reader)
        return reader

    def close_readers(self):
        while self.readers:
            self.readers[-1].close()
        self.wire.events.clear()

    def stop(self):
        self.process.stop()


class Reader:
    """Somebody with a browser of his own: cookies, tabs."""

    def __init__(self, browser, script=True, dark=False, width=1280, language="en"):
        self.browser = browser
        self.settings = {"script": script, "dark": dark, "width": width, "language": language}
        self.context = browser.wire.ask("Target.createBrowserContext", {})["browserContextId"]

    def tab(self, url=None, before=None):
        return Tab(self, url, before)

    def cookies(self):
        return self.browser.wire.ask("Storage.getCookies", {"browserContextId": self.context})["cookies"]

    def set_cookie(self, **cookie):
        self.browser.wire.ask("Storage.setCookies", {"browserContextId": self.context, "cookies": [cookie]})

    def clear_cookies(self):
        self.browser.wire.ask("Storage.clearCookies", {"browserContextId": self.context})

    def close(self):
        if self in self.browser.readers:
            self.browser.readers.remove(self)
        self.browser.wire.ask("Target.disposeBrowserContext", {"browserContextId": self.context})


class Page:
    """What a tab shows, whatever the browser: it has `evaluate`."""

    @property
    def url(self):
        return self.evaluate("location.href")

    @property
    def text(self):
        """What can be seen, not what is in the document; every blank is a plain one."""
        return plain(self.evaluate("document.body ? document.body.innerText : ''"))

    @property
    def state(self):
        return self.evaluate("document.querySelector('main')?.dataset.state ?? null")

    @property
    def invoice(self):
        """The invoice that the page shows, or none."""
        return self.read("[data-l402=invoice]", "value")

    def read(self, selector, what="textContent"):
        return self.evaluate(f"(e => e && e[{json.dumps(what)}])(document.querySelector({json.dumps(selector)}))")


class Tab(Page):
    def __init__(self, reader, url, before):
        self.reader = reader
        self.wire = reader.browser.wire
        self.target = self.wire.ask("Target.createTarget", {
            "url": "about:blank", "browserContextId": reader.context})["targetId"]
        self.session = self.wire.ask("Target.attachToTarget", {"targetId": self.target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(domain + ".enable")
        settings = reader.settings
        self.ask("Emulation.setScriptExecutionDisabled", value=not settings["script"])
        self.look(settings["width"], settings["dark"])
        self.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": settings["language"]})
        if before:
            self.ask("Page.addScriptToEvaluateOnNewDocument", source=before)
        if url:
            self.go(url)

    def ask(self, method, **parameters):
        return self.wire.ask(method, parameters, sessionId=self.session)

    def look(self, width, dark, height=900):
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    # --- Going ---

    def go(self, url, referrer=None):
        """Navigates as if the address had been typed, and waits for the page."""
        answer = self.ask("Page.navigate", url=url, **({"referrer": referrer} if referrer else {}))
        if "errorText" in answer and answer["errorText"] not in ("net::ERR_ABORTED", "net::ERR_HTTP_RESPONSE_CODE_FAILURE"):
            raise BrowserError(answer["errorText"])
        self.wait_loaded(answer.get("loaderId"))
        return self

    def reload(self):
        self.settle(lambda: self.ask("Page.reload"))

    def back(self):
        history = self.ask("Page.getNavigationHistory")
        entry = history["entries"][history["currentIndex"] - 1]["id"]
        self.settle(lambda: self.ask("Page.navigateToHistoryEntry", entryId=entry))

    def settle(self, action):
        """Does something that leads to another document, and waits for that."""
        self.wire.pump()
        begin = len(self.wire.events)
        action()
        wait_for("the next page", lambda: [
            event for event in self.events("Page.frameNavigated", begin) if "parentId" not in event["frame"]])
        self.wait_loaded(None)

    def copy(self):
        """The document as it came, in a tab without the policy that came with it."""
        tab = self.reader.tab()
        tab.ask("Page.setDocumentContent", frameId=tab.target, html=self.html)
        return tab

    def wait_loaded(self, loader):
        def loaded():
            try:
                tree = self.ask("Page.getFrameTree")["frameTree"]["frame"]
                return (loader is None or tree.get("loaderId") == loader) and \
                    self.evaluate("document.readyState") == "complete"
            except BrowserError:
                # It went away while it was asked.
                return False

        wait_for("the page", loaded, 30)

    def events(self, method, begin=0):
        self.wire.pump()
        return [event["params"] for event in self.wire.events[begin:]
                if event.get("method") == method and event.get("sessionId") == self.session]

    # --- Looking ---

    def evaluate(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True,
                          userGesture=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    @property
    def html(self):
        """The document as it came over the wire."""
        return self.response_body(self.document())

    def has(self, selector):
        return self.evaluate(f"(e => !!e && !!e.getClientRects().length)(document.querySelector({json.dumps(selector)}))")

    def document(self):
        """The last answer that became a document of this tab."""
        return self.answers("Document")[-1]

    def answers(self, kind=None):
        """What the network gave this tab: url, status, headers, by time."""
        return [event | event["response"] for event in self.events("Network.responseReceived")
                if kind is None or event["type"] == kind]

    def requests(self, part=""):
        return [event for event in self.events("Network.requestWillBeSent") if part in event["request"]["url"]]

    def response_body(self, answer):
        body = self.ask("Network.getResponseBody", requestId=answer["requestId"])
        return base64.b64decode(body["body"]).decode() if body["base64Encoded"] else body["body"]

    def complaints(self):
        """What the browser logs as wrong: refused by the policy, an exception of a script."""
        logged = [event["entry"]["text"] for event in self.events("Log.entryAdded")
                  if event["entry"]["source"] in ("security", "violation", "javascript")]
        return logged + [event["exceptionDetails"]["text"] for event in self.events("Runtime.exceptionThrown")]

    def screenshot(self, path=None):
        # A tab behind another one is not drawn.
        self.show()
        picture = base64.b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"])
        if path:
            pathlib.Path(path).write_bytes(picture)
        return picture

    def accessibility(self):
        """(role, name, …) of what a screen reader finds."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes
                if not node.get("ignored") and "role" in node]

    # --- Doing ---

    def click(self, selector):
        """By the mouse, where the thing is: an element that is hidden or covered is not reached."""
        place = self.evaluate(f"""(e => {{
            e.scrollIntoView({{block: "center"}});
            const box = e.getClientRects()[0];
            return box && [box.x + box.width / 2, box.y + box.height / 2];
        }})(document.querySelector({json.dumps(selector)}))""")
        if not place:
            raise BrowserError(f"nothing to click: {selector}")
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, key, code=None, number=0):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, windowsVirtualKeyCode=number,
                     **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}))

    def show(self):
        self.ask("Page.bringToFront")

    def close(self):
        self.wire.ask("Target.closeTarget", {"targetId": self.target})


class Firefox:
    def __init__(self):
        def command(home):
            (home / "user.js").write_text("".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in {
                "network.dns.localDomains": ",".join(NAMES), "browser.shell.checkDefaultBrowser": False,
                "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
                "app.update.enabled": False, "network.captive-portal-service.enabled": False,
                "network.connectivity-service.enabled": False, "browser.safebrowsing.update.enabled": False,
                "services.settings.server": "", "extensions.update.enabled": False, "remote.active-protocols": 1,
                "browser.aboutwelcome.enabled": False, "fission.bfcacheInParent": True,
            }.items()))
            return ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(home)]

        self.process = Process(command)
        self.wire = Wire(self.process.address("WebDriver BiDi listening on ") + "/session")
        self.wire.ask("session.new", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})
        self.users = []

    def tab(self, url=None):
        """A tab of a reader of its own."""
        user = self.wire.ask("browser.createUserContext", {})["userContext"]
        self.users.append(user)
        return FirefoxTab(self, user, url)

    def close_readers(self):
        while self.users:
            self.wire.ask("browser.removeUserContext", {"userContext": self.users.pop()})

    def stop(self):
        self.process.stop()


class FirefoxTab(Page):
    def __init__(self, browser, user, url):
        self.browser, self.user = browser, user
        self.context = browser.wire.ask("browsingContext.create", {"type": "tab", "userContext": user})["context"]
        if url:
            self.go(url)

    def ask(self, method, **parameters):
        return self.browser.wire.ask(method, {"context": self.context, **parameters})

    def another(self, url=None):
        """Another tab of the same reader."""
        return FirefoxTab(self.browser, self.user, url)

    def go(self, url):
        self.ask("browsingContext.navigate", url=url, wait="complete")
        return self

    def evaluate(self, expression):
        answer = self.browser.wire.ask("script.evaluate", {
            "expression": expression, "target": {"context": self.context}, "awaitPromise": True,
            "userActivation": True})
        if answer["type"] == "exception":
            raise BrowserError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def click(self, selector):
        # Afterwards: nobody answers for a page that has just been left.
        self.evaluate(f"void setTimeout(() => document.querySelector({json.dumps(selector)}).click())")

    def reload(self):
        self.ask("browsingContext.reload", wait="complete")

    def screenshot(self, path=None):
        picture = base64.b64decode(self.ask("browsingContext.captureScreenshot", origin="document")["data"])
        if path:
            pathlib.Path(path).write_bytes(picture)
        return picture
