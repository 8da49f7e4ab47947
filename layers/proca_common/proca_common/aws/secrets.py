"""Secrets of the instance: separate entries of Secrets Manager, each read once per environment (design 7.8)."""

from __future__ import annotations

from functools import cache

from proca_common.aws.clients import client


class SecretMissing(RuntimeError):
    """A secret is empty: without it nothing starts (design 3). Names the entry, never its value."""


@cache
def secret(entry: str) -> bytes:
    """The value of the entry with this ARN or name, as UTF-8 bytes."""
    value = client("secretsmanager").get_secret_value(SecretId=entry).get("SecretString", "")
    if not value:
        raise SecretMissing(f"secret {entry.rsplit(':', 1)[-1]} is empty")
    return str(value).encode()
