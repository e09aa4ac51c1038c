#!/usr/bin/env python3
"""A small real backend for the demo and the tests: HTTP on 127.0.0.1, answers in JSON.

    backend.py PORT

Every path echoes what arrived. /status/NNN answers with that status, /slow/SECONDS waits,
/die closes the connection in the middle of its answer, /cors names an origin of its own.
GET /_seen lists every request so far, for the tests.
"""
import http.server
import json
import sys
import time

seen = []


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.path == "/_seen":
            return self.answer(200, seen)
        what = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "length": len(body),
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

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Backend)
    server.daemon_threads = True
    server.serve_forever()
