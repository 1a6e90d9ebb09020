import pytest

from tests.sandbox.notifications.sns import Notifications


@pytest.fixture
def sns(sandbox):
    return Notifications(sandbox)
