"""What orgs take out of what they were given, send again and erase, in GraphQL."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any

from proca_common.action_pages.context import page_context
from proca_common.aws.secrets import secret
from proca_common.campaigns import store as campaigns
from proca_common.confirms.links import Links, links
from proca_common.confirms.tokens import link_keys
from proca_common.exports.rows import Kind, Row
from proca_common.graph import paging
from proca_common.graph.context import Context, Info
from proca_common.graph.views import View, campaign_view, custom_fields, page_of
from proca_common.management import erasures, exports
from proca_common.management.sending_again import Means, requeue_actions
from proca_common.pipes.exits import Exits

ENOUGH_MS = 10_000
NO_STATUS = "none"


def some_actions(_: None, info: Info, orgName: str, **given: Any) -> list[View]:  # noqa: N803 - its name
    """Actions of which an org has a contact (domain 13.6)."""
    return _rows(info.context, orgName, Kind.ACTIONS, given)


def contacts(_: None, info: Info, orgName: str, email: str | None = None, **given: Any) -> list[View]:  # noqa: N803
    """The same with which a contact came; of one address, whatever their state."""
    if email is None or not email.strip():
        return _rows(info.context, orgName, Kind.CONTACTS, given)
    context = info.context
    asked = {"email": email, "includeTesting": bool(given.get("includeTesting")), "limit": paging.MOST}
    seed = partial(_seed, context)
    part: dict[str, Any] = exports.look_up(context.staff, orgName, asked, seed)
    return _shown(context, part["items"])


def _seed(context: Context) -> str:
    return secret(context.settings.fingerprint_seed_secret).decode()


def _rows(context: Context, org_name: str, kind: Kind, given: dict[str, Any]) -> list[View]:
    caller = context.staff
    named = {name: value for name, value in given.items() if value is not None}
    number, name = named.pop("campaignId", None), named.pop("campaignName", None)
    if name is None and number is not None:
        name = campaigns.get(number).name
    asked = named if name is None else {**named, "campaign": name}
    return _shown(context, paging.rows(caller, org_name, kind, asked, lambda: context.left_ms() > ENOUGH_MS))


def _shown(context: Context, rows: list[Row]) -> list[View]:
    return [_row(context, row) for row in rows]


def _row(context: Context, row: Row) -> View:
    known = page_context(row["actionPage"]["id"])
    privacy, contact = row["privacy"], row["contact"]
    changed = privacy["emailStatusChanged"]
    return {
        "actionId": row["actionId"],
        "actionType": row["actionType"],
        "createdAt": datetime.fromisoformat(row["createdAt"]),
        "customFields": row["customFields"],
        "fields": custom_fields(row["customFields"]),
        "contact": {**contact, "payload": contact["payload"] or json.dumps({})},
        "privacy": {
            **privacy,
            "emailStatus": privacy["emailStatus"] or NO_STATUS,
            "givenAt": datetime.fromisoformat(privacy["givenAt"]),
            "emailStatusChanged": None if changed is None else datetime.fromisoformat(changed),
        },
        "tracking": row["tracking"],
        "donation": row["donation"],
        "campaign": lambda _: campaign_view(context, known.campaign),
        "actionPage": lambda _: page_of(context, known),
    }


def requeue(_: None, info: Info, orgName: str, queue: str, ids: list[int] | None = None) -> View:  # noqa: N803
    """Messages of these actions once more (domain 4.8)."""
    context = info.context
    if not ids:
        return {"count": 0, "failed": 0}
    told: dict[str, Any] = requeue_actions(context.staff, orgName, {"target": queue, "ids": ids}, _means(context))
    return {"count": told["count"], "failed": sum(told["failed"].values())}


def delete_contact(_: None, info: Info, orgName: str, contactRef: str) -> str:  # noqa: N803
    """A person is erased, as far as the org has anything of it (domain 13.7)."""
    context = info.context
    settings = context.settings
    means = erasures.Means(
        partial(_seed, context),
        partial(secret, settings.erasure_key_secret),
        settings.erasure_queue_url,
        lambda: context.left_ms() > ENOUGH_MS,
    )
    erasures.ask(context.staff, orgName, {"contactRef": contactRef}, means)
    return "success"


def _means(context: Context) -> Means:
    settings = context.settings
    base = settings.link_base_url.replace("{api}", context.request.api)
    exits = Exits(settings.queue_url_prefix, settings.mail_queue_url, settings.push_queue_url)

    def links_of(ref: str, action: int) -> Links:
        return links(base, link_keys(secret(settings.link_keys_secret)), ref, action)

    return Means(exits, links_of, context.left_ms)


FIELDS = {
    "RootQueryType": {"actions": some_actions, "exportActions": some_actions, "contacts": contacts},
    "RootMutationType": {"requeueActions": requeue, "deleteContact": delete_contact},
}
