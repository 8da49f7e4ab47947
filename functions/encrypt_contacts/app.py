"""Encrypt-contacts queue: after a key became active, encrypt what its org stored before that held."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo, secrets
from proca_common.aws.clients import client
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.settings import read
from proca_common.aws.settings.jobs import EncryptContactsSettings
from proca_common.aws.stream import batch_answer
from proca_common.orgs.encryption import sealing_key
from proca_common.stages import encrypt_later

ENOUGH_MS = 60_000

settings = read(EncryptContactsSettings)
dynamo.connect(settings)
client("sqs")
private = sealing_key(secrets.secret(settings.sealing_key_secret))
init_phase.over()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of the queue mapping."""
    failed = []
    for record in event["Records"]:
        try:
            encrypt_later.work(
                record["body"],
                settings.encrypt_contacts_queue_url,
                private,
                lambda: context.get_remaining_time_in_millis() > ENOUGH_MS,
            )
        except Exception as error:  # noqa: BLE001 - it comes again, and then an alarm tells of it
            log_fault("contacts cannot be encrypted", error)
            failed.append(record["messageId"])
    return batch_answer(failed)
