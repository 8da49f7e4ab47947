"""Which orders of two operations can make a difference: calls that have no item in common may change places.

Of all schedules that differ only so, one is enough (a class is a Mazurkiewicz trace). That leaves a handful of
thousands, and with them every way in which the two can meet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.harness.calls import Call
from tests.harness.interleave import schedules

READS = ("Get", "Query", "Scan", "ConditionCheck")


@dataclass(frozen=True)
class Touch:
    """What a call reads or writes in a table: an item, a partition (no `sk`), or all that begins so (no `ref`)."""

    verb: str
    table: str
    ref: str | None
    sk: str | None

    def meets(self, other: Touch) -> bool:
        """Whether it matters which of the two comes first."""
        if self.table != other.table or (self.verb in READS and other.verb in READS):
            return False
        if self.verb == other.verb == "Delete":
            return False
        if self.ref is None or other.ref is None:
            return (self.sk or "").startswith(other.sk or "") or (other.sk or "").startswith(self.sk or "")
        return self.ref == other.ref and (self.sk is None or other.sk is None or self.sk == other.sk)


Touches = list[Touch]


def touches(call: Call, rename: Callable[[str], str], unordered: Collection[str]) -> Touches:
    """What the call touches, with the names in its keys changed by `rename`. Tables in `unordered` are only added to.

    A query of an index touches any action, because attributes that others change decide what it finds.
    """
    found = []
    for verb, table, key in call.keys:
        name, _, index = table.partition("/")
        ref, *more = (rename(str(value)) for value in key.values())
        if index:
            found.append(Touch(verb, name, None, "A#"))
        elif name not in unordered:
            found.append(Touch(verb, name, ref, more[0] if verb != "Query" else None))
    return found


def orders(a: Sequence[Touches], b: Sequence[Touches]) -> list[str]:
    """One schedule of each class, those with the fewest changes of turn first: two begin, in which nothing overlaps.

    Where nothing that they touch meets, one is all.
    """
    meetings = [(i, j) for i, of_a in enumerate(a) for j, of_b in enumerate(b) if _meet(of_a, of_b)]
    in_a, in_b = sorted({i for i, _ in meetings}), sorted({j for _, j in meetings})
    classes: dict[tuple[bool, ...], str] = {}
    for word in sorted(schedules(len(in_a), len(in_b)), key=_turns):
        when_a, when_b = (
            dict(zip(calls, _places(word, name), strict=True)) for calls, name in ((in_a, "A"), (in_b, "B"))
        )
        classes.setdefault(tuple(when_a[i] < when_b[j] for i, j in meetings), word)
    return [_with_the_rest(word, in_a, in_b, len(a), len(b)) for word in classes.values()]


def _meet(a: Iterable[Touch], b: Iterable[Touch]) -> bool:
    return any(one.meets(other) for one in a for other in b)


def _turns(word: str) -> int:
    return sum(one != other for one, other in pairwise(word))


def _places(word: str, name: str) -> list[int]:
    return [place for place, letter in enumerate(word) if letter == name]


def _with_the_rest(word: str, in_a: list[int], in_b: list[int], a_calls: int, b_calls: int) -> str:
    """The schedule with the calls that meet nothing: each before its operation's next call that does, or at its end."""
    turns = {}
    for name, calls, number in (("A", in_a, a_calls), ("B", in_b, b_calls)):
        ends = [*(call + 1 for call in calls[:-1]), number]
        turns[name] = iter([end - start for start, end in pairwise([0, *ends])])
    alone = "A" * a_calls + "B" * b_calls
    return "".join(letter * next(turns[letter]) for letter in word) or alone
