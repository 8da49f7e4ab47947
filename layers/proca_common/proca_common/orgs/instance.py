"""The instance: its org, and the public parts of its key pairs (domain 0.2, design 7.8).

Intake only ever sees the public part. The id is that of the instance org's key record, which messages show as
`signKey.id`. Its guards hold for every campaign that does not say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from proca_common.aws import dynamo
from proca_common.aws.dynamo import CatalogItem
from proca_common.catalog import items
from proca_common.errors import NotFound

KEY = ("instance", "instance")


class InstanceItem(CatalogItem, discriminator="instance"):
    """The one record of the instance."""

    org = NumberAttribute()
    key_id = NumberAttribute()
    sealing_public = BinaryAttribute(legacy_encoding=False)
    guards = JSONAttribute(null=True)
    passwords_public = BinaryAttribute(null=True, legacy_encoding=False)
    frontend_url = UnicodeAttribute(null=True)
    jwt = JSONAttribute(null=True)


@dataclass(frozen=True, slots=True)
class Instance:
    """`sealing_public` is 32 bytes. `guards`: settings as in `guards.settings.Guards`, checked when they were set.

    `passwords_public`: what passwords of services are sealed with, 32 bytes; None where `setup` did not make it yet.
    `frontend_url`: what links in mails to users begin with; None: the API's own pages. `jwt`: settings as in
    `users.jwt.JwtSettings`; empty where no issuer is believed.
    """

    org: int
    key_id: int
    sealing_public: bytes
    guards: Mapping[str, Any] = field(default_factory=dict)
    passwords_public: bytes | None = None
    frontend_url: str | None = None
    jwt: Mapping[str, Any] = field(default_factory=dict)


def to_instance(item: InstanceItem) -> Instance:
    """The instance of its stored item."""
    return Instance(
        int(item.org),
        int(item.key_id),
        item.sealing_public,
        item.guards or {},
        item.passwords_public,
        item.frontend_url,
        item.jwt or {},
    )


def get() -> Instance:
    """The instance; raises `NotFound` before it was set up."""
    item = items.read(InstanceItem, *KEY)
    if item is None:
        raise NotFound("instance")
    return to_instance(item)


def put(instance: Instance) -> None:
    """Store the instance's record."""
    pk, sk = KEY
    item = InstanceItem(pk=pk, sk=sk, org=instance.org, key_id=instance.key_id, sealing_public=instance.sealing_public)
    item.guards = dict(instance.guards) or None
    item.passwords_public = instance.passwords_public
    item.frontend_url = instance.frontend_url
    item.jwt = dict(instance.jwt) or None
    dynamo.save(item)
