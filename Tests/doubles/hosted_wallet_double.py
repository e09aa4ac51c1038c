#!/usr/bin/env python3
"""A double of a hosted Lightning wallet behind LNbits (its "Alby" funding source), which gives its
invoices a life of its own whatever LNbits orders.

    python hosted_wallet_double.py PORT

Run it with the Python of a venv that has lnbits. PUT /_life with a number of seconds sets the life of
the next invoices; 0 leaves it out, which means an hour.
"""
import hashlib
import http.server
import json
import os
import sys
import time

from bolt11 import Bolt11, MilliSatoshi, TagChar, Tags, encode

life = 0


class Double(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/balance"):
            return self.answer(200, {"balance": 1_000_000_000, "currency": "BTC", "unit": "sat"})
        return self.answer(200, {"settled": False, "state": "CREATED"})

    def do_PUT(self):
        global life
        life = int(self.body())
        self.answer(200, {})

    def do_POST(self):
        asked = json.loads(self.body())
        preimage = os.urandom(32)
        payment_hash = hashlib.sha256(preimage).hexdigest()
        tags = Tags()
        tags.add(TagChar.description, asked.get("memo") or "")
        tags.add(TagChar.payment_secret, os.urandom(32).hex())
        tags.add(TagChar.payment_hash, payment_hash)
        if life:
            tags.add(TagChar.expire_time, life)
        invoice = Bolt11(currency="bc", amount_msat=MilliSatoshi(int(asked["amount"]) * 1000),
                         date=int(time.time()), tags=tags)
        self.answer(201, {"payment_hash": payment_hash, "payment_preimage": preimage.hex(),
                          "payment_request": encode(invoice, os.urandom(32).hex())})

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Double).serve_forever()
