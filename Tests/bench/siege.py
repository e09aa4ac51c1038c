"""What others feel while LNbits hangs, and what a lot of requests does to the gate's memory."""
import subprocess
import time

from rig import LUA, resident_megabytes, wait_for


def siege(bench, token):
    """200 challenges hang at LNbits; what do those feel who need no LNbits?"""
    idle = bench.wrk(bench.url + "/many", tokens=[token])
    bench.put("/_fault", {"create": "hang"})
    # Who is refused comes back a second later, as Retry-After says.
    patient = bench.work / "lua-patient"
    patient.write_text(LUA + "function delay() return 1000 end\n")
    background = subprocess.Popen(
        ["wrk", "-t1", "-c200", "-d12s", "--timeout", "20s", "-s", str(patient), bench.url + "/sale", "--", "clients"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(2)
    stuck = bench.wrk(bench.url + "/many", tokens=[token])
    memory = resident_megabytes(bench.gate.process)
    background.wait()
    time.sleep(0.2)
    start = time.monotonic()
    headers, body = bench.offer("/sale")
    fast = (time.monotonic() - start) * 1000
    bench.put("/_fault", {"create": ""})
    start = time.monotonic()
    wait_for("recovery", lambda: bench.offer("/sale")[1].get("invoice"), 30)
    print(f"200 challenges stuck at LNbits: known tokens {idle['rate']:,.0f} -> {stuck['rate']:,.0f} req/s, "
          f"p99 {idle['p99']:.2f} -> {stuck['p99']:.2f} ms, {memory:.1f} MB; then a 503 ({body.get('code')}) takes {fast:.0f} ms, "
          f"and selling begins {time.monotonic() - start:.1f} s after LNbits is back")


def memory(bench, token):
    """Idle is told by whoever started the bench; here 256 at once, and then a million.

    One client may have 64 transfers under way; these are many clients.
    """
    script = bench.work / "lua-crowd"
    script.write_text(LUA)
    crowd = subprocess.Popen(["wrk", "-t1", "-c256", "-d9s", "--timeout", "20s", "-s", str(script), bench.url + "/slow", "--", "clients"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(3)
    held = resident_megabytes(bench.gate.process)
    beside = bench.wrk(bench.url + "/many", tokens=[token])
    crowd.wait()
    total, before = 0, resident_megabytes(bench.gate.process)
    while total < 1_000_000:
        total += bench.wrk(bench.url + "/many", tokens=[token], seconds="10")["count"]
        total += bench.wrk(bench.url + "/tier", clients=True, seconds="5")["count"]
    print(f"256 requests in flight (goods of a slow backend): {held:.1f} MB, known tokens beside them "
          f"{beside['rate']:,.0f} req/s, p99 {beside['p99']:.2f} ms; {before:.1f} -> "
          f"{resident_megabytes(bench.gate.process):.1f} MB over {total:,} requests")
