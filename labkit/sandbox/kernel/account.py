"""The sandbox's account, and the region that a client who names none is in."""

ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "eu-west-1"
