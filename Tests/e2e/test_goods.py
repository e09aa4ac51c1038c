"""Goods reach the client as the backend made them, and are not paid for when they fail."""
import socket
import threading

import pytest
import requests


def seen(backend_url, path):
    return [entry for entry in requests.get(backend_url + "/_seen").json() if entry["path"] == path]


def test_method_body_and_query_reach_the_backend_unchanged(site):
    every = "".join(f"%{byte:02x}" for byte in range(1, 256))
    authorization, _ = site.buy("/back/post", "POST")
    body = bytes(range(256)) * 16
    answer = site.post(f"/back/post?all={every}&b", data=body,
                       headers={"Authorization": authorization, "Content-Type": "application/octet-stream"})
    echo = answer.json()
    assert echo["method"] == "POST" and echo["length"] == len(body)
    # requests writes the escapes in its own way; what it sent is what must arrive.
    assert echo["path"] == answer.request.path_url and "%00" not in echo["path"] and "%0A" in echo["path"]
    assert answer.headers["L402-Access"] == "paid" and answer.headers["L402-Uses-Left"] == "4"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 30_000_000])
def test_bodies_of_any_size_reach_the_backend(site, size):
    authorization, _ = site.buy("/back/size", "POST")
    answer = site.post("/back/size", data=b"x" * size, headers={"Authorization": authorization})
    assert answer.status_code == 200 and answer.json()["length"] == size


def test_a_large_body_is_not_searched_for_a_payment_hash(site):
    body = site.challenge("/back/large", "POST")
    site.wallet.pay(body["invoice"])
    start = '{"payment_hash": "%s", "x": "' % body["payment_hash"]
    large = start + "x" * (1 << 20) + '"}'
    small = start + "x" * 1000 + '"}'
    assert site.post("/back/large", data=large).status_code == 402
    assert site.post("/back/large", data=small).status_code == 200


def test_files_are_served_from_the_internal_location(site):
    authorization, _ = site.buy("/articles/first.html")
    answer = site.get("/articles/first.html", headers={"Authorization": authorization})
    assert answer.text == "<h1>paid article</h1>\n"
    assert site.get("/articles/nothing.html", headers={"Authorization": authorization}).status_code == 404
    assert requests.head(site.url + "/articles/first.html", headers={"Authorization": authorization}).status_code == 200
    assert site.get("/l402-files/articles/first.html").status_code == 404, "nobody gets there without the gate"


@pytest.mark.parametrize("failure", ["/status/500", "/status/502", "/status/503", "/status/504"])
def test_failing_goods_give_the_use_back_once(site, failure):
    authorization, _ = site.buy("/back/ok")
    headers = {"Authorization": authorization}
    failed = site.get("/back" + failure, headers=headers)
    assert failed.status_code == int(failure[-3:])
    assert failed.headers["L402-Refunded"] == "1"
    assert failed.json()["code"] == "goods_failed"
    for left in "43210":
        answer = site.get("/back/ok", headers=headers)
        assert answer.status_code == 200 and answer.headers["L402-Uses-Left"] == left
    assert site.get("/back/ok", headers=headers).status_code == 402


def test_a_4xx_is_an_answer_and_is_sold(site):
    authorization, _ = site.buy("/back/ok")
    answer = site.get("/back/status/404", headers={"Authorization": authorization})
    assert answer.status_code == 404 and answer.headers["L402-Uses-Left"] == "4"


def test_an_unreachable_backend_gives_the_use_back(make_site):
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))  # bound, not listening: refused
    site = make_site("GET /x price=5 serve=@dead\n", server="""
        location @dead { include l402/goods.conf; proxy_pass http://127.0.0.1:%d; }""" % dead.getsockname()[1])
    authorization, _ = site.buy("/x")
    for _ in range(3):
        answer = site.get("/x", headers={"Authorization": authorization})
        assert answer.status_code == 502 and answer.headers["L402-Refunded"] == "1"
    dead.close()


def test_a_hash_in_the_body_gets_its_use_back_too(site):
    body = site.challenge("/back/ok", "POST")
    site.wallet.pay(body["invoice"])
    proof = {"payment_hash": body["payment_hash"]}
    assert site.post("/back/status/500", json=proof).headers["L402-Refunded"] == "1"
    assert site.post("/back/ok", json=proof).headers["L402-Uses-Left"] == "4"


def test_a_free_request_that_fails_is_given_back(site):
    assert site.get("/free3/status/500").headers["L402-Refunded"] == "1"
    for left in "210":
        assert site.get("/free3/ok").headers["L402-Free-Left"] == left
    assert site.get("/free3/ok").status_code == 402


def test_refunds_and_new_uses_that_race_keep_the_sum(site):
    authorization, _ = site.buy("/back/ok")
    statuses = []

    def run(path):
        statuses.append(site.get(path, headers={"Authorization": authorization}).status_code)

    threads = [threading.Thread(target=run, args=(path,)) for path in ["/back/status/503", "/back/ok"] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 503, 503]
    assert site.get("/back/ok", headers={"Authorization": authorization}).headers["L402-Uses-Left"] == "2"


def test_more_kept_connections_than_workers_starve_nobody(make_site):
    site = make_site("* /health free\nGET /x price=5 serve=demo\n", L402_WORKERS="4", server="")
    sessions = [requests.Session() for _ in range(60)]
    for _ in range(2):
        for session in sessions:
            assert session.get(site.url + "/health", timeout=10).status_code == 204
