"""A table of actions that was restored from a backup holds people again who were erased since: the ledger is applied to
it before it is used.

Only what came before each erasure goes. Nobody is told again, and the ledger stays as it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from proca_common.aws import dynamo
from proca_common.aws.dynamo import ActionsItem, Transaction
from proca_common.erasures import ledger
from proca_common.erasures.erase import forget, forget_waiting
from proca_common.erasures.ledger import ErasureItem
from proca_common.erasures.person import Wish
from proca_common.erasures.steps import Found


@dataclass(slots=True)
class Applied:
    """How many refs were looked at, how many of them are of people who were erased, and what of them was removed."""

    refs: int = 0
    erased: int = 0
    found: Counter[str] = field(default_factory=Counter)


def apply(key: bytes, *, dry_run: bool, progress: Callable[[Applied], None] = lambda _: None) -> Applied:
    """Erase from the table that is connected whoever the ledger says, or only count them. Safe to repeat and to break
    off. `key`: that of the ledger. Raises `Unavailable`.
    """
    people: dict[str, list[ErasureItem]] = defaultdict(list)
    waiting: dict[str, list[ErasureItem]] = defaultdict(list)
    for entry in ledger.every():
        people[entry.person].append(entry)
        waiting[entry.unbound].append(entry)
    done = Applied()

    def count(_: Transaction, found: Found) -> None:
        done.found.update(found)

    for ref in _refs():
        mark = ledger.mark(key, ref)
        done.refs += 1
        done.erased += mark in people or mark in waiting
        for entry in sorted(people.get(mark, ()), key=lambda entry: entry.id) if not dry_run else ():
            forget(Wish(ref, entry.org, entry.before, ledger.new_gone_ref()), count)
        for entry in waiting.get(mark, ()) if not dry_run else ():
            forget_waiting(ref, entry.before, count)
        progress(done)
    return done


def _refs() -> Iterator[str]:
    """Every ref of the table once: a scan reads one item collection after the other."""
    last = None
    for ref in dynamo.partitions(ActionsItem):
        if ref != last:
            yield ref
        last = ref
