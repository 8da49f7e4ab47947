"""Erasing a person for an org (domain 13.7): the work of an entry of the ledger, from wherever it stands.

Safe to repeat and to break off at any call: what is left is read anew before each step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from proca_common.actions import store
from proca_common.actions.status import Stage
from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.retry import pauses
from proca_common.catalog import happenings, items
from proca_common.erasures import ledger, steps
from proca_common.erasures.ledger import ErasureItem, Status
from proca_common.erasures.person import Part, Person, Wish, copies, parts, read_person
from proca_common.erasures.steps import Journal
from proca_common.errors import NotFound
from proca_common.exports.store import remove_files
from proca_common.stages import details

MOST_ACTIONS_TOLD = 1_000
HasTime = Callable[[], bool]
Step = Callable[[], Transaction | None]


def erase(entry: ErasureItem, has_time: HasTime = lambda: True) -> bool:
    """Do what the entry says, or as much as there is time for; whether it is done. Raises `Unavailable`."""
    if entry.status == Status.DONE:
        return True
    wish = wish_of(entry)
    if not entry.told:
        _tell(entry, wish)
    if not forget(wish, partial(_journal, entry), has_time):
        return False
    campaigns = {int(campaign) for campaign in ledger.get(entry.org, entry.id).campaigns or ()}
    try:
        ledger.finish(entry, remove_files(entry.org, campaigns))
    except Cancelled:
        return True  # it was done twice at the same time
    return True


def wish_of(entry: ErasureItem) -> Wish:
    """What an entry that is at work says."""
    return Wish(str(entry.ref), entry.org, entry.before, str(entry.gone))


def forget(wish: Wish, journal: Journal, has_time: HasTime = lambda: True) -> bool:
    """Remove from the tables what the wish is about; whether it is all gone. Raises `Unavailable`."""
    done = _repeated(lambda: next_step(wish, journal), has_time)
    if done and wish.campaigns is None:
        return forget_waiting(store.unbound_ref(wish.org, wish.ref), wish.before, journal, has_time)
    return done


def forget_waiting(at: str, before: int, journal: Journal, has_time: HasTime = lambda: True) -> bool:
    """Remove the actions with ids below `before` that wait for a supporter at this ref. Raises `Unavailable`."""
    return _repeated(lambda: steps.unbound(at, before, journal), has_time)


def next_step(wish: Wish, journal: Journal) -> Transaction | None:
    """What is to be written next; None: nothing is left; empty: read again. Raises `Unavailable`."""
    person = read_person(wish.ref)
    for part in parts(person, wish):
        if not part.shared:
            return steps.remove(person, part, wish, journal)
        for supporter in part.supporters:
            if _ends_asking(person, part, wish):
                return Transaction()
            return steps.withdraw(person, supporter, wish, journal)
    return steps.empty_membership(person)


def _ends_asking(person: Person, part: Part, wish: Wish) -> bool:
    """Let signatures go on that wait until the org was asked what it knows of their supporter: it is not asked any
    more. Whether there were any.
    """
    asked = False
    for supporter in part.supporters:
        signature = person.signature(supporter)
        if signature is not None and signature.stage == Stage.DETAIL and signature.org == wish.org:
            asked = True
            try:
                details.settle(int(signature.id), None)
            except NotFound:
                continue  # it went on, or went, meanwhile
    return asked


def _repeated(step: Step, has_time: HasTime) -> bool:
    """Do one step after the other; what others changed meanwhile is read again. Whether nothing is left."""
    while has_time():
        for pause in pauses():
            transaction = step()
            if transaction is None:
                return True
            try:
                if len(transaction):
                    transaction.commit()
                break
            except Cancelled:
                clock.sleep_ms(pause)
        else:
            raise Unavailable("other writes were in the way")
    return False


def _journal(entry: ErasureItem, transaction: Transaction, found: steps.Found) -> None:
    ledger.count(transaction, entry, found)


def _tell(entry: ErasureItem, wish: Wish) -> None:
    """Tell every org with a copy which of its actions were this person's: once, before anything goes."""
    person = read_person(wish.ref)
    found = parts(person, wish)
    transaction = Transaction()
    for receiver, actions in sorted(copies(person, found, entry.org).items()):
        for start in range(0, len(actions), MOST_ACTIONS_TOLD):
            some = actions[start : start + MOST_ACTIONS_TOLD]
            happenings.supporter_erased(transaction, entry.org, receiver, some)
    campaigns: set[float] = {part.campaign for part in found}
    kept = sum(len(part.supporters) for part in found if part.shared)
    ledger.note_told(transaction, entry, campaigns, kept)
    try:
        items.commit(transaction)
    except Cancelled:
        return  # they were told before
