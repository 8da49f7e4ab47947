"""The orders that are run stand for all that are not: shown by running all, in a store of a few items."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.harness.interleave import schedules
from tests.orders import Touch, orders

Step = tuple[str, str]
steps = st.lists(st.tuples(st.sampled_from(["Get", "Update"]), st.sampled_from("xyz")), min_size=1, max_size=4)


def ends(a: list[Step], b: list[Step], words: Iterator[str]) -> set[object]:
    """What is left in the store after each of the schedules; what is written depends on all that was read before."""
    found = set()
    for word in words:
        store = {"x": 0, "y": 0, "z": 0}
        known = {"A": 1, "B": 2}
        left = {"A": iter(a), "B": iter(b)}
        for name in word:
            verb, item = next(left[name])
            if verb == "Get":
                known[name] = hash((known[name], store[item]))
            else:
                store[item] = hash((known[name], store[item]))
        found.add((*store.items(), *known.items()))
    return found


@settings(max_examples=200)
@given(steps, steps)
def test_the_orders_that_differ_leave_all_that_any_order_leaves(a: list[Step], b: list[Step]) -> None:
    some = orders(*([[Touch(verb, "table", item, "")] for verb, item in each] for each in (a, b)))
    assert all(word.count("A") == len(a) and word.count("B") == len(b) for word in some)
    assert ends(a, b, iter(some)) == ends(a, b, schedules(len(a), len(b)))


def test_one_order_is_enough_where_nothing_meets() -> None:
    assert orders([[Touch("Update", "table", "x", "")]] * 3, [[Touch("Get", "table", "y", "")]] * 3) == ["AAABBB"]


def test_one_after_the_other_comes_first() -> None:
    both = [[Touch("Get", "table", "x", "")], [Touch("Update", "table", "x", "")]]
    assert orders(both, both)[:2] == ["AABB", "BBAA"]


def test_a_query_meets_every_item_of_its_partition() -> None:
    query, item = Touch("Query", "table", "x", None), Touch("Delete", "table", "x", "A#1")
    assert query.meets(item)
    assert item.meets(query)
    assert not query.meets(Touch("Delete", "table", "y", "A#1"))
