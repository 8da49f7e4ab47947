"""Credentials of AWS for an hour, with which an org reads its own queues and can do nothing else (design 6).

They are those of a role that may read the queues of all orgs, made for one session: its policy names the org's own
queues by their ARNs, and what both allow is allowed. Only the function that asks here may take that role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Annotated, Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from proca_common.aws.clients import client
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Unavailable
from proca_common.catalog import items
from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.management import audit
from proca_common.management.access import org_of
from proca_common.management.audit import Change
from proca_common.orgs.org import Org
from proca_common.pipes.routing import switched_on
from proca_common.pipes.topology import DLQ_SUFFIX, NAMES, READER_ACTIONS
from proca_common.users.permissions import Permission
from proca_common.users.user import Caller, User

MIN_S, MAX_S = 900, 3_600
MAX_POLICY, MAX_SESSION_NAME = 2_048, 64
"""What STS takes, in characters."""


class CredentialsInput(Entity):
    """For how many seconds; STS gives no less than 15 minutes, and no more than an hour to whoever has a role."""

    duration_seconds: Annotated[int, Field(ge=MIN_S, le=MAX_S)] = MAX_S


@dataclass(frozen=True, slots=True)
class Lender:
    """What may be lent: the role by its ARN, and what the ARNs and the URLs of the orgs' queues begin with."""

    role: str
    arn_prefix: str
    url_prefix: str


def lend(caller: Caller, name: str, given: Mapping[str, Any], lender: Lender) -> dict[str, object]:
    """New credentials for the queues of the org, and where these are. Who got some is in the audit trail.

    Raises `NotAllowed`, `Refused`, `Unavailable`.
    """
    org = org_of(caller, name, Permission.EXPORT_CONTACTS)
    wanted = checked(CredentialsInput, given)
    session = session_name(org, caller.user)
    try:
        found = client("sts").assume_role(
            RoleArn=lender.role,
            RoleSessionName=session,
            Policy=session_policy(lender.arn_prefix, org.id),
            DurationSeconds=wanted.duration_seconds,
        )["Credentials"]
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
        raise Unavailable(str(code)) from None
    expiration = found["Expiration"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    transaction = Transaction()
    after = {"session": session, "expiration": expiration}
    audit.record(transaction, Change(caller.user.id, org.id, "queue_credentials.create", f"org#{org.id}", {}, after))
    items.commit(transaction)
    return {
        "accessKeyId": found["AccessKeyId"],
        "secretAccessKey": found["SecretAccessKey"],
        "sessionToken": found["SessionToken"],
        "expiration": expiration,
        "region": lender.arn_prefix.split(":")[3],
        "queues": {queue: f"{lender.url_prefix}{org.id}-{queue}" for queue in _queues(org)},
    }


def session_policy(arn_prefix: str, org: int) -> str:
    """What may be done with the queues of this org, and with nothing else: also with those that are switched off by now
    and not empty yet. Never longer than STS takes, since a queue's name has at most 80 characters.
    """
    allowed = {"Effect": "Allow", "Action": READER_ACTIONS, "Resource": [f"{arn_prefix}{org}-{name}" for name in NAMES]}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]}, separators=(",", ":"))


def session_name(org: Org, user: User) -> str:
    """Who it is, as AWS logs it: `<org>.<org id>.<user id>`. No address of a person."""
    ids = f".{org.id}.{user.id}"
    return re.sub(r"[^A-Za-z0-9_-]", "-", org.name)[: MAX_SESSION_NAME - len(ids)] + ids


def _queues(org: Org) -> list[str]:
    return [f"{queue}{suffix}" for queue in sorted(switched_on(org)) for suffix in ("", DLQ_SUFFIX)]
