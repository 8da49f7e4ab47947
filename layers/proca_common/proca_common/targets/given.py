"""A list of targets as it is given: checked as a whole against those that are there (domain 9.9). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from proca_common.catalog.given import checked, merge
from proca_common.failures import Failure, Refused
from proca_common.targets.target import (
    MAX_TARGETS,
    Target,
    TargetInput,
    TargetSettings,
    disabled_emails,
    given_emails,
)

MAX_TOLD = 1_000
"""So many failed rules are told at once: more fit into no answer."""
TAKEN = Failure("/externalId", "taken", "has already been taken")
_SETTINGS = set(TargetSettings.model_fields)
_NAMES = {TargetInput.model_fields[name].alias for name in TargetInput.model_fields}


class OutdatedTargets(StrEnum):
    """What becomes of the targets of a campaign that a list does not name."""

    KEEP = "keep"
    DISABLE = "disable"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a list comes to, in its order. `changed`: as they are, and as they are to be; `outdated`: those that it does
    not name, of which `disabled` are to be written to no more.
    """

    new: list[TargetInput] = field(default_factory=list)
    changed: list[tuple[Target, Target]] = field(default_factory=list)
    unchanged: list[Target] = field(default_factory=list)
    outdated: list[Target] = field(default_factory=list)
    disabled: list[tuple[Target, Target]] = field(default_factory=list)


def planned(given: Sequence[object], known: Mapping[str, Target], outdated: OutdatedTargets) -> Plan:
    """What becomes of the `known` targets, by external id, with this list. A target that is there keeps what is not
    said of it; null brings a default back. Raises `Refused` with every failed rule, up to the first thousand.
    """
    if len(given) > MAX_TARGETS:
        raise Refused([_too_many()])
    plan = Plan()
    failures: list[Failure] = []
    named: set[str] = set()
    for index, one in enumerate(given):
        try:
            wanted = _wanted(one, known)
        except Refused as refused:
            failures += [failure.below(f"/targets/{index}") for failure in refused.failures]
            continue
        if wanted.external_id in named:
            failures.append(TAKEN.below(f"/targets/{index}"))
        named.add(wanted.external_id)
        before = known.get(wanted.external_id)
        if before is None:
            plan.new.append(wanted)
        elif (after := changed(before, wanted)) != before:
            plan.changed.append((before, after))
        else:
            plan.unchanged.append(before)
    plan.outdated.extend(target for external_id, target in known.items() if external_id not in named)
    if outdated is OutdatedTargets.DISABLE:
        off = ((target, disabled(target)) for target in plan.outdated)
        plan.disabled.extend((before, after) for before, after in off if before != after)
    staying = 0 if outdated is OutdatedTargets.DELETE else len(plan.outdated)
    if len(named) + staying > MAX_TARGETS:
        failures.append(_too_many())
    if failures:
        raise Refused(failures[:MAX_TOLD])
    return plan


def patched(target: Target, patch: Mapping[str, Any]) -> Target:
    """The target with a merge patch; addresses that are given replace those that are there. Raises `Refused` with every
    failed rule.
    """
    unknown = {name: True for name, value in patch.items() if value is None and name not in _NAMES}
    no_emails: dict[str, Any] = {"emails": []} if "emails" in patch and patch["emails"] is None else {}
    return changed(target, checked(TargetInput, {**merge(_said_of(target), patch), **unknown, **no_emails}))


def changed(target: Target, wanted: TargetInput) -> Target:
    """The target as it is wanted; it stays what it is where nothing is said of its addresses."""
    settings = {name: getattr(wanted, name) for name in _SETTINGS}
    emails = target.emails if wanted.emails is None else given_emails(target.emails, wanted.emails)
    return target.model_copy(update={**settings, "emails": emails})


def disabled(target: Target) -> Target:
    """The target when nobody is to write to it any more."""
    return target.model_copy(update={"emails": disabled_emails(target.emails)})


def _wanted(one: object, known: Mapping[str, Target]) -> TargetInput:
    if not isinstance(one, dict):
        raise Refused([Failure.invalid("")])
    external_id = one.get("externalId")
    before = known.get(external_id.strip()) if isinstance(external_id, str) else None
    settings = {**({} if before is None else _said_of(before)), **one}
    said = {name: value for name, value in settings.items() if value is not None or name not in _NAMES}
    return checked(TargetInput, said)


def _said_of(target: Target) -> dict[str, Any]:
    return target.model_dump(mode="json", by_alias=True, include=_SETTINGS, exclude_none=True)


def _too_many() -> Failure:
    return Failure("/targets", "too_large", f"should have at most {MAX_TARGETS} item(s)")


def outdated_of(given: str | None) -> OutdatedTargets:
    """What the parameter `outdated` says; without it they are kept. Raises `Refused`."""
    try:
        return OutdatedTargets(given or OutdatedTargets.KEEP)
    except ValueError:
        raise Refused([Failure.invalid("/outdated")]) from None


def listed_in(document: Mapping[str, Any]) -> Sequence[object]:
    """The list of a JSON document. Raises `Refused`."""
    failures = [Failure.unknown_field("") for name in document if name != "targets"]
    given = document.get("targets")
    if given is None:
        failures.append(Failure.blank("/targets"))
    elif not isinstance(given, list):
        failures.append(Failure.invalid("/targets"))
    if failures or not isinstance(given, list):
        raise Refused(failures)
    return given
