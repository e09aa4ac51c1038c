#!/usr/bin/env python3
"""A double of LNbits for faults that the real one will not produce on demand.

    faulty_lnbits.py PORT

It makes invoices with a valid checksum (and a signature of zeros), and says of a payment what it was
told by PUT /_paid/HASH. PUT /_fault {"create": NAME, "check": NAME} makes the next answers of that
kind faulty until it is changed; "" ends it; "latency" is milliseconds before each answer. GET /_calls
counts the calls, GET /_last tells the newest preimage.
"""
import hashlib
import http.server
import json
import os
import socket
import struct
import sys
import time

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def polymod(values):
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum


def words(data):
    number, bits = int.from_bytes(data, "big"), len(data) * 8
    padding = -bits % 5
    number <<= padding
    count = (bits + padding) // 5
    return [number >> 5 * (count - 1 - i) & 31 for i in range(count)]


def invoice(msat, payment_hash, expiry, network="bc"):
    """BOLT #11 with timestamp, payment hash and expiry."""
    prefix = f"ln{network}{msat * 10}p"
    now = int(time.time())
    data = [now >> 5 * (6 - i) & 31 for i in range(7)]
    data += [1, 52 >> 5, 52 & 31] + words(payment_hash)
    seconds = [expiry >> 10 & 31, expiry >> 5 & 31, expiry & 31] if expiry < 1 << 15 else words(expiry.to_bytes(5, "big"))
    data += [6, 0, len(seconds)] + seconds
    data += [0] * 104
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = polymod(expanded + data + [0] * 6) ^ 1
    data += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(ALPHABET[word] for word in data)


faults = {"create": "", "check": "", "latency": 0}
payments = {}
calls = {"create": 0, "check": 0}


class Double(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: else the system waits 40 ms between them.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_PUT(self):
        body = self.body()
        if self.path == "/_fault":
            faults.update(json.loads(body))
        elif self.path.startswith("/_paid/"):
            payments[self.path[7:]]["paid"] = True
        self.answer(200, {})

    def do_GET(self):
        if self.path == "/_calls":
            return self.answer(200, calls)
        if self.path == "/_last":
            return self.answer(200, payments[next(reversed(payments))]["preimage"])
        if self.path == "/api/v1/wallet":
            return self.answer(200, {"name": "double", "balance": 0})
        calls["check"] += 1
        time.sleep(faults["latency"] / 1000)
        payment = payments.get(self.path.rsplit("/", 1)[1])
        if payment is None:
            return self.answer(404, {"detail": "Payment does not exist."})
        return self.faulty(faults["check"], 200, {
            "paid": payment["paid"], "preimage": None, "details": {
                "amount": payment["msat"], "bolt11": payment["bolt11"], "extra": payment["extra"],
                "wallet_id": "double"}})

    def do_POST(self):
        asked = json.loads(self.body())
        calls["create"] += 1
        time.sleep(faults["latency"] / 1000)
        fault = faults["create"]
        preimage = os.urandom(32)
        payment_hash = hashlib.sha256(preimage).digest()
        sats = asked["amount"] + (1 if fault == "wrong amount" else 0)
        expiry = asked["expiry"] * (2 if fault == "lives longer" else 1)
        network = "zz" if fault == "unknown network" else "bc"
        bolt11 = invoice(sats * 1000, payment_hash, expiry, network)
        if fault == "bad checksum":
            bolt11 = bolt11[:-1] + ("q" if bolt11[-1] != "q" else "p")
        told = os.urandom(32) if fault == "wrong hash" else payment_hash
        payments[payment_hash.hex()] = {
            "msat": asked["amount"] * 1000, "preimage": preimage.hex(), "paid": False, "bolt11": bolt11, "extra": asked["extra"]}
        answer = {"payment_hash": told.hex(), "bolt11": bolt11, "payment_request": bolt11,
                  "preimage": preimage.hex(), "wallet_id": "double"}
        if fault == "no invoice":
            del answer["bolt11"], answer["payment_request"]
        return self.faulty(fault, 201, answer)

    def faulty(self, fault, status, answer):
        if fault == "hang":
            time.sleep(60)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            self.close_connection = True
            return None
        if fault == "close":
            self.close_connection = True
            return None
        if fault in ("500", "520", "429", "307", "404"):
            return self.answer(int(fault), {"detail": "words of LNbits", "error": "words of LNbits"})
        if fault == "html":
            return self.raw(status, b"<html><body>gateway</body></html>", "text/html")
        if fault == "half":
            return self.raw(status, json.dumps(answer).encode()[:40])
        if fault == "array":
            return self.answer(status, [answer])
        if fault == "types":
            return self.answer(status, {"payment_hash": 5, "bolt11": [], "paid": "true", "details": "yes"})
        if fault == "huge":
            return self.raw(status, b'{"x": "' + b"x" * 100_000_000 + b'"}')
        if fault == "drip":
            self.send_response(status)
            self.end_headers()
            for byte in json.dumps(answer).encode():
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(1)
            return None
        if fault == "no details":
            del answer["details"]
            answer["paid"] = True
        if fault == "negative":
            answer["paid"], answer["details"]["amount"] = True, -answer["details"]["amount"]
        if fault == "too small":
            answer["paid"], answer["details"]["amount"] = True, 999
        if fault == "other wallet":
            answer["paid"], answer["details"]["wallet_id"] = True, "someone else's"
        return self.answer(status, answer)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, value):
        self.raw(status, json.dumps(value).encode())

    def raw(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer.request_queue_size = 1024
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Double)
    server.handle_error = lambda *_: None  # connections that break are what this is for
    server.daemon_threads = True
    server.serve_forever()
