"""A signature of a campaign with guards: what they say of it, before it is stored.

A request that was answered before, under its Idempotency-Key, gets that answer again whatever the guards say now: its
challenge is used up, and may have expired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from proca_common.action_pages.context import PageContext
from proca_common.actions.input import AddActionContactInput
from proca_common.actions.source import Source
from proca_common.aws import clock
from proca_common.aws.secrets import secret
from proca_common.contacts import Contact, contact_ref
from proca_common.errors import NotAllowed
from proca_common.failures import Refused
from proca_common.guards import verification
from proca_common.guards.patterns import Signer, first_match, plain
from proca_common.guards.settings import Captcha, Guards, NetworkCap
from proca_common.guards.verification import Challenge, Verifier
from proca_common.intake import add
from proca_common.intake.add import Asked, Taken, Vault

REFUSED = "this cannot be taken"


@dataclass(frozen=True, slots=True)
class Admission:
    """What the guards made of a signature. `challenge`: used up in its transaction; `held`: the pattern for which it is
    kept out of everything until somebody looked at it.
    """

    challenge: Challenge | None = None
    held: int | None = None


def add_action_contact(
    context: PageContext,
    request: AddActionContactInput,
    contact: Contact,
    source: Source | None,
    asked: Asked | None,
    vault: Vault,
    *,
    client: str | None,
    guard_secret: str,
) -> Taken:
    """`intake.add.add_action_contact`, behind the guards of this page.

    `client`: the address that the request came from. `guard_secret`: the entry of the guards' secret. Raises `Refused`,
    `NotAllowed`, `TooMany` and `Unavailable`.
    """
    try:
        admission = _admitted(context, request, contact, client, guard_secret)
    except (Refused, NotAllowed):
        known = add.answered(asked, contact_ref(vault.seed, contact.fingerprint_text))
        if known is None:
            raise
        return known
    return add.add_action_contact(context, request, contact, source, asked, vault, admission)


def admit_client(context: PageContext, client: str | None, guard_secret: str) -> None:
    """What guards say of whatever else a widget asks for, of which they only know the network it comes from.

    Raises `NotAllowed` and `TooMany`.
    """
    guards = context.guards
    if guards is None:
        return
    if guards.network_cap:
        _count(guards.network_cap, context, client, guard_secret)
    found = first_match((pattern for pattern in guards.patterns if pattern.kind == "network"), Signer("", "", client))
    if found is not None and found.action == "refuse":
        raise NotAllowed(REFUSED)


def _count(cap: NetworkCap, context: PageContext, client: str | None, guard_secret: str) -> None:
    from proca_common.guards import caps  # noqa: PLC0415 - only where there are caps

    caps.count_signature(cap, client, context.campaign.id, secret(guard_secret), clock.now_ms())


def _admitted(
    context: PageContext, request: AddActionContactInput, contact: Contact, client: str | None, guard_secret: str
) -> Admission:
    guards = context.guards
    if guards is None:
        return Admission()
    if guards.network_cap:
        _count(guards.network_cap, context, client, guard_secret)
    held = _held(guards, request, contact, client)
    return Admission(_verified(guards, request, context.page.id, guard_secret), held)


def _held(guards: Guards, request: AddActionContactInput, contact: Contact, client: str | None) -> int | None:
    """The pattern that holds this signature. Raises `NotAllowed` where one refuses it, and does not tell which."""
    if not guards.patterns:
        return None
    name = f"{contact.payload.get('firstName') or ''} {contact.payload.get('lastName') or ''}"
    signer = Signer(plain(contact.email or request.contact.email or ""), plain(name), client)
    found = first_match(guards.patterns, signer)
    if found is not None and found.action == "refuse":
        raise NotAllowed(REFUSED)
    return None if found is None else found.id


def _verified(guards: Guards, request: AddActionContactInput, page: int, guard_secret: str) -> Challenge | None:
    """The challenge that was solved, where the campaign asks for any verification (domain 3.8)."""
    verifiers = _verifiers(guards)
    if not verifiers:
        return None
    if request.captcha is None:
        raise verification.missing()
    make = verifiers.get(request.captcha_service) if request.captcha_service else next(iter(verifiers.values()))
    if make is None:
        raise verification.not_enabled()
    if len(request.captcha) > verification.MAX_SOLUTION:
        raise verification.bad_captcha(verification.INVALID)
    return make(secret(guard_secret)).verify(request.captcha, page, clock.now_ms())


def _verifiers(guards: Guards) -> dict[str, Callable[[bytes], Verifier]]:
    """By the names of their services, all that the campaign takes; the first is meant where a request names none."""
    found: dict[str, Callable[[bytes], Verifier]] = {}
    if guards.proof_of_work:
        found["altcha"] = _proof_of_work
    if guards.captcha:
        found[guards.captcha.service] = partial(_external, guards.captcha)
    return found


def _external(captcha: Captcha, guard_secret: bytes) -> Verifier:
    from proca_common.guards.external import ExternalVerifier  # noqa: PLC0415 - only where it is asked for

    return ExternalVerifier(captcha, guard_secret)


def _proof_of_work(guard_secret: bytes) -> Verifier:
    from proca_common.guards.proof_of_work import ProofOfWorkVerifier, signing_key  # noqa: PLC0415 - 30 ms, only here

    return ProofOfWorkVerifier(signing_key(guard_secret))
