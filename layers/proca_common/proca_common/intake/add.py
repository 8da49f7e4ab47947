"""Taking an action in: everything it needs is written in one transaction, or nothing is (domain 3.2, 3.3; design 4, 5).

Nothing that is answered depends on what is stored about a person, and a known ref costs the same calls as an unknown
one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from proca_common.action_pages.context import PageContext
from proca_common.actions import store
from proca_common.actions.input import ActionInput, AddActionContactInput, AddActionInput
from proca_common.actions.private import MTT_NEEDS_CONTACT, UNSUPPORTED_MTT, Particulars, particulars_of
from proca_common.actions.protection import protect
from proca_common.actions.source import Source
from proca_common.actions.status import ActionStatus, Stage, SupporterStatus
from proca_common.actions.store import (
    ActionIdItem,
    ActionItem,
    ContactItem,
    IdempotencyItem,
    SupporterItem,
    UsedChallengeItem,
)
from proca_common.aws import clock
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.campaigns.campaign import CampaignStatus
from proca_common.consents import Consent, split_consents
from proca_common.contacts import Contact, contact_ref
from proca_common.errors import TooMany
from proca_common.failures import Failure, Refused
from proca_common.ids import RANDOM_BITS, new_id
from proca_common.orgs.encryption import Encryptor, seal
from proca_common.stages.binding import bind, count_action, is_full, waits
from proca_common.stages.outbox import enter

if TYPE_CHECKING:
    from proca_common.actions.mtt import MttInput
    from proca_common.intake.guarded import Admission
    from proca_common.intake.shapes import ActionTaken
    from proca_common.mtt.intake import Message

IDEMPOTENT_FOR = timedelta(hours=24)
ALREADY_SOLVED = Failure("/captcha", "bad_captcha", "captcha: challenge already solved")
KEY_REUSED = Failure("", "idempotency_key", "Idempotency-Key was used for a different request")


@dataclass(frozen=True, slots=True)
class Vault:
    """What makes refs and ciphertexts: the fingerprint seed and the encryptor of this environment."""

    seed: str
    encryptor: Encryptor


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with an Idempotency-Key: the key as it came, its item's key, and an HMAC of all that was asked."""

    text: str
    key: store.Key
    digest: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request. `replayed`: it had been taken before, under the same Idempotency-Key."""

    action: int
    contact_ref: str
    replayed: bool = False

    def answer(self, first_name: str | None = None) -> ActionTaken:
        """What whoever asked may know of it; `first_name` as this very request has it (design 7.7)."""
        return {"actionId": self.action, "contactRef": self.contact_ref, "firstName": first_name}


def asked(key: str | None, page: int, vault: Vault, *request: bytes) -> Asked | None:
    """What is remembered of a request that came with an Idempotency-Key; None without one."""
    if key is None:
        return None
    return Asked(key, store.idempotency_key(page, key), store.asked_hmac(vault.seed.encode(), b"idempotency", *request))


def random_bits() -> int:
    """The random part of an id."""
    return secrets.randbits(RANDOM_BITS)


def add_action_contact(
    context: PageContext,
    request: AddActionContactInput,
    contact: Contact,
    source: Source | None,
    asked: Asked | None,
    vault: Vault,
    admission: Admission | None = None,
) -> Taken:
    """Store a signature: supporter, a contact per entitled org, and the action. One DynamoDB call.

    `admission`: what the guards made of it, where there are any. Raises `Refused` (the Idempotency-Key belongs to
    another request, the challenge was used before) and `Unavailable`.
    """
    ref = contact_ref(vault.seed, contact.fingerprint_text)
    consents = split_consents(
        page_org=context.org.id,
        lead_org=context.lead.id,
        delivery=context.page.delivery,
        force_delivery=context.campaign.force_delivery,
        opt_in=request.privacy.opt_in,
        lead_opt_in=request.privacy.lead_opt_in,
    )
    particulars = particulars_of(request.action, context.campaign.transient_actions)
    message = None if request.action.mtt is None else _message(context, request.action.mtt, contact, request.action)
    known = {**contact.payload, **particulars.private} if particulars.private else contact.payload
    payload = json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode()
    mail = _sealed_address(contact, context) if context.needs_address(opt_in=request.privacy.opt_in) else None

    def write(action_id: int, now_ms: int) -> Transaction:
        supporter = _supporter(context, ref, action_id, contact.area, [consent.org for consent in consents])
        supporter.mail = mail
        if admission is not None:
            supporter.held = admission.held
        if request.contact_ref is not None:
            supporter.link_refs = {store.unbound_ref(context.org.id, request.contact_ref)}
        if request.contact_ref is not None and supporter.held is None:
            enter(supporter, "link", action_id, Stage.LINK, (), now_ms)
        action = _action(context, request.action, particulars, source, action_id, with_consent=True)
        if message is not None:
            action.messages = len(message.targets)
        bind(action, supporter, context, now_ms)
        supporter.waiting = int(waits(action))
        action.idempotency = None if asked is None else asked.text
        transaction = Transaction()
        transaction.put("supporter", supporter)
        for consent in consents:
            item = _contact(context, consent, ref, action_id, payload, vault.encryptor)
            transaction.put(f"contact {consent.org}", item)
        _put_action(transaction, action)
        if message is not None:
            message.put(transaction, ref, action_id)
        if admission is not None and admission.challenge is not None:
            _use_up(transaction, admission.challenge.nonce, admission.challenge.expires_s)
        return transaction

    return _commit(write, ref, asked)


def answered(asked: Asked | None, ref: str) -> Taken | None:
    """What this request was answered before, under its Idempotency-Key; None when it was not. Nothing is written.

    Intake may write but not read, so this is a write that cannot go through. Raises `Refused` and `Unavailable`.
    """
    if asked is None:
        return None
    now = _in(clock.now_ms(), timedelta())
    transaction = Transaction()
    never = ActionsItem.ref.exists() & ActionsItem.ref.does_not_exist()
    transaction.put("idempotency", IdempotencyItem(*asked.key, action=0, asked=asked.digest), never, old=True)
    try:
        transaction.commit()
    except Cancelled as cancelled:
        if not cancelled.any_condition:
            raise Unavailable("other writes were in the way") from None
        known = cancelled.old.get("idempotency")
        if known is None or IdempotencyItem.from_raw_data(known).expires < now:
            return None
        return _replayed(cancelled, asked, ref)
    return None


def add_action(
    context: PageContext, request: AddActionInput, ref: str, source: Source | None, asked: Asked | None
) -> Taken:
    """Store a further action of whoever has this contact ref, or keep it for the supporter to come. Two DynamoDB calls.

    Raises `Refused` (also for what only a contact can carry), `TooMany` and `Unavailable`.
    """
    if request.action.mtt is not None:
        raise Refused([UNSUPPORTED_MTT if context.campaign.mtt is None else MTT_NEEDS_CONTACT])
    particulars = particulars_of(request.action, context.campaign.transient_actions).without_contact()

    def write(action_id: int, now_ms: int) -> Transaction:
        action = _action(context, request.action, particulars, source, action_id, with_consent=False)
        action.idempotency = None if asked is None else asked.text
        supporter = store.latest_supporter(ref, context.org.id)
        transaction = Transaction()
        if supporter is None:
            action.ref = store.unbound_ref(context.org.id, ref)
            action.expires = _in(now_ms, timedelta(days=store.UNBOUND_DAYS))
        else:
            bind(action, supporter, context, now_ms)
            count_action(transaction, supporter, action)
        _put_action(transaction, action)
        return transaction

    return _commit(write, ref, asked)


def _message(context: PageContext, given: MttInput, contact: Contact, action: ActionInput) -> Message:
    from proca_common.mtt.intake import message  # noqa: PLC0415 - not for signatures without one

    return message(context, given, contact, testing=action.testing)


def _commit(write: Callable[[int, int], Transaction], ref: str, asked: Asked | None) -> Taken:
    for pause in pauses():
        now_ms = clock.now_ms()
        action_id = new_id(now_ms, random_bits())
        transaction = write(action_id, now_ms)
        if asked is not None:
            _remember(transaction, asked, action_id, now_ms)
        try:
            transaction.commit()
        except Cancelled as cancelled:
            if cancelled.refused("idempotency"):
                return _replayed(cancelled, asked, ref)
            if cancelled.refused("challenge"):
                raise Refused([ALREADY_SOLVED]) from None
            if cancelled.refused("supporter") and is_full(cancelled.old.get("supporter")):
                raise TooMany("too many actions of one supporter") from None
            if not cancelled.any_condition:
                clock.sleep_ms(pause)
            continue
        return Taken(action_id, ref)
    raise Unavailable("other writes were in the way")


def _remember(transaction: Transaction, asked: Asked, action_id: int, now_ms: int) -> None:
    now = _in(now_ms, timedelta())
    ref, sk = asked.key
    item = IdempotencyItem(ref=ref, sk=sk, action=action_id, asked=asked.digest, expires=now + IDEMPOTENT_FOR)
    free = ActionsItem.ref.does_not_exist() | (ActionsItem.expires < now)
    transaction.put("idempotency", item, free, old=True)


def _replayed(cancelled: Cancelled, asked: Asked | None, ref: str) -> Taken:
    known = IdempotencyItem.from_raw_data(cancelled.old["idempotency"])
    if asked is None or known.asked != asked.digest:
        raise Refused([KEY_REUSED])
    return Taken(int(known.action), ref, replayed=True)


def _use_up(transaction: Transaction, nonce: str, expires_s: int) -> None:
    ref, sk = store.challenge_key(nonce)
    used = UsedChallengeItem(ref=ref, sk=sk, expires=_in(expires_s * 1000, timedelta(hours=1)))
    transaction.put("challenge", used, ActionsItem.ref.does_not_exist())


def _put_action(transaction: Transaction, action: ActionItem) -> None:
    action.sk = store.action_key(action.ref, int(action.id))[1]
    transaction.put("action", action)
    ref, sk = store.action_id_key(int(action.id))
    claim = ActionIdItem(ref=ref, sk=sk, at=action.ref, expires=action.expires)
    transaction.put("id", claim, ActionsItem.ref.does_not_exist())


def _supporter(
    context: PageContext, ref: str, identifier: int, area: str | None, recipients: list[int]
) -> SupporterItem:
    return SupporterItem(
        *store.supporter_key(ref, context.org.id, identifier),
        id=identifier,
        status=SupporterStatus.NEW.value,
        campaign=context.campaign.id,
        page=context.page.id,
        org=context.org.id,
        area=area,
        recipients=recipients,
        actions=1,
        waiting=0,
    )


def _sealed_address(contact: Contact, context: PageContext) -> bytes | None:
    """What a mail to the supporter needs, for whoever has the instance's sealing key; None without an address."""
    if contact.email is None:
        return None
    needed = {"email": contact.email, "firstName": contact.first_name, "lastName": contact.payload.get("lastName")}
    return seal(json.dumps(needed, ensure_ascii=False).encode(), context.instance.sealing_public)


def _action(
    context: PageContext,
    given: ActionInput,
    particulars: Particulars,
    source: Source | None,
    identifier: int,
    *,
    with_consent: bool,
) -> ActionItem:
    return ActionItem(
        id=identifier,
        status=ActionStatus.NEW.value,
        action_type=given.action_type,
        campaign=context.campaign.id,
        page=context.page.id,
        org=context.org.id,
        with_consent=with_consent,
        testing=given.testing,
        late=True if context.campaign.status is CampaignStatus.CLOSED else None,
        fields=particulars.fields or None,
        donation=particulars.donation,
        source=None if source is None else asdict(source),
    )


def _contact(
    context: PageContext, consent: Consent, ref: str, supporter: int, payload: bytes, encryptor: Encryptor
) -> ContactItem:
    org = context.org if consent.org == context.org.id else context.lead
    item = ContactItem(
        *store.contact_key(ref, supporter, org.id),
        org=org.id,
        communication_consent=consent.communication_consent,
        delivery_consent=consent.delivery_consent,
    )
    protect(item, payload, org, context.instance, encryptor)
    return item


def _in(now_ms: int, ahead: timedelta) -> datetime:
    return datetime.fromtimestamp(now_ms // 1000, UTC) + ahead
