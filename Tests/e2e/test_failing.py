"""Goods that keep failing: nobody pays for them, and nobody has a backend work for nothing without end."""
import http.server
import threading

import pytest


class Failing(http.server.BaseHTTPRequestHandler):
    """A backend that fails, and counts how often it was asked."""
    asked = 0

    def do_GET(self):
        Failing.asked += 1
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("serve", ["@failing", "http://127.0.0.1:{port}"])
def test_after_twenty_returns_a_payment_waits_and_a_free_window_is_used_up(make_site, serve):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    serve = serve.format(port=server.server_port)
    site = make_site(f"GET /paid price=5 uses=1 serve={serve}\nGET /free price=5 free=9/day serve={serve}\n", server=(
        "location @failing { include l402/goods.conf; proxy_pass http://127.0.0.1:%d; }" % server.server_port))
    authorization, _ = site.buy("/paid")
    proof = {"Authorization": authorization}
    Failing.asked = 0
    for _ in range(20):
        failed = site.get("/paid", headers=proof)
        assert failed.status_code == 503 and failed.headers["L402-Refunded"] == "1"
    waits = site.get("/paid", headers=proof)
    assert waits.status_code == 503 and waits.json()["code"] == "goods_keep_failing"
    assert int(waits.headers["Retry-After"]) > 0 and "lnbc" not in waits.text
    assert Failing.asked == 20
    for _ in range(20):
        assert site.get("/free").headers["L402-Refunded"] == "1"
    assert site.get("/free").status_code == 402
    assert Failing.asked == 40
    server.shutdown()
