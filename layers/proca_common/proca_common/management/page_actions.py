"""What hangs on a page or campaign that is to go, so that it has to stay; only testing actions go with it (domain 1.18,
13.4).

Actions are found by their campaign alone, so those of one page are looked for among them: what is there is found in the
first look, and where there is more than can be looked through, the page stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from proca_common.actions import store
from proca_common.actions.status import ActionStatus
from proca_common.actions.store import ActionIdItem, ActionItem, SupporterItem
from proca_common.aws.dynamo import ByCampaign, Transaction, index_keys
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.catalog import items
from proca_common.erasures import steps
from proca_common.erasures.person import Part, Person, Wish, read_person
from proca_common.errors import InUse
from proca_common.mtt.forget import forget
from proca_common.stages.decision import unchanged

MAX_LOOKED_AT: Final = 2_000
MAX_PERSONS: Final = 100
"""Of so many the testing actions are removed in one request."""
TRIES: Final = 5
AT_ONCE: Final = 25
HAS_ACTIONS: Final = "has action data"
HAS_SUPPORTERS: Final = "has supporter data"
TOO_MANY: Final = "the campaign has too many actions to know whether this page has none"
MORE: Final = "has more testing actions than are removed at once: of some nothing is left now, ask again"
ALL: Final = 1 << 53


def clear(campaign: int, page: int | None = None) -> int:
    """Remove the testing actions of the campaign, or of this page of it, and supporters of whom nothing else is there;
    how many actions. Raises `InUse`, before anything is removed, when anybody did more than test, were it rejected;
    `Unavailable`.
    """
    found = list(_tests(campaign, page))
    refs = list(dict.fromkeys(action.ref for action in found))
    for ref in refs:
        _own(read_person(ref), campaign, page)
    for ref in refs[:MAX_PERSONS]:
        _clear(ref, campaign, page)
    if len(refs) > MAX_PERSONS:
        raise InUse(MORE)
    return len(found)


def _tests(campaign: int, page: int | None) -> Iterator[ActionItem]:
    """The actions of the campaign or page, all of them tests. Raises `InUse`."""
    looked_at = 0
    for bucket in range(store.CAMPAIGN_BUCKETS):
        for keys in index_keys(ByCampaign, f"{campaign}#{bucket}"):
            for action in store.read_many(keys).values():
                if not isinstance(action, ActionItem) or (page is not None and int(action.page) != page):
                    continue
                if not action.testing:
                    raise InUse(HAS_ACTIONS)
                yield action
            looked_at += len(keys)
            if looked_at >= MAX_LOOKED_AT:
                raise InUse(TOO_MANY)


def _own(person: Person, campaign: int, page: int | None) -> tuple[list[SupporterItem], list[ActionItem]]:
    """The supporters of the campaign or page, and its actions of other supporters of this person. Raises `InUse` when
    there is more than tests.
    """

    def is_here(item: SupporterItem | ActionItem) -> bool:
        return int(item.campaign) == campaign and page in (None, int(item.page))

    supporters = [supporter for supporter in person.supporters if is_here(supporter)]
    own = {int(supporter.id) for supporter in supporters}
    others: list[ActionItem] = []
    for supporter, actions in person.actions.items():
        here = [action for action in actions if is_here(action)]
        if not all(action.testing for action in here):
            raise InUse(HAS_ACTIONS)
        if supporter not in own:
            others += here
        elif len(here) < len(actions):
            raise InUse(HAS_SUPPORTERS)
    return supporters, others


def _clear(ref: str, campaign: int, page: int | None) -> None:
    """Remove all that is left of one person, a transaction at a time, each on condition that it is as read."""
    tries = 0
    while tries < TRIES:
        person = read_person(ref)
        supporters, others = _own(person, campaign, page)
        if not supporters and not others:
            return
        if others:
            transaction = _without(person, others[:AT_ONCE])
        else:
            wish = Wish(ref, int(supporters[0].org), before=ALL, gone="")
            transaction = steps.remove(person, Part(campaign, supporters, shared=False), wish, lambda *_: None)
        try:
            items.commit(transaction)
        except Cancelled:
            tries += 1  # it is being worked on, or has grown: what is there now decides
    raise Unavailable("other writes were in the way")


def _without(person: Person, actions: Sequence[ActionItem]) -> Transaction:
    """Remove tests of supporters that stay."""
    transaction = Transaction()
    by_id = {int(supporter.id): supporter for supporter in person.supporters}
    fewer: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    for action in actions:
        of = int(action.supporter or 0)
        fewer[of] += 1
        waiting[of] += action.status == ActionStatus.NEW
        transaction.delete(f"action {action.id}", ActionItem(action.ref, action.sk), unchanged(action))
        transaction.delete(f"id {action.id}", ActionIdItem(*store.action_id_key(int(action.id))))
        if action.messages:
            forget(action.ref, [int(action.id)])
    for number in fewer.keys() & by_id.keys():
        of_action = by_id[number]
        changes = [SupporterItem.actions.add(-fewer[number]), SupporterItem.waiting.add(-waiting[number])]
        as_read = (SupporterItem.actions == of_action.actions) & (SupporterItem.waiting == of_action.waiting)
        transaction.update(f"supporter {number}", SupporterItem(of_action.ref, of_action.sk), changes, as_read)
    return transaction
