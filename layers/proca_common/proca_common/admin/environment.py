"""Where the instance is: from the functions' own variables, or from the outputs of a deployed stack; and what settings
a command line gives.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace
from typing import Any

from pydantic import Field

from proca_common.aws import dynamo
from proca_common.aws.clients import client
from proca_common.aws.settings import TableSettings, read

OUTPUTS = {
    "ApiUrl": "PROCA_API_URL",
    "ActionsTable": "ACTIONS_TABLE",
    "CatalogTable": "CATALOG_TABLE",
    "StatsTable": "STATS_TABLE",
    "ErasuresTable": "ERASURES_TABLE",
    "ExportBucket": "EXPORT_BUCKET",
    "QueueUrlPrefix": "QUEUE_URL_PREFIX",
    "SealingKeySecret": "SEALING_KEY_SECRET",
    "ServicePasswordsSecret": "SERVICE_PASSWORDS_SECRET",
    "GuardKeySecret": "GUARD_KEY_SECRET",
    "ErasureKeySecret": "ERASURE_KEY_SECRET",
    "LinkKeysSecret": "LINK_KEYS_SECRET",
    "MailQueue": "MAIL_QUEUE_URL",
    "MailFailuresQueue": "MAIL_FAILURES_QUEUE_URL",
    "PushQueue": "PUSH_QUEUE_URL",
    "PushFailuresQueue": "PUSH_FAILURES_QUEUE_URL",
    "DetailQueue": "DETAIL_QUEUE_URL",
    "DetailFailuresQueue": "DETAIL_FAILURES_QUEUE_URL",
    "ExportQueue": "EXPORT_QUEUE_URL",
    "ErasureQueue": "ERASURE_QUEUE_URL",
    "ErasureFailuresQueue": "ERASURE_FAILURES_QUEUE_URL",
    "AuditQueue": "AUDIT_QUEUE_URL",
    "TargetMailQueue": "TARGET_MAIL_QUEUE_URL",
    "TargetMailFailuresQueue": "TARGET_MAIL_FAILURES_QUEUE_URL",
}


class AdminSettings(TableSettings):
    """Everything an operator's shell may touch. `link_base_url`: what links begin with, if not where the API is."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    sealing_key_secret: str = Field(min_length=1)
    service_passwords_secret: str = Field(min_length=1)
    guard_key_secret: str | None = None
    erasure_key_secret: str | None = None
    proca_api_url: str | None = None
    link_base_url: str | None = None
    link_keys_secret: str | None = None
    mail_queue_url: str | None = None
    mail_failures_queue_url: str | None = None
    push_queue_url: str | None = None
    push_failures_queue_url: str | None = None
    detail_queue_url: str | None = None
    detail_failures_queue_url: str | None = None
    target_mail_queue_url: str | None = None
    target_mail_failures_queue_url: str | None = None
    erasure_queue_url: str | None = None
    erasure_failures_queue_url: str | None = None


def connect(stack: str | None) -> AdminSettings:
    """Connect to the instance; raises `SettingsError` when neither a stack nor the variables say where it is."""
    if stack is not None:
        found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        values = {output["OutputKey"]: output["OutputValue"] for output in found}
        os.environ.update({variable: values[name] for name, variable in OUTPUTS.items()})
    settings = read(AdminSettings)
    dynamo.connect(settings)
    return settings


def given_settings(args: Namespace) -> dict[str, Any]:
    """`key=value` arguments; a value is JSON, or else text."""
    given = {}
    for text in args.settings:
        key, _, value = text.partition("=")
        try:
            given[key] = json.loads(value)
        except ValueError:
            given[key] = value
    return given
