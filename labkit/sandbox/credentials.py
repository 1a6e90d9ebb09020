"""The sandbox's own credentials: an access key, and the token of its control API."""

from __future__ import annotations

import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """An access key of the sandbox, and the token of its control API."""

    access_key_id: str
    secret_access_key: str
    token: str

    @classmethod
    def create(cls) -> Credentials:
        """New random credentials."""
        return cls(f"LKIASANDBOX{secrets.token_hex(5).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(24))
