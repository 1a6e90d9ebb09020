"""The control API of a host in this process, as `docs/sandbox.md` describes it."""

import json

import pytest
from werkzeug.test import Client

from labkit.sandbox.control import LONGEST_ADVANCE
from tests.sandbox.in_process import CONTROL_HEADERS, CREDENTIALS, client_maker
from tests.sandbox.network.vpc import Vpc

NOW = {"now": "2026-11-02T09:00:00Z", "frozen": True}


@pytest.fixture
def ask(host):
    """Asks the control API: `ask("GET", "/clock")`; the status, and what the JSON says."""

    def ask(method, path, body=None, headers=CONTROL_HEADERS, **options):
        answer = Client(host).open(f"/_sandbox{path}", method=method, json=body, headers=headers, **options)
        return answer.status_code, answer.json

    return ask


@pytest.fixture
def vpc(host):
    return Vpc(host.sandbox)


def test_health_says_where_the_sandbox_listens(ask):
    assert ask("GET", "/health") == (200, {"status": "ok", "endpoint": "http://127.0.0.1:4566"})


def test_the_clock_stands_still_until_it_is_advanced(ask):
    assert ask("GET", "/clock") == ask("GET", "/clock") == (200, NOW)
    assert ask("POST", "/clock/advance", {"seconds": 90.5}) == (200, {**NOW, "now": "2026-11-02T09:01:30Z"})
    assert ask("POST", "/clock/advance", {"seconds": 0}) == (200, {**NOW, "now": "2026-11-02T09:01:30Z"})


def test_time_may_be_advanced_by_a_year_at_once(ask):
    assert ask("POST", "/clock/advance", {"seconds": LONGEST_ADVANCE})[1]["now"] == "2027-11-03T09:00:00Z"
    status, answer = ask("POST", "/clock/advance", {"seconds": LONGEST_ADVANCE + 1})
    assert (status, answer) == (400, {"error": "seconds is from 0 to 31622400 (a year), not 31622401"})


WRONG_SECONDS = [None, "600", True, [600], float("nan"), float("inf"), -0.5]


@pytest.mark.parametrize("seconds", WRONG_SECONDS, ids=map(str, WRONG_SECONDS))
def test_what_is_no_number_of_seconds_moves_nothing(ask, seconds):
    status, answer = ask("POST", "/clock/advance", {"seconds": seconds})
    assert status == 400
    assert answer["error"].startswith("seconds is")
    assert ask("GET", "/clock") == (200, NOW)


def test_a_connection_is_tried_with_what_was_asked_for(ask, vpc):
    told = ask("POST", "/connect", {"destination": vpc.address, "port": 22})[1]
    assert (told["outcome"], told["source"], told["port"], told["count"]) == ("connected", "203.0.113.25", 22, 1)
    told = ask("POST", "/connect", {"destination": vpc.address, "port": 443, "source": "198.51.100.7", "count": 3})[1]
    assert (told["outcome"], told["source"], told["count"]) == ("timed out", "198.51.100.7", 3)


@pytest.mark.parametrize(("protocol", "outcome"), [("tcp", "connected"), ("udp", "refused"), ("icmp", "connected")])
def test_each_protocol_has_its_own_answer(ask, vpc, protocol, outcome):
    vpc.allow(vpc.ssh, "-1", -1, -1, "0.0.0.0/0")
    body = {"destination": vpc.address, "port": 22, "protocol": protocol}
    assert ask("POST", "/connect", body)[1]["outcome"] == outcome


def test_nobody_has_an_address_of_documentation(ask):
    told = ask("POST", "/connect", {"destination": "192.0.2.1", "port": 22})[1]
    assert (told["outcome"], told["interface_id"], told["instance_id"]) == ("timed out", None, None)
    assert told["why"] == "no network interface has the address 192.0.2.1"
    assert told["decided_by"] == {"type": "address", "id": "192.0.2.1", "rule": None, "allowed": False}


WRONG_CONNECTIONS = [
    ({"port": 22}, "destination is an IP address, not None"),
    ({"destination": "192.0.2.256", "port": 22}, "destination is an IP address, not '192.0.2.256'"),
    ({"destination": "192.0.2.1/32", "port": 22}, "destination is an IP address, not '192.0.2.1/32'"),
    ({"destination": "192.0.2.1"}, "port is a number from 0 to 65535, not None"),
    ({"destination": "192.0.2.1", "port": "22"}, "port is a number from 0 to 65535, not '22'"),
    ({"destination": "192.0.2.1", "port": True}, "port is a number from 0 to 65535, not True"),
    ({"destination": "192.0.2.1", "port": 65536}, "port is a number from 0 to 65535, not 65536"),
    (
        {"destination": "192.0.2.1", "port": 22, "count": 10_001},
        "count is a number of attempts from 1 to 10000, not 10001",
    ),
    ({"destination": "192.0.2.1", "port": 22, "count": 1.5}, "count is a number of attempts from 1 to 10000, not 1.5"),
    ({"destination": "192.0.2.1", "port": 22, "protocol": "TCP"}, "protocol is tcp, udp or icmp, not 'TCP'"),
    ({"destination": "192.0.2.1", "port": 22, "source": "home"}, "source is an IP address, not 'home'"),
]


@pytest.mark.parametrize(("body", "error"), WRONG_CONNECTIONS, ids=[error for _, error in WRONG_CONNECTIONS])
def test_a_wrong_connection_is_told_in_the_words_of_its_member(ask, body, error):
    assert ask("POST", "/connect", body) == (400, {"error": error})


