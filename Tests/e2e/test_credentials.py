"""What opens, what does not, and that one payment is one purchase however it is presented."""
import base64

import pytest
import requests
from pymacaroons import Macaroon, Verifier


def status(site, path, authorization, method="GET"):
    return requests.request(method, site.url + path, headers={"Authorization": authorization}, timeout=60)


def forms(macaroon, preimage):
    raw = base64.b64decode(macaroon)
    url_safe = base64.urlsafe_b64encode(raw).decode()
    longer = Macaroon.deserialize(url_safe.rstrip("="))
    longer.add_first_party_caveat(f"preimage={preimage}")
    appended = base64.b64encode(base64.urlsafe_b64decode(longer.serialize() + "=" * (-len(longer.serialize()) % 4)))
    return {
        "plain": f"L402 {macaroon}:{preimage}",
        "old scheme": f"LSAT {macaroon}:{preimage}",
        "lower-case scheme": f"l402 {macaroon}:{preimage}",
        "doubled scheme (gol402)": f"L402 L402 {macaroon}:{preimage}",
        "upper-case hex": f"L402 {macaroon}:{preimage.upper()}",
        "url-safe": f"L402 {url_safe}:{preimage}",
        "unpadded": f"L402 {url_safe.rstrip('=')}:{preimage}",
        "appended preimage caveat (lnget)": f"L402 {appended.decode()}:{preimage}",
        "without preimage": f"L402 {macaroon}",
    }


@pytest.mark.parametrize("form", [
    "plain", "old scheme", "lower-case scheme", "doubled scheme (gol402)", "upper-case hex", "url-safe", "unpadded",
    "appended preimage caveat (lnget)", "without preimage"])
def test_every_habit_of_real_clients_opens_once(site, form):
    body = site.challenge("/api/one")
    preimage = site.wallet.pay(body["invoice"])
    authorization = forms(body["macaroon"], preimage)[form]
    assert status(site, "/api/one", authorization).status_code == 200
    for other in forms(body["macaroon"], preimage).values():
        spent = status(site, "/api/one", other)
        assert spent.status_code == 402 and spent.json()["code"] == "payment_used"


def test_a_token_minted_here_verifies_under_pymacaroons(site):
    body = site.challenge("/api/one")
    key = bytes.fromhex((site.gate.directory / "state" / "keys").read_text().split("\n")[-2].split("\t")[1])
    token = Macaroon.deserialize(base64.urlsafe_b64encode(base64.b64decode(body["macaroon"])).decode().rstrip("="))
    import hashlib
    import hmac
    root = hmac.new(key, token.identifier_bytes, hashlib.sha256).digest()
    verifier = Verifier()
    verifier.satisfy_general(lambda caveat: "=" in caveat)
    assert verifier.verify(token, root)


def test_a_token_minted_by_pymacaroons_with_our_key_opens(site):
    import hashlib
    import hmac
    body = site.challenge("/api/one")
    preimage = site.wallet.pay(body["invoice"])
    key = bytes.fromhex((site.gate.directory / "state" / "keys").read_text().split("\n")[-2].split("\t")[1])
    ours = Macaroon.deserialize(base64.urlsafe_b64encode(base64.b64decode(body["macaroon"])).decode().rstrip("="))
    theirs = Macaroon(location="l402", identifier=ours.identifier_bytes, version=2,
                      key=hmac.new(key, ours.identifier_bytes, hashlib.sha256).digest())
    for caveat in ours.caveats:
        theirs.add_first_party_caveat(caveat.caveat_id)
    assert status(site, "/api/one", f"L402 {theirs.serialize()}:{preimage}").status_code == 200


def append(macaroon, *caveats):
    token = Macaroon.deserialize(base64.urlsafe_b64encode(base64.b64decode(macaroon)).decode().rstrip("="))
    for caveat in caveats:
        token.add_first_party_caveat(caveat)
    return token.serialize()


