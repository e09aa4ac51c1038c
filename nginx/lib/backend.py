#!/usr/bin/env python3
"""A small real backend for the demo and the tests: HTTP on 127.0.0.1, answers in JSON.

    backend.py PORT

Every path echoes what arrived. At the end of a path, for the tests: /status/NNN answers with that
status, /slow/SECONDS waits, /die closes the connection in the middle of its answer, /cors names an
origin of its own, /link redirects to an address that it makes of Host, /bytes/N is N bytes, /events/N is N server-sent events with a pause between them,
/socket speaks WebSocket and sends back what it gets. GET /_seen lists every request so far.

With DEMO_PAYER_URL and DEMO_PAYER_KEY, an LNbits and a wallet's admin key, POST /demo/pay pays the
invoice of a form: the button that the demo adds to the pages that ask for money.
"""
import base64
import hashlib
import http.server
import json
import os
import sys
import time
import urllib.parse
import urllib.request

seen = []


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.chunks() if self.headers.get("Transfer-Encoding") == "chunked" else \
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_seen":
            return self.answer(200, seen)
        if self.path == "/demo/pay" and self.command == "POST" and "DEMO_PAYER_KEY" in os.environ:
            return self.pay(body)
        what = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "body": body[:4096].decode("utf-8", "replace"),
        }
        seen.append(what)
        parts = self.path.split("?")[0].split("/")
        if "status" in parts[:-1]:
            return self.answer(int(parts[-1]), {"error": "asked for"})
        if "slow" in parts[:-1]:
            time.sleep(float(parts[-1]))
        if parts[-1] == "die":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            self.close_connection = True
            return None
        if parts[-1] == "link":
            return self.answer(302, what, {"Location": f"http://{self.headers['Host']}/elsewhere"})
        if parts[-1] == "socket":
            return self.web_socket()
        if parts[-2] == "bytes":
            return self.stream("application/octet-stream", int(parts[-1]))
        if parts[-2] == "events":
            return self.events(int(parts[-1]))
        if "weather" in parts:
            what["weather"] = "rain, 7 degrees"
        if parts[-1] == "cors":
            return self.answer(200, what, {"Access-Control-Allow-Origin": "https://backend.test"})
        return self.answer(200, what)

    def answer(self, status, value, headers={}):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def pay(self, form):
        """204: the page that asked stays as it is, and notices the payment."""
        # Nobody else's page presses the button.
        if self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return self.answer(403, {"error": "the button of another site"})
        invoice = urllib.parse.parse_qs(form.decode()).get("invoice", [""])[0]
        payment = urllib.request.Request(
            os.environ["DEMO_PAYER_URL"] + "/api/v1/payments",
            json.dumps({"out": True, "bolt11": invoice}).encode(),
            {"X-Api-Key": os.environ["DEMO_PAYER_KEY"], "Content-Type": "application/json"})
        try:
            urllib.request.urlopen(payment, timeout=30).close()
        except OSError as error:
            return self.answer(502, {"error": f"the demo's wallet did not pay: {error}"})
        self.send_response(204)
        return self.end_headers()

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def stream(self, kind, count):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(count))
        self.end_headers()
        block = bytes(range(256)) * 256
        while self.command != "HEAD" and count > 0:
            self.wfile.write(block[:count])
            count -= len(block)

    def events(self, count):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("X-Accel-Buffering", "no")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for number in range(count):
            self.wfile.write(f"data: {number} {time.time()}\n\n".encode())
            time.sleep(0.3)

    def web_socket(self):
        """One echo of a short frame (RFC 6455), then the end."""
        key = self.headers.get("Sec-WebSocket-Key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.close_connection = True
        kind, length = self.rfile.read(2)
        mask = self.rfile.read(4)
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(length & 127)))
        self.wfile.write(bytes([kind, len(text)]) + text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer.request_queue_size = 1024
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Backend)
    server.daemon_threads = True
    server.serve_forever()