@pytest.mark.parametrize("level", [0, 1, 0.5, 1000])
def test_the_noise_of_the_internet_is_set_to_a_factor(host, ask, level):
    assert ask("POST", "/background", {"level": level}) == (200, {"level": level})
    assert host.sandbox.network.collector.level == level


@pytest.mark.parametrize("level", [None, -1, 1001, "1", True])
def test_another_factor_leaves_the_noise_as_it_is(host, ask, level):
    status, answer = ask("POST", "/background", {"level": level})
    assert (status, answer["error"]) == (400, f"level is a factor from 0 (off) to 1000, 1 being usual, not {level!r}")
    assert host.sandbox.network.collector.level == 1


BODIES = [
    (b"{", "the body is not JSON"),
    (b"\xff\xfe", "the body is not JSON"),
    (b"[" * 100_000, "the body is not JSON"),
    (b"[600]", "the body is a JSON object, not [600]"),
    (b'"600"', "the body is a JSON object, not '600'"),
    (b'{"second": 600}', "the body of /_sandbox/clock/advance has seconds; it has no 'second'"),
]


@pytest.mark.parametrize(("body", "error"), BODIES, ids=[str(body[:20]) for body, _ in BODIES])
def test_a_body_that_is_none_is_refused_before_anything_happens(host, body, error):
    answer = Client(host).post("/_sandbox/clock/advance", data=body, headers=CONTROL_HEADERS)
    assert answer.status_code == 400
    assert answer.json["error"].startswith(error)


def test_a_request_without_a_body_has_no_members(ask):
    assert ask("POST", "/clock/advance") == (400, {"error": "seconds is a number of seconds to advance, not None"})
    assert ask("POST", "/reset")[0] == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/connect"), ("POST", "/clock"), ("DELETE", "/inbox"), ("GET", "/"), ("GET", "")]
)
def test_what_is_no_request_of_the_api_is_told_with_those_that_are(ask, method, path):
    status, answer = ask(method, path)
    assert status == 404
    assert answer["error"].startswith(
        f"{method} /_sandbox{path} is not part of the control API; it has /health, /clock"
    )


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer wrong", f"Basic {CREDENTIALS.token}", "Bearer é"])
def test_nobody_gets_in_without_the_token(ask, authorization):
    headers = {"Host": "127.0.0.1:4566"} | ({"Authorization": authorization} if authorization else {})
    status, answer = ask("POST", "/reset", {}, headers=headers)
    assert status == 401
    assert answer == {"error": "the control API wants the header Authorization: Bearer $LABKIT_SANDBOX_TOKEN"}


def test_a_browser_gets_the_inbox_as_a_page_by_the_token_in_its_address(host):
    browser = {"Accept": "text/html,application/xhtml+xml", "Host": "localhost:4566"}
    page = Client(host).get(f"/_sandbox/inbox?token={CREDENTIALS.token}", headers=browser)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.headers["Cache-Control"] == "no-store"
    assert Client(host).get("/_sandbox/inbox?token=guess", headers=browser).status_code == 401
    assert Client(host).get(f"/_sandbox/clock?token={CREDENTIALS.token}", headers=browser).status_code == 401


def test_mails_come_as_json_for_a_program(host, ask):
    topic = client_maker(host)("sns").create_topic(Name="alarms")["TopicArn"]
    client_maker(host)("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="learner@example.com")
    (mail,) = ask("GET", "/inbox")[1]["messages"]
    assert (mail["to"], mail["at"]) == ("learner@example.com", "2026-11-02T09:00:00Z")


def test_a_sandbox_without_a_door_says_so(ask):
    assert ask("GET", "/ssh") == (404, {"error": "this sandbox has no SSH door"})


def test_a_failure_of_ours_is_told_as_one_and_leaves_the_sandbox_usable(ask, monkeypatch):
    def fail(*_):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("labkit.sandbox.clock.Clock.step_towards", fail)
    status, answer = ask("POST", "/clock/advance", {"seconds": 1})
    assert (status, answer) == (500, {"error": "the sandbox failed on this request; its log has the details"})
    assert ask("GET", "/clock") == (200, NOW)


def test_a_reset_ends_faults_noise_and_time(host, ask):
    ask("POST", "/faults", {"faults": [{"kind": "throttling"}]})
    ask("POST", "/background", {"level": 7})
    ask("POST", "/clock/advance", {"seconds": 3600})
    assert ask("POST", "/reset", {}) == (200, NOW)
    assert host.faults.strike("ec2", "DescribeVpcs") is None
    assert host.sandbox.network.collector.level == 1


def test_the_faults_in_force_are_told_in_full(ask):
    rules = [{"kind": "latency", "seconds": 0.5}, {"kind": "throttling", "service": "logs", "rate": 0.1}]
    usual = {"service": "*", "operation": "*", "rate": 1.0, "seconds": 0.0}
    assert ask("POST", "/faults", {"faults": rules}) == (200, {"faults": [{**usual, **rule} for rule in rules]})
    status, answer = ask("POST", "/faults", {"faults": [{"kind": "latency", "seconds": json.loads("NaN")}]})
    assert (status, answer["error"]) == (400, "seconds is from 0 to 60 for latency, not nan")
    assert ask("POST", "/faults", {"faults": []}) == (200, {"faults": []})