def test_attempts_to_widen_are_refused_with_402(site):
    authorization, body = site.buy("/api/one")
    macaroon, preimage = authorization[5:].split(":")
    raw = bytearray(base64.b64decode(macaroon))
    service = body["service"]
    attempts = {
        "another service": append(macaroon, "services=gold:9"),
        "a second service": append(macaroon, f"services={service}:0,gold:9"),
        "a higher tier": append(macaroon, f"services={service}:9"),
        "a later end": append(macaroon, f"{service}_valid_until=99999999999"),
        "more uses": append(macaroon, f"{service}_uses=100"),
        "unlimited uses": append(macaroon, f"{service}_uses=unlimited"),
        "another price": append(macaroon, f"{service}_price=1"),
        "an unknown caveat of ours": append(macaroon, f"{service}_anything=1"),
        "truncated": base64.b64encode(raw[:-1]).decode(),
        "extended": base64.b64encode(raw + b"\0").decode(),
        "a flipped bit": base64.b64encode(raw[:40] + bytes([raw[40] ^ 1]) + raw[41:]).decode(),
        "no signature": base64.b64encode(raw[:-34]).decode(),
        "empty": "",
        "not base64": "***",
        "only a version": "Ag==",
        "huge": "A" * 7000,
    }
    for name, token in attempts.items():
        answer = status(site, "/api/one", f"L402 {token}:{preimage}")
        assert answer.status_code == 402, (name, answer.status_code, answer.text)
        assert answer.json()["error"], name
    # None of them cost the payment anything.
    assert status(site, "/api/one", authorization).status_code == 200


def test_narrowing_holds(site):
    authorization, body = site.buy("/api/three")
    macaroon, preimage = authorization[5:].split(":")
    once = f"L402 {append(macaroon, body['service'] + '_uses=1')}:{preimage}"
    assert status(site, "/api/three", once).status_code == 200
    assert status(site, "/api/three", once).json()["code"] == "payment_used"
    assert status(site, "/api/three", authorization).status_code == 200
    assert status(site, "/api/three", authorization).status_code == 200
    assert status(site, "/api/three", authorization).status_code == 402


def test_unpaid_and_wrong_preimage_do_not_open(site):
    body = site.challenge("/api/one")
    answer = status(site, "/api/one", f"L402 {body['macaroon']}:{'12' * 32}")
    assert answer.status_code == 402 and answer.json()["code"] == "preimage_mismatch"
    answer = status(site, "/api/one", f"L402 {body['macaroon']}")
    assert answer.json()["code"] == "payment_not_confirmed"
    assert answer.json()["invoice"] == body["invoice"]
    assert answer.json()["macaroon"] == body["macaroon"]


def test_a_real_preimage_of_an_unpaid_invoice_does_not_open(site, wallet):
    # LNbits makes the preimage at creation, and tells it to whoever holds the wallet's key.
    body = site.challenge("/api/one")
    details = wallet.call("GET", f"/api/v1/payments/{body['payment_hash']}", wallet.key)["details"]
    answer = status(site, "/api/one", f"L402 {body['macaroon']}:{details['preimage']}")
    # Whoever has it may have paid: he is not let in, and not asked to pay again.
    assert answer.status_code == 503 and answer.json()["code"] == "payment_undecided"
    assert "lnbc" not in answer.text and int(answer.headers["Retry-After"]) > 0


def test_trust_preimage_is_an_explicit_choice(make_site, wallet):
    site = make_site(L402_TRUST_PREIMAGE="on")
    body = site.challenge("/api/one")
    details = wallet.call("GET", f"/api/v1/payments/{body['payment_hash']}", wallet.key)["details"]
    assert status(site, "/api/one", f"L402 {body['macaroon']}:{details['preimage']}").status_code == 200


def test_unlimited_tokens_open_again_and_again_and_only_as_tokens(site):
    authorization, body = site.buy("/api/many")
    for _ in range(3):
        assert status(site, "/api/many", authorization).status_code == 200
    answer = status(site, "/api/many", f"L402 {body['payment_hash']}")
    assert answer.status_code == 402 and answer.json()["code"] == "payment_hash_not_accepted"


def test_tiers_open_downwards(site):
    rich, _ = site.buy("/rich/gold")
    assert status(site, "/cheap/gold", rich).status_code == 200
    cheap, body = site.buy("/cheap/gold")
    assert status(site, "/rich/gold", cheap).json()["code"] == "credential_wrong_service"
    assert status(site, "/rich/gold", f"L402 {body['payment_hash']}").json()["code"] == "credential_wrong_service"
    assert status(site, "/cheap/gold", cheap).status_code == 200


