import pytest

from tests.sandbox.alarms.cloudwatch import CloudWatch


@pytest.fixture
def cloudwatch(sandbox):
    return CloudWatch(sandbox)
