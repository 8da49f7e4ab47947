"""Asking for earlier actions to be linked to a person who has signed (domain 3.3, linkActions; design 5).

The stream function does it (`stages.link`). Nothing that is answered depends on what is stored, and a known ref costs
the same calls as an unknown one (design 7.7).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field
from pynamodb.expressions.update import Action as UpdateAction

from proca_common.actions import store
from proca_common.actions.input import contact_ref_failures, parse_about, rule
from proca_common.actions.status import Stage
from proca_common.actions.store import SupporterItem
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ActionsItem
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.contacts.input import Input
from proca_common.stages.outbox import as_read

MAX_LINK_REFS = 25
MAX_WAITING_REFS = 100
NOBODY = 0


class LinkActionsInput(Input):
    """Body of POST /v1/pages/{page}/contacts/{contactRef}/links: the refs under which the earlier actions were sent."""

    link_refs: Annotated[
        list[Annotated[str, rule(contact_ref_failures)]], Field(min_length=1, max_length=MAX_LINK_REFS)
    ]


def parse_links(body: bytes, contact_ref: str) -> LinkActionsInput:
    """The checked body, and the contact ref of the path with it. Raises Malformed and Refused."""
    return parse_about(LinkActionsInput, body, contact_ref)


def link_actions(org: int, contact_ref: str, link_refs: Iterable[str]) -> None:
    """Let the latest supporter of this ref have what waits under these refs, for pages of this org. Two DynamoDB calls.

    At most 100 refs of one supporter wait to be linked; what is more is passed over. Raises `Unavailable`.
    """
    asked = {store.unbound_ref(org, text) for text in link_refs}
    for pause in pauses():
        found = store.latest_supporter(contact_ref, org)
        supporter = found or SupporterItem(*store.supporter_key(contact_ref, org, NOBODY), id=NOBODY)
        try:
            _enter(supporter, asked)
        except Cancelled:
            if found is None:
                return
            clock.sleep_ms(pause)
        else:
            return
    raise Unavailable("other writes were in the way")


def _enter(supporter: SupporterItem, asked: set[str]) -> None:
    """Set that these refs are to be linked, once more if they are just being linked. Raises `Cancelled`."""
    known = set(supporter.link_refs or ())
    added = sorted(asked - known)[: MAX_WAITING_REFS - len(known)]
    changes: list[UpdateAction] = [
        SupporterItem.stage.set(Stage.LINK.value),
        # Never as before: whoever is linking now must not end what is asked here.
        SupporterItem.due.set(max(clock.now_ms(), int(supporter.due or 0) + 1)),
        SupporterItem.attempt.set(0),
        SupporterItem.pending.set(store.pending_bucket("link", int(supporter.id))),
    ]
    if added:
        changes.append(SupporterItem.link_refs.add(set(added)))
    item = SupporterItem(supporter.ref, supporter.sk)
    dynamo.update(item, changes, ActionsItem.ref.exists() & as_read(supporter))