def test_hashes_that_are_not_our_sales_are_refused(site, wallet):
    other = wallet.invoice(100)  # into our wallet, but not asked for by this gate
    wallet.pay(other["bolt11"])
    assert status(site, "/api/one", f"L402 {other['payment_hash']}").json()["code"] == "payment_foreign"

    body = site.challenge("/api/cheap")  # ours, for a cheaper rule
    wallet.pay(body["invoice"])
    assert status(site, "/api/one", f"L402 {body['payment_hash']}").json()["code"] == "credential_wrong_service"

    # A copy of a sale's tag on an invoice of the same wallet that is made for less.
    tag = wallet.call("GET", f"/api/v1/payments/{body['payment_hash']}", wallet.key)["details"]["extra"]
    forged = {**tag, "l402_service": site.challenge("/api/one")["service"]}
    copy = wallet.invoice(1, extra=forged)
    wallet.pay(copy["bolt11"])
    assert status(site, "/api/one", f"L402 {copy['payment_hash']}").json()["code"] == "payment_foreign"

    paid_out = wallet.invoice(5, key=wallet.payer_read_key)  # paid out of our wallet
    wallet.pay(paid_out["bolt11"], key=wallet.admin_key)
    answer = status(site, "/api/one", f"L402 {paid_out['payment_hash']}")
    # What is unknown is answered like what is unpaid, and is offered nothing.
    assert answer.status_code == 402 and answer.json()["code"] == "payment_not_confirmed"
    answer = status(site, "/api/one", f"L402 {'ab' * 32}")
    assert answer.json()["code"] == "payment_not_confirmed" and "lnbc" not in answer.text
    # The cheap one is still good for what it was bought for.
    assert status(site, "/api/cheap", f"L402 {body['payment_hash']}").status_code == 200


@pytest.mark.parametrize("place", ["header", "query", "body"])
def test_places_of_a_bare_hash(site, place):
    body = site.challenge("/back/x", "POST", json={"a": 1})
    site.wallet.pay(body["invoice"])
    payment_hash = body["payment_hash"]
    answer = {
        "header": lambda: site.post("/back/x", json={"a": 1}, headers={"X-Payment-Hash": payment_hash}),
        "query": lambda: site.post(f"/back/x?a=b&payment_hash={payment_hash}", json={"a": 1}),
        "body": lambda: site.post("/back/x", json={"a": 1, "payment_hash": payment_hash}),
    }[place]()
    assert answer.status_code == 200, answer.text
    assert answer.headers["L402-Uses-Left"] == "4"


def test_what_is_not_l402_is_passed_on_and_l402_is_not(site):
    answer = site.get("/free/x", headers={"Authorization": "Bearer secret"}).json()
    assert answer["headers"]["authorization"] == "Bearer secret"
    authorization, _ = site.buy("/back/auth")
    answer = site.get("/back/auth", headers={"Authorization": authorization}).json()
    assert "authorization" not in answer["headers"]
    assert site.get("/back/auth", headers={"Authorization": "Basic dTpw"}).status_code == 402


def test_what_the_backend_learns_cannot_be_forged(site):
    forged = {"L402-Access": "paid", "L402-Service": "x", "L402-Uses-Left": "99", "L402-Payment-Hash": "ff",
              "L402-Tier": "255", "L402-Free-Left": "9"}
    seen = site.get("/free/x", headers=forged).json()["headers"]
    assert seen["l402-access"] == "free"
    assert seen["l402-service"] != "x" and seen["l402-tier"] == "0"
    assert not {"l402-uses-left", "l402-payment-hash", "l402-free-left"} & set(seen)
    authorization, body = site.buy("/back/forge")
    seen = site.get("/back/forge", headers={**forged, "Authorization": authorization}).json()["headers"]
    assert (seen["l402-access"], seen["l402-uses-left"], seen["l402-payment-hash"]) == ("paid", "4", body["payment_hash"])
