"""The sandbox's own credentials."""

from labkit.sandbox.credentials import Credentials


def test_new_credentials_are_different_each_time_and_told_from_aws_s_own():
    one, other = Credentials.create(), Credentials.create()
    assert one.access_key_id.startswith("LKIASANDBOX")
    assert {one.access_key_id, one.secret_access_key, one.token}.isdisjoint(vars(other).values())
    assert min(len(one.secret_access_key), len(one.token)) >= 32
