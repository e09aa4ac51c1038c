"""/.l402/metrics: what is counted, for whom, and that Prometheus could read it."""
import re

import requests


def scrape(site):
    answer = site.get("/.l402/metrics")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    values = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r'[a-z0-9_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+', line), line
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
    return values


def test_what_is_sold_is_counted(make_site):
    site = make_site("GET /x price=7 uses=2 free=1/day service=shop serve=demo\n", )
    assert site.get("/x").status_code == 200
    authorization, _ = site.buy("/x")
    for status in (200, 200, 402):
        assert site.get("/x", headers={"Authorization": authorization}).status_code == status
    assert site.get("/nothing").status_code == 404
    seen = scrape(site)
    for name, value in {
            'l402_requests_total{service="shop",outcome="free"}': 1,
            'l402_requests_total{service="shop",outcome="paid"}': 2,
            'l402_payments_total{service="shop"}': 1,
            'l402_sold_sats_total{service="shop"}': 7,
            'l402_challenges_total{service="shop"}': 2,
            'l402_refusals_total{service="",code="no_rule"}': 1,
            'l402_wallet_breaker_open{wallet="default"}': 0,
            'l402_rules': 1,
            'l402_wallet_call_duration_seconds_count{call="create",result="201"}': 2,
            'l402_wallet_call_duration_seconds_count{call="check",result="200"}': 1,
            'l402_request_duration_seconds_count{outcome="paid"}': 2}.items():
        assert seen.get(name) == value, (name, seen.get(name))
    assert 0 < seen['l402_free_tier_fill_ratio{period="day"}'] < 0.001
    assert seen["process_start_time_seconds"] > 1.7e9


def test_metrics_are_told_to_the_machine_itself_unless_allowed(make_site):
    rules = "* /** free serve=demo\n"
    elsewhere = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;"
    for setting, local, remote in ((None, 200, 404), ("all", 200, 200), ("off", 404, 404)):
        site = make_site(rules, server=elsewhere, **({"L402_METRICS": setting} if setting else {}))
        url = site.url + "/.l402/metrics"
        assert requests.get(url).status_code == local
        assert requests.get(url, headers={"X-Test-Address": "192.0.2.1"}).status_code == remote
        assert requests.get(url, headers={"X-Test-Address": "2001:db8::1"}).status_code == remote
