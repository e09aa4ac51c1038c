#!/usr/bin/env python3
"""A double of LNbits for faults that the real one will not produce on demand.

    faulty_lnbits.py PORT

It makes invoices with a valid checksum (and a signature of zeros), and says of a payment what it was
told by PUT /_paid/HASH. PUT /_fault {"create": NAME, "check": NAME} makes the next answers of that
kind faulty until it is changed; "" ends it; "latency" is milliseconds before each answer. GET /_calls
counts the calls, GET /_last tells the newest preimage, GET /_headers the header fields of the last check.
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


def invoice(msat, payment_hash, expiry, network="bc", age=0):
    """BOLT #11 with timestamp, payment hash and expiry."""
    prefix = f"ln{network}{msat * 10}p"
    now = int(time.time()) - age
    data = [now >> 5 * (6 - i) & 31 for i in range(7)]
    data += [1, 52 >> 5, 52 & 31] + words(payment_hash)
    seconds = [expiry >> 10 & 31, expiry >> 5 & 31, expiry & 31] if expiry < 1 << 15 else words(expiry.to_bytes(5, "big"))
    data += [6, 0, len(seconds)] + seconds
    data += [0] * 104
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = polymod(expanded + data + [0] * 6) ^ 1
    data += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(ALPHABET[word] for word in data)


# What a wallet behind LNbits may give its invoices, whatever was ordered.
LIVES = {"a minute": 60, "an hour": 3600, "a day": 86_400, "seven days": 604_800, "eight days": 691_200, "half a minute": 30}

faults = {"create": "", "check": "", "list": "", "wallet": "", "latency": 0}
payments = {}
calls = {"create": 0, "check": 0, "list": 0}
headers = {}


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
        if self.path == "/_headers":
            return self.answer(200, headers)
        if self.path == "/api/v1/wallet":
            return self.faulty(faults["wallet"], 200, {"name": "double", "balance": 0})
        if self.path.startswith("/api/v1/payments?"):
            calls["list"] += 1
            rows = [{"wallet_id": "double"}] if payments else []
            return self.faulty(faults["list"], 200, rows)
        headers.clear()
        headers.update({name.lower(): value for name, value in self.headers.items()})
        calls["check"] += 1
        time.sleep(faults["latency"] / 1000)
        payment = payments.get(self.path.rsplit("/", 1)[1])
        if payment is None:
            return self.answer(404, {"detail": "Payment does not exist."})
        return self.faulty(faults["check"], 200, {
            "paid": payment["paid"], "preimage": None, "details": {
                "amount": payment["msat"], "bolt11": payment["bolt11"], "extra": payment["extra"],
                "payment_hash": self.path.rsplit("/", 1)[1], "checking_id": self.path.rsplit("/", 1)[1],
                "status": "success" if payment["paid"] else "pending", "wallet_id": "double"}})

    def do_POST(self):
        asked = json.loads(self.body())
        calls["create"] += 1
        time.sleep(faults["latency"] / 1000)
        fault = faults["create"]
        preimage = os.urandom(32)
        payment_hash = hashlib.sha256(preimage).digest()
        sats = asked["amount"] + (1 if fault == "wrong amount" else 0)
        expiry = LIVES.get(fault, asked["expiry"])
        network = "zz" if fault == "unknown network" else "bc"
        bolt11 = invoice(sats * 1000, payment_hash, expiry, network, age=400 if fault == "made earlier" else 0)
        if fault == "bad checksum":
            bolt11 = bolt11[:-1] + ("q" if bolt11[-1] != "q" else "p")
        told = os.urandom(32) if fault == "wrong hash" else payment_hash
        payments[payment_hash.hex()] = {
            "msat": asked["amount"] * 1000, "hash": payment_hash.hex(), "preimage": preimage.hex(), "paid": False, "bolt11": bolt11, "extra": asked["extra"]}
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
        if fault in ("500", "520", "429"):
            return self.answer(int(fault), {"detail": "words of LNbits", "error": "words of LNbits"})
        if fault == "unknown key":
            return self.answer(404, {"detail": "Wallet not found."})
        if fault == "no key":
            return self.answer(401, {"detail": "No Api Key provided."})
        if fault == "unknown payment":
            return self.answer(404, {"detail": "Payment does not exist."})
        if fault.isdigit():
            return self.raw(int(fault), b"<!DOCTYPE html><title>Just a moment</title>", "text/html",
                            Location="https://u:p@login.example/?next=x", Server="front")
        if fault == "other program":
            return self.answer(404, {"detail": "Not Found"})
        if fault == "text 404":
            return self.raw(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if fault == "html":
            return self.raw(status, b"<html><body>gateway</body></html>", "text/html")
        if fault == "other JSON":
            return self.answer(status, {"ok": True})
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
        if fault == "no wallet":
            del answer["details"]["wallet_id"]
        if fault == "other payment":
            other = next(row for row in payments.values() if row["paid"] and row["bolt11"] != answer["details"]["bolt11"])
            answer["paid"] = True
            answer["details"].update(bolt11=other["bolt11"], payment_hash=other["hash"], status="success")
        if fault == "other invoice":
            other = next(row for row in payments.values() if row["bolt11"] != answer["details"]["bolt11"])
            answer["details"].update(bolt11=other["bolt11"])
        if fault in ("pending", "failed"):
            answer["paid"], answer["details"]["status"] = True, fault
        if fault == "pending flag":
            answer["paid"], answer["details"]["pending"] = True, True
        return self.answer(status, answer)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, value):
        self.raw(status, json.dumps(value).encode())

    def raw(self, status, body, kind="application/json", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
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
