"""Looking up details: orders of the detail queue become questions to orgs' services, and their answers end the stage.

A service has 5 s and three tries, which SQS counts; then the signature goes on without details. An order that breaks
for a reason of ours comes again too, and is set aside by SQS in the end: the sweep orders it once more.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from proca_common.actions import store
from proca_common.actions.status import Stage
from proca_common.actions.store import ActionItem, SupporterItem
from proca_common.aws.logs import log_fault, logger
from proca_common.errors import NotAllowed, NotFound
from proca_common.orgs import encryption, services
from proca_common.orgs import store as orgs
from proca_common.orgs.services import ServiceName
from proca_common.pipes.backends import password_of
from proca_common.pipes.details import Asked, ask
from proca_common.pipes.orders import DetailOrder
from proca_common.pipes.webhook import Credentials, credentials
from proca_common.stages.details import settle

TRIES = 3
PAUSES_MS = (5_000, 30_000)
OWN_FAULT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Desk:
    """What looking up needs. `passwords_secret`: the entry of the key that services' passwords are sealed with."""

    sealing_key: PrivateKey
    passwords_secret: str
    this_machine: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What a service is asked. `receives`: how often its order came, this time included."""

    record: str
    receives: int
    action: int
    ref: str
    email: str | None
    url: str = ""
    known: Credentials = field(default_factory=Credentials)
    reason: str = ""

    def asked(self, *, this_machine: bool) -> Asked:
        """The answer; a service that cannot be asked has none."""
        if self.reason:
            return Asked(None, self.reason, failed=True)
        message_id = f"{self.action}.detail"
        return ask(self.url, self.known, message_id, self.email, self.ref, this_machine=this_machine)


@dataclass(slots=True)
class Report:
    """What became of a batch. `again`: in how many ms an order must come again, by SQS's id of its message."""

    again: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def look_up(records: Iterable[Mapping[str, Any]], desk: Desk) -> Report:
    """Ask about the signatures of a batch, all at the same time, and let each go on."""
    report = Report()
    questions: list[Question] = []
    for record in records:
        try:
            question = _question(record, desk)
        except Exception as error:  # noqa: BLE001 - one order must not hold up the others
            log_fault("order cannot be worked on", error, sqs_id=record["messageId"])
            report.again[record["messageId"]] = OWN_FAULT_MS
        else:
            if question is not None:
                questions.append(question)
    if not questions:
        return report
    with ThreadPoolExecutor(len(questions)) as threads:
        answers = [*threads.map(lambda question: question.asked(this_machine=desk.this_machine), questions)]
    for question, answer in zip(questions, answers, strict=True):
        _end(question, answer, report)
    return report


def _question(record: Mapping[str, Any], desk: Desk) -> Question | None:
    """The question of an order; None where nobody waits for the answer (any more)."""
    order = DetailOrder.model_validate_json(record["body"])
    keys = (
        store.action_key(order.ref, order.action),
        store.supporter_key(order.ref, order.org, order.supporter),
    )
    found = store.read_many(keys)
    action, supporter = (found.get(key) for key in keys)
    if not isinstance(action, ActionItem) or not isinstance(supporter, SupporterItem) or action.stage != Stage.DETAIL:
        return None
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    url, known, reason = _service(order.org, desk.passwords_secret)
    email = _email(supporter, desk.sealing_key)
    return Question(record["messageId"], receives, order.action, order.ref, email, url, known, reason)


def _service(org: int, passwords_secret: str) -> tuple[str, Credentials, str]:
    """URL and credentials of an org's detail service, or why there is none."""
    try:
        name = orgs.get(org).detail_backend
        service = None if name is None else services.latest(org, ServiceName(name))
        if service is None:
            return "", Credentials(), "the org has no such service"
        return service.host, credentials(service.user, password_of(service, passwords_secret)), ""
    except (NotAllowed, NotFound) as refused:
        return "", Credentials(), str(refused)


def _email(supporter: SupporterItem, sealing_key: PrivateKey) -> str | None:
    """The supporter's address, as it was sealed for whoever needs it; None where it has none."""
    if supporter.mail is None:
        return None
    try:
        email = json.loads(encryption.unseal(supporter.mail, sealing_key))["email"]
    except (CryptoError, ValueError, KeyError):
        logger.error("sealed address cannot be opened", extra={"supporter": int(supporter.id)})
        return None
    return None if email is None else str(email)


def _end(question: Question, answer: Asked, report: Report) -> None:
    facts = {"action": question.action, "reason": answer.reason, "try": question.receives}
    if answer.failed and question.receives < TRIES:
        report.again[question.record] = PAUSES_MS[question.receives - 1]
        logger.info("details are asked for again", extra=facts)
        report.counts["Failed"] += 1
        return
    try:
        settle(question.action, answer.details)
    except NotFound:
        return  # it was erased
    except Exception as error:  # noqa: BLE001 - one signature must not hold up the others
        log_fault("signature cannot go on", error, action=question.action)
        report.again[question.record] = OWN_FAULT_MS
        return
    if answer.failed:
        logger.warning("details given up", extra=facts)
    else:
        logger.info("asked for details", extra=facts)
    report.counts["GivenUp" if answer.failed else "Asked"] += 1
