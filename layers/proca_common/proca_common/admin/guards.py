"""What the admin command does about abuse: guards of a campaign or of the instance, patterns, and what they hold."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from proca_common.admin.environment import AdminSettings, given_settings
from proca_common.aws.secrets import secret
from proca_common.campaigns import store as campaigns
from proca_common.catalog import names
from proca_common.errors import NotFound
from proca_common.guards.external import seal_secret
from proca_common.guards.patterns import Pattern
from proca_common.guards.settings import Guards, checked
from proca_common.ids import created_at
from proca_common.orgs import instance as instances
from proca_common.stages import decide, review

Shown = Mapping[str, object] | Sequence[Mapping[str, object]]
NAMES = frozenset(Guards.model_fields) - {"patterns"}


def instance_set(args: Namespace, _: AdminSettings) -> Shown:
    """Change the guards of all campaigns that do not say otherwise: proof_of_work=true."""
    known = instances.get()
    guards = merged(known.guards, given_settings(args))
    instances.put(replace(known, guards=guards))
    return guards


def instance_show(_: Namespace, __: AdminSettings) -> Shown:
    """The guards of all campaigns that do not say otherwise."""
    return instances.get().guards


def captcha_set(args: Namespace, settings: AdminSettings) -> Shown:
    """Ask a captcha service about each signature; its secret is read from standard input and kept encrypted."""
    if settings.guard_key_secret is None:
        raise NotFound("GUARD_KEY_SECRET")
    given = {"service": args.service, "url": args.url, "fail_open": args.fail_open}
    plain = sys.stdin.readline().strip()
    if plain:
        given["secret"] = seal_secret(plain, secret(settings.guard_key_secret))
    _change(args.campaign, lambda known: {**known, "captcha": given})
    return {"service": args.service, "url": args.url, "secret": bool(plain), "fail_open": args.fail_open}


def pattern_add(args: Namespace, _: AdminSettings) -> Shown:
    """Refuse or hold signatures that match: KIND is address, domain, name or network; `*` stands for any characters."""
    given = {"id": names.next_number("pattern"), "kind": args.kind, "pattern": args.pattern, "action": args.action}
    pattern = Pattern.model_validate(given).model_dump(mode="json")
    _change_patterns(args.campaign, lambda known: [*known, pattern])
    return pattern


def pattern_list(_: Namespace, __: AdminSettings) -> Shown:
    """All patterns, those of the instance first."""
    return [{"of": name or "(all)", **pattern} for name, known in _all_patterns() for pattern in known]


def pattern_remove(args: Namespace, _: AdminSettings) -> Shown:
    """Forget a pattern; what it holds stays held until it is released or refused."""
    for name, known in _all_patterns():
        if any(pattern["id"] == args.id for pattern in known):
            _change_patterns(name, lambda known: [pattern for pattern in known if pattern["id"] != args.id])
            return {"removed": args.id}
    raise NotFound("pattern")


def review_list(_: Namespace, __: AdminSettings) -> Shown:
    """What is held, without personal data."""
    return [
        {
            "id": int(action.id),
            "at": created_at(int(action.id)).isoformat(),
            "pattern": action.held,
            "campaign": action.campaign,
            "page": action.page,
            "actionType": action.action_type,
        }
        for action in sorted(review.held_signatures(), key=lambda action: int(action.id))
    ]


def review_release(args: Namespace, _: AdminSettings) -> Shown:
    """Let a held signature in, as if nothing had held it."""
    return {"id": args.id, "changed": decide.release_supporter(args.id)}


def review_refuse(args: Namespace, _: AdminSettings) -> Shown:
    """Reject a held signature with all that waits for it."""
    return {"id": args.id, "changed": decide.refuse_supporter(args.id)}


def _all_patterns() -> Iterator[tuple[str | None, list[dict[str, Any]]]]:
    yield None, _patterns(instances.get().guards)
    for campaign in campaigns.every():
        yield campaign.name, _patterns(campaign.guards)


def _patterns(guards: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = guards.get("patterns", [])
    return found


def _change_patterns(campaign: str | None, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    _change(campaign, lambda known: {**known, "patterns": change(_patterns(known))})


def _change(campaign: str | None, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Change the guards of the campaign with this name; None: of the instance."""
    if campaign is None:
        instance = instances.get()
        instances.put(replace(instance, guards=checked(change(instance.guards))))
    else:
        found = campaigns.find(campaign)
        campaigns.replace(found.model_copy(update={"guards": checked(change(found.guards))}))


def merged(known: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The guards after these changes; null takes a setting back, so that the instance's holds for a campaign."""
    return checked({**known, **changes})


def sorted_in(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a campaign, with those that are guards where they belong."""
    changes = {name: value for name, value in given.items() if name in NAMES}
    others = {name: value for name, value in given.items() if name not in NAMES}
    return {**others, "guards": merged(known, changes)} if changes else others
