import re
from datetime import UTC, date, datetime

import pytest

from labkit.flowlog.story.case import ACCOUNTS, DROP_HOSTS, INTRUDERS, OFFICE_ADDRESS, Case
from labkit.flowlog.story.cast import WEB_SERVER

SUNDAY, MONDAY = date(2026, 11, 1), date(2026, 11, 2)
CASES = [Case(number, day) for number in (0, 7, 42, 9999) for day in (SUNDAY, MONDAY)]
LINE = re.compile(
    r"Nov +\d{1,2} \d\d:\d\d:\d\d web sshd\[\d+\]: "
    r"(?P<outcome>Accepted|Failed) (?P<how>password|publickey) for (?:invalid user )?(?P<name>\S+) "
    r"from (?P<source>\S+) port (?P<port>\d+) ssh2"
)

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}-{case.day}")


def logins(case: Case) -> list[dict[str, str]]:
    return [LINE.fullmatch(event.line).groupdict() for event in case.logins()]


@each_case
def test_a_case_is_of_one_day(case):
    records = case.records.to_pandas()
    moments = [datetime.fromtimestamp(moment, UTC).date() for moment in (records["start"].min(), records["end"].max())]
    assert moments == [case.day, case.day]


@each_case
def test_the_same_number_is_the_same_case(case):
    again = Case(case.number, case.day)
    assert again.records.equals(case.records)
    assert again.logins() == case.logins()


def test_another_number_is_another_case():
    incidents = [Case(number, SUNDAY).incident for number in range(30)]
    assert len({incident.intruder for incident in incidents}) > 15
    assert len({incident.drop_host for incident in incidents}) > 12
    assert len({incident.opened for incident in incidents}) > 25
    assert len({Case(number, SUNDAY).account for number in range(30)}) == len(ACCOUNTS)


@each_case
def test_nobody_in_the_cast_is_the_intruder(case):
    assert case.incident.intruder in INTRUDERS
    assert case.incident.drop_host in DROP_HOSTS


@each_case
def test_the_largest_conversation_at_ssh_is_the_intruders(case):
    asked = case.records.to_pandas().query(f"dstaddr == '{WEB_SERVER}' and dstport == 22 and action == 'ACCEPT'")
    asked = asked[asked["srcaddr"] != OFFICE_ADDRESS]
    sizes = asked.groupby(["srcaddr", "srcport"])["bytes"].sum().nlargest(2)
    assert sizes.index[0][0] == case.incident.intruder
    assert sizes.iloc[0] > 20 * sizes.iloc[1]


@each_case
def test_what_left_can_be_added_up(case):
    sent = case.records.to_pandas().query(f"srcaddr == '{WEB_SERVER}' and srcport >= 32768")
    totals = sent.groupby(["dstaddr", "dstport"])["bytes"].sum().nlargest(2)
    assert totals.index[0] == (case.incident.drop_host, case.incident.drop_port)
    assert totals.iloc[0] == pytest.approx(case.incident.stolen_bytes, rel=0.01)
    assert totals.iloc[1:].sum() < 0.01 * totals.iloc[0]


@each_case
def test_first_let_in_is_within_the_open_hour(case):
    moment = case.first_let_in().timestamp()
    assert 0 <= moment - case.incident.opened < 600


@each_case
def test_logins_are_in_the_order_of_time_and_of_the_day(case):
    moments = [event.at for event in case.logins()]
    assert moments == sorted(moments)
    assert {datetime.fromtimestamp(moment, UTC).date() for moment in moments} == {case.day}


@each_case
def test_one_password_was_right_and_it_was_the_intruders(case):
    (accepted,) = [login for login in logins(case) if login["outcome"] == "Accepted" and login["how"] == "password"]
    assert accepted["source"] == case.incident.intruder
    assert accepted["name"] == case.account


@each_case
def test_the_administrator_logs_in_with_a_key(case):
    by_key = [login for login in logins(case) if login["how"] == "publickey"]
    assert {login["source"] for login in by_key} <= {OFFICE_ADDRESS}
    assert {login["name"] for login in by_key} <= {"ec2-user"}


def test_the_administrator_comes_on_some_working_day():
    assert any(login["source"] == OFFICE_ADDRESS for number in range(5) for login in logins(Case(number, MONDAY)))


@each_case
def test_every_line_has_its_flow_and_every_flow_its_line(case):
    asked = case.records.to_pandas().query(f"dstaddr == '{WEB_SERVER}' and dstport == 22 and action == 'ACCEPT'")
    flows = {(row.srcaddr, int(row.srcport)) for row in asked.itertuples()}
    lines = [(login["source"], int(login["port"])) for login in logins(case)]
    assert set(lines) == flows
    assert len(lines) == len(flows)


def test_a_line_is_written_as_sshd_writes_it():
    event = Case(7, SUNDAY).logins()[0]
    assert LINE.fullmatch(event.line)
    assert event.line.startswith(f"{datetime.fromtimestamp(event.at, UTC):%b  %-d %H:%M:%S} web sshd[")
