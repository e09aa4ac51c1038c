"""Everything that the tutorial's reader does, with its own curl lines and client code."""
import pathlib
import shutil
import subprocess

import pytest

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def tutorial(make_site):
    return make_site()


def ask(site, body, **headers):
    return site.post("/api/dvm", data=body, headers={**JSON, **headers})


def test_a_get_describes_the_service(tutorial):
    answer = tutorial.get("/api/dvm")
    assert answer.status_code == 200
    assert answer.json()["service"] == "API query"
    assert answer.json()["price"] == "21 sats per request"
    assert answer.json()["usage"].startswith("POST with {\"prompt\"")
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("body", ["", "{}", "[]", "no json", '{"prompt": ""}', '{"prompt": null}', '{"prompt": []}'])
def test_a_missing_prompt_is_refused_before_anything_is_charged(tutorial, body):
    answer = ask(tutorial, body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "prompt is required"


def test_the_whole_flow(tutorial):
    # The refusals above took nothing: the free request is still there, and there is one.
    first = ask(tutorial, '{"prompt": "Hello"}')
    assert first.status_code == 200
    assert first.json() == {"result": "This is your paid API response for: Hello"}
    assert first.headers["RateLimit"].startswith('"free";r=0;t=')

    second = ask(tutorial, '{"prompt": "Hello"}')
    assert second.status_code == 402
    body = second.json()
    assert body["status"] == "payment_required" and body["price_sats"] == 21
    assert f'L402 invoice="{body["payment_request"]}", payment_hash="{body["payment_hash"]}"' in \
        second.headers["WWW-Authenticate"]

    payment_hash = body["payment_hash"]
    with_hash = '{"prompt": "Hello", "payment_hash": "%s"}' % payment_hash
    unpaid = ask(tutorial, with_hash)
    assert unpaid.status_code == 402
    assert unpaid.json()["error"] == "payment not confirmed yet"
    assert unpaid.headers["Retry-After"] == "2"
    assert "payment_request" not in unpaid.json(), "a bare hash has no invoice offered again"

    tutorial.wallet.pay(body["payment_request"])
    paid = ask(tutorial, with_hash)
    assert paid.status_code == 200
    assert paid.json() == {"result": "This is your paid API response for: Hello"}

    spent = ask(tutorial, with_hash)
    assert spent.status_code == 402 and spent.json()["error"] == "this payment has been used"


@pytest.mark.parametrize("form", ["L402 {h}", "L402 {h}:", "L402 {h}:whatever", "l402  {h}", "{h}"])
def test_the_hash_in_the_authorization_header(tutorial, form):
    body = ask(tutorial, '{"prompt": "x"}').json()
    tutorial.wallet.pay(body["invoice"])
    answer = ask(tutorial, '{"prompt": "x"}', Authorization=form.format(h=body["payment_hash"]))
    assert answer.status_code == 200


def test_a_preflight_is_answered_without_payment(tutorial):
    import requests

    answer = requests.options(tutorial.url + "/api/dvm", headers={
        "Origin": "https://page.test", "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_tutorials_own_client_code_buys(tutorial, tmp_path):
    # The client of the tutorial; its wallet, an NWC connection, is replaced by a call of LNbits.
    script = tmp_path / "client.mjs"
    script.write_text(pathlib.Path(__file__).with_name("tutorial_client.mjs").read_text())
    done = subprocess.run(
        ["node", script, tutorial.url + "/api/dvm", tutorial.wallet.url, tutorial.wallet.payer_key],
        capture_output=True, text=True, timeout=60)
    assert "This is your paid API response for: What is Lightning?" in done.stdout, done.stderr
