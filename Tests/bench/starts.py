#!/usr/bin/env python3
"""How long plain CGI takes to its first byte: starts.py FLOOR GATE

FLOOR is a C program that answers a constant, GATE an l402-fcgi. Both are started in turns, 300 times.
"""
import subprocess
import sys
import tempfile
import time

ROUNDS = 300


def main(floor, gate):
    with tempfile.TemporaryDirectory() as directory:
        with open(directory + "/rules", "w") as rules:
            rules.write("GET /x price=3 free=1000000/day serve=demo\n")
        environment = {
            "LNBITS_URL": "http://127.0.0.1:1", "LNBITS_KEY": "0123456789abcdef", "L402_LOG": "error",
            "L402_RULES": directory + "/rules", "L402_STATE_DIR": directory + "/state",
            "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "REQUEST_URI": "/x", "REMOTE_ADDR": "127.0.0.1"}
        times = {floor: [], gate: []}
        for _ in range(ROUNDS):
            for program, taken in times.items():
                start = time.perf_counter()
                process = subprocess.Popen([program], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
                first = process.stdout.read(1)
                taken.append((time.perf_counter() - start) * 1000)
                assert first and b"200" in process.stdout.read(), program
                process.wait()
    low, high = (sorted(taken) for taken in times.values())
    half, tenth = ROUNDS // 2, ROUNDS * 9 // 10
    print(f"plain CGI, first byte after the start: {low[half]:.2f} ms for a C program that answers a constant, "
          f"{high[half]:.2f} ms for a free request (p90 {high[tenth]:.2f}), {high[half] - low[half]:.2f} ms more")


main(*sys.argv[1:])
