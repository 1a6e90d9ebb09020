"""The sandbox's account id, and the region for clients that name none."""

ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "eu-west-1"
