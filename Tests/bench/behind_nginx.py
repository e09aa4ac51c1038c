#!/usr/bin/env python3
"""What the gate costs behind nginx, against its floor and its peers, in turns in one run.

    behind_nginx.py GATE FLOOR NODE LNBITS SVG [SECONDS [ROUNDS]]

GATE is an l402-fcgi, FLOOR the C program of floor_fcgi.c, LNBITS the Python of a venv with LNbits, SVG where
the plot goes. LNbits is a double with a fixed latency (the real one would be all that is measured) but for two
rows. Load comes from wrk, 32 connections.
"""
import os
import pathlib
import sys
import tempfile

from rig import ORDER, Bench, resident_megabytes
from siege import memory, siege

PROGRAMS, SVG = sys.argv[1:5], sys.argv[5]
SECONDS = sys.argv[6] if len(sys.argv) > 6 else "3"
ROUNDS = int(sys.argv[7]) if len(sys.argv) > 7 else 3


def plot(rows, path):
    """Requests per second as bars."""
    widest = max(row["rate"] for row in rows)
    lines = []
    for at, row in enumerate(rows):
        y, width = 30 + at * 24, 420 * row["rate"] / widest
        lines.append(f'<text x="300" y="{y + 12}" text-anchor="end">{row["name"].replace("&", "and")}</text>'
                     f'<rect x="310" y="{y}" width="{width:.1f}" height="16" fill="#f7931a"/>'
                     f'<text x="{316 + width:.1f}" y="{y + 12}">{row["rate"]:,.0f}</text>')
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{50 + len(rows) * 24}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/><text x="310" y="18">requests per second</text>{"".join(lines)}</svg>\n')


def main(work):
    bench = Bench(work, *PROGRAMS, SECONDS, ROUNDS)
    try:
        bench.start()
        idle = resident_megabytes(bench.gate.process)
        many, counted = bench.token("/many"), bench.token("/counted")
        forged = many[:-9] + ("A" if many[-9] != "A" else "B") + many[-8:]
        paid = bench.offer("/sale")[1]["payment_hash"]
        bench.put("/_paid/" + paid, {})
        fast = bench.fast_token()
        url, gate = bench.url, bench.gate.process

        stock = [[bench.token("/first", f"10.{9 + turn}.{at // 250}.{at % 250}") for at in range(1000)]
                 for turn in range(ROUNDS)]

        def first():
            return bench.wrk(url + "/first", tokens=stock.pop(), clients=True)

        def sale(latency):
            bench.put("/_fault", {"latency": latency})
            try:
                return bench.wrk(url + "/sale", clients=True, connections=6)
            finally:
                bench.put("/_fault", {"latency": 0})

        def stub(latency):
            bench.put("/_fault", {"latency": latency})
            try:
                return bench.wrk(bench.lnbits + "/api/v1/payments", connections=6, body=ORDER)
            finally:
                bench.put("/_fault", {"latency": 0})

        question = '{"prompt": "hello"}'
        proof = f'{{"prompt": "hello", "payment_hash": "{paid}"}}'
        bench.measure([
            ("nginx: return 200", None, 200, lambda: bench.wrk(url + "/ok")),
            ("floor: C, libfcgi, a constant", bench.floor, 200, lambda: bench.wrk(url + "/floor")),
            ("floor, asked with a token", bench.floor, 200, lambda: bench.wrk(url + "/floor", tokens=[many])),
            ("gate: free path", gate, 200, lambda: bench.wrk(url + "/open")),
            ("gate: free path, 10,000 rules", bench.large.process, 200, lambda: bench.wrk(f"http://127.0.0.1:{bench.large_port}/open")),
            ("gate: free-tier request", gate, 200, lambda: bench.wrk(url + "/tier", clients=True)),
            ("gate: known token, unlimited", gate, 200, lambda: bench.wrk(url + "/many", tokens=[many])),
            ("gate: known token, counted", gate, 200, lambda: bench.wrk(url + "/counted", tokens=[counted])),
            ("gate: first redemption", gate, 200, first),
            # One client, who soon holds as many unpaid invoices as he may: what is left is the refusal.
            ("gate: forged token", gate, 402, lambda: bench.wrk(url + "/many", tokens=[forged])),
            *[row for latency in (0, 5, 50) for row in (
                (f"double of LNbits alone, {latency} ms, 6 callers", None, 200, lambda latency=latency: stub(latency)),
                (f"gate: 402, LNbits {latency} ms, 6 callers", gate, 402, lambda latency=latency: sale(latency)))],
            ("LNbits 1.6 alone, creating, 6 callers", None, 200, lambda: bench.wrk(
                bench.wallet["url"] + "/api/v1/payments", connections=6, body=ORDER, key=bench.wallet["merchant"]["inkey"])),
            ("gate: 402, LNbits 1.6, 6 callers", bench.real.process, 402, lambda: bench.wrk(
                f"http://127.0.0.1:{bench.real_port}/sale", clients=True, connections=6)),
            ("Node worker: paid hash", bench.node, 200, lambda: bench.wrk(url + "/node", body=proof)),
            ("Node worker: 402", bench.node, 402, lambda: bench.wrk(url + "/node", body=question)),
            ("FastAPI with l402 0.0.9: known token", bench.fast, 200, lambda: bench.wrk(url + "/fast/x", tokens=[fast])),
        ])
        loaded = resident_megabytes(gate)
        print(f"{'':58} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8} {'RSS MB':>7}")
        for row in bench.rows:
            print(f"{row['name']:58} {row['rate']:9,.0f} {row['p50']:8.2f} {row['p99']:8.2f} {row['cpu']:8.0f} {row['memory']:7.1f}")
        rates = {row["name"]: row["rate"] for row in bench.rows}
        floor = rates["floor: C, libfcgi, a constant"]
        for name in ("gate: free path", "gate: free-tier request", "gate: known token, unlimited",
                     "gate: known token, counted", "gate: first redemption", "gate: forged token"):
            print(f"{name}: {rates[name] / floor:.2f} of the floor")
        alone, sold = rates["LNbits 1.6 alone, creating, 6 callers"], rates["gate: 402, LNbits 1.6, 6 callers"]
        print(f"402 with LNbits 1.6: {sold / alone:.2f} of what it creates alone")
        print(f"10,000 rules: {rates['gate: free path'] / rates['gate: free path, 10,000 rules']:.2f} times ten's time")
        print(f"gate's memory: {idle:.1f} MB idle, {loaded:.1f} MB after all of this")
        siege(bench, many)
        memory(bench, many)
        plot(bench.rows, pathlib.Path(SVG))
        print(f"plot: {SVG}")
    finally:
        bench.stop()


with tempfile.TemporaryDirectory(prefix="l402-bench-http-", dir=os.environ.get("BENCH_DIR", "/dev/shm")) as directory:
    os.chmod(directory, 0o755)
    main(pathlib.Path(directory))
