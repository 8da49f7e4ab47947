"""What happens with a request that wants an action taken in, whoever speaks for it: from its body to what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from proca_common.action_pages.context import page_context
from proca_common.actions.input import parse_action, parse_action_contact
from proca_common.actions.source import source_of
from proca_common.aws import clock, metrics
from proca_common.intake.add import Taken, Vault, add_action, add_action_contact, asked


@dataclass(frozen=True, slots=True)
class Wish:
    """A request: its JSON body, the page it came from as the browser says, the address of the client, and its
    Idempotency-Key.
    """

    body: bytes
    referer: str | None
    client: str | None
    key: str | None = None


def sign(page: int, wish: Wish, vault: Vault, guard_secret: str) -> tuple[Taken, str | None]:
    """Store the signature on this page; with the first name as this very request has it.

    `guard_secret`: the entry of the guards' secret, read where a guard needs it. Raises `NotFound` (page), `Malformed`,
    `Refused`, `NotAllowed`, `TooMany` and `Unavailable`.
    """
    context = page_context(page)
    request, contact = parse_action_contact(wish.body, context.campaign.contact_schema, clock.today())
    source = source_of(request.tracking, wish.referer)
    once = asked(wish.key, context.page.id, vault, wish.body)
    if context.guards is None:
        taken = add_action_contact(context, request, contact, source, once, vault)
    else:
        taken = guarded().add_action_contact(
            context, request, contact, source, once, vault, client=wish.client, guard_secret=guard_secret
        )
    if not taken.replayed:
        metrics.emit({"SignaturesTaken": 1})
    return taken, contact.first_name


def act(page: int, contact_ref: str, wish: Wish, vault: Vault, guard_secret: str) -> Taken:
    """Store a further action on this page of whoever has this contact ref, or keep it for the supporter to come.

    Raises as `sign` does.
    """
    context = page_context(page)
    request = parse_action(wish.body, contact_ref)
    source = source_of(request.tracking, wish.referer)
    if context.guards is not None:
        guarded().admit_client(context, wish.client, guard_secret)
    once = asked(wish.key, context.page.id, vault, contact_ref.encode(), wish.body)
    taken = add_action(context, request, contact_ref, source, once)
    if not taken.replayed:
        metrics.emit({"ActionsTaken": 1})
    return taken


def guarded() -> ModuleType:
    """What campaigns with guards need; no other pays for importing it."""
    return import_module("proca_common.intake.guarded")
