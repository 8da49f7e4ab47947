"""Lists of targets: added to those that a campaign has, or put in their place (domain 9.9).

All of a list is checked before anything is written. What fits into one transaction is all or nothing; a longer list is
written in parts, and sent again it goes on where it broke off: what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from proca_common.aws.dynamo import MAX_TRANSACTION_ITEMS, Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import items
from proca_common.catalog.changes import Along
from proca_common.errors import NotFound
from proca_common.failures import Failure, Refused
from proca_common.management import audit, targets
from proca_common.management.audit import Change
from proca_common.orgs.org import Org
from proca_common.targets import store
from proca_common.targets.given import OutdatedTargets, Plan, planned
from proca_common.targets.target import Target
from proca_common.users.user import Caller

TRIES = 5
BESIDES = 2
"""Each transaction also asks for the campaign, and writes to the trail."""


class Result(StrEnum):
    """What became of a target; the last three of those that the list does not name."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    DISABLED = "disabled"
    DELETED = "deleted"


OF_OUTDATED = frozenset({Result.KEPT, Result.DISABLED, Result.DELETED})


@dataclass(slots=True)
class Report:
    """What became of each target, in the order of the list, those that it does not name after the others."""

    results: dict[str, tuple[Target, Result]] = field(default_factory=dict)

    def add(self, target: Target, result: Result) -> None:
        """What became of a target; what was written in an earlier try stays said."""
        _, before = self.results.get(target.external_id, (None, Result.UNCHANGED))
        if before in {Result.UNCHANGED, Result.KEPT}:
            self.results[target.external_id] = target, result

    def shown(self) -> dict[str, object]:
        """As JSON: how many, and each by its ids."""
        counts = {result.value: 0 for result in Result}
        lists: tuple[list[dict[str, str]], list[dict[str, str]]] = [], []
        for target, result in self.results.values():
            counts[result.value] += 1
            one = {"id": target.id, "externalId": target.external_id, "result": result.value}
            lists[result in OF_OUTDATED].append(one)
        return {**counts, "targets": lists[0], "outdated": lists[1]}


@dataclass(frozen=True, slots=True)
class _Step:
    """The writes of one target."""

    target: Target
    result: Result
    writes: int
    put: Along


def upsert(
    caller: Caller, org_name: str, campaign_name: str, given: Sequence[object], outdated: OutdatedTargets
) -> Report:
    """Make the targets of a list, or change those that are there with the same external id; `outdated`: what becomes of
    the others.

    Raises `NotAllowed`, `NotFound`; `Refused` with every failed rule, before anything is written; `Unavailable`.
    """
    return upsert_in(caller, *targets.led_by(caller, org_name, campaign_name), given, outdated)


def upsert_in(
    caller: Caller, org: Org, campaign: Campaign, given: Sequence[object], outdated: OutdatedTargets
) -> Report:
    """The same, for whoever asked already whether the caller may (`targets.led_by`)."""
    report = Report()
    for _ in range(TRIES):
        known = {target.external_id: target for target in store.listed(campaign.id)}
        plan = planned(given, known, outdated)
        if outdated is OutdatedTargets.DELETE:
            _check_free(campaign, plan.outdated)
        done: list[_Step] = []
        try:
            for steps in _parts(_steps(campaign, plan, outdated)):
                _write(caller, org.id, campaign, steps)
                done += steps
        except Cancelled as cancelled:
            if cancelled.refused("campaign"):
                raise NotFound("campaign") from None
            for step in done:
                report.add(step.target, step.result)
            continue  # a target was changed or written to meanwhile: what is there now decides
        return _told(report, plan, done, given)
    raise Unavailable("other writes were in the way")


def _check_free(campaign: Campaign, outdated: Sequence[Target]) -> None:
    used = targets.with_messages(campaign, outdated)
    if used:
        raise Refused([_has_messages(target) for target in used])


def _has_messages(target: Target) -> Failure:
    return Failure(f"/targets/{target.id}/messages", "has_messages", targets.HAS_MESSAGES)


def _steps(campaign: Campaign, plan: Plan, outdated: OutdatedTargets) -> Iterator[_Step]:
    for wanted in plan.new:
        target = store.new(campaign.id, wanted)
        yield _Step(target, Result.CREATED, 2, partial(store.put_new, target=target))
    for changes, result in ((plan.changed, Result.UPDATED), (plan.disabled, Result.DISABLED)):
        for before, after in changes:
            yield _Step(after, result, 1, partial(store.put_changed, old=before, target=after))
    if outdated is OutdatedTargets.DELETE:
        for target in plan.outdated:
            yield _Step(target, Result.DELETED, 3, partial(targets.put_gone, target=target))


def _parts(steps: Iterator[_Step]) -> Iterator[list[_Step]]:
    """As many at once as fit into a transaction."""
    part: list[_Step] = []
    size = BESIDES
    for step in steps:
        if size + step.writes > MAX_TRANSACTION_ITEMS:
            yield part
            part, size = [], BESIDES
        part.append(step)
        size += step.writes
    if part:
        yield part


def _write(caller: Caller, org: int, campaign: Campaign, steps: Sequence[_Step]) -> None:
    transaction = Transaction()
    store.must_have_campaign(transaction, campaign.id)
    changes: dict[str, list[str]] = {}
    for step in steps:
        step.put(transaction)
        changes.setdefault(step.result.value, []).append(step.target.external_id)
    audit.record(transaction, Change(caller.user.id, org, "targets.upsert", f"campaign#{campaign.id}", {}, changes))
    items.commit(transaction)


def _told(report: Report, plan: Plan, done: Sequence[_Step], given: Sequence[object]) -> Report:
    """The report of all tries, in the order of the list."""
    for step in done:
        report.add(step.target, step.result)
    for target in plan.unchanged:
        report.add(target, Result.UNCHANGED)
    for target in plan.outdated:
        report.add(target, Result.KEPT)
    order = {str(one["externalId"]).strip(): index for index, one in enumerate(given) if isinstance(one, dict)}
    last = len(order)
    report.results = dict(sorted(report.results.items(), key=lambda found: order.get(found[0], last)))
    return report
