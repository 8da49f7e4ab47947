"""DynamoDB's rules as the bench applies them, with the examples and rules of the developer guide."""

import pytest

from tools.bench.capacity import Index, Table, index_units, item_size, read_units, stored_bytes, value_size, write_units

PENDING = Index("pending", ("pending", "due"), frozenset({"ref", "sk", "pending", "due"}))


def item(**texts: str) -> dict[str, dict[str, str]]:
    return {name: {"S": text} for name, text in texts.items()}


def of_size(size: int) -> dict[str, dict[str, str]]:
    return item(a="x" * (size - 1))


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "bees"}, 4),
        ({"S": "pszczoła"}, 9),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "1700000000000"}, 2),
        ({"N": "374019841024123"}, 9),
        ({"N": "-12.50"}, 4),
        ({"B": bytes(24)}, 24),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["7/deliver", "9/deliver"]}, 18),
        ({"NS": ["1", "22"]}, 4),
        ({"L": []}, 3),
        ({"L": [{"N": "7"}, {"S": "a"}]}, 8),
        ({"M": {"ab": {"S": "c"}}}, 7),
    ],
)
def test_size_of_a_value(value: dict[str, object], size: int) -> None:
    assert value_size(value) == size


def test_size_of_an_item_is_that_of_its_names_and_values() -> None:
    assert item_size({"ref": {"S": "abc"}, "n": {"N": "7"}}) == 3 + 3 + 1 + 2
    assert item_size(None) == 0


def test_a_type_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="XX"):
        value_size({"XX": 1})


@pytest.mark.parametrize(("size", "units"), [(10, 1), (1024, 1), (1025, 2), (3 * 1024, 3)])
def test_a_write_costs_a_unit_per_kilobyte_and_twice_that_in_a_transaction(size: int, units: int) -> None:
    assert write_units(None, of_size(size), transactional=False) == units
    assert write_units(None, of_size(size), transactional=True) == 2 * units


def test_a_write_is_charged_by_the_larger_of_what_was_and_what_is() -> None:
    assert write_units(of_size(3000), of_size(10), transactional=False) == 3
    assert write_units(of_size(3000), None, transactional=False) == 3


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, item(ref="r", sk="s"), 0),
        (None, item(ref="r", sk="s", pending="emit#1", due="1"), 1),
        (item(ref="r", sk="s", pending="emit#1", due="1"), item(ref="r", sk="s"), 1),
        (item(ref="r", sk="s", pending="emit#1", due="1"), None, 1),
        (item(ref="r", sk="s", pending="emit#1", due="1"), item(ref="r", sk="s", pending="emit#1", due="2"), 2),
        (
            item(ref="r", sk="s", pending="emit#1", due="1", status="new"),
            item(ref="r", sk="s", pending="emit#1", due="1", status="delivered"),
            0,
        ),
    ],
)
def test_an_index_costs_what_changes_in_it(before: object, after: object, units: int) -> None:
    assert index_units(PENDING, before, after) == units  # type: ignore[arg-type]


def test_a_projected_attribute_that_changes_is_one_write() -> None:
    index = Index("by_status", ("status",), None)
    before, after = item(status="new", note="a"), item(status="new", note="b")
    assert index_units(index, before, after) == 1
    assert index_units(index, {**before, "note": {"S": "x" * 2000}}, after) == 2


@pytest.mark.parametrize(
    ("size", "consistent", "units"), [(2, True, 1), (2, False, 0.5), (4096, True, 1), (4097, True, 2)]
)
def test_a_read_costs_a_unit_per_four_kilobytes(size: int, consistent: bool, units: float) -> None:
    assert read_units(of_size(size), consistent=consistent) == units


def test_looking_for_what_is_not_there_costs_a_unit_too() -> None:
    assert read_units(None, consistent=True) == 1


def test_what_is_stored_is_billed_with_an_overhead_for_the_item_and_each_entry() -> None:
    table = Table("Actions", ("ref", "sk"), (PENDING,))
    done = item(ref="r", sk="s")
    waiting = {**done, **item(pending="emit#1", due="1")}
    assert stored_bytes(table, done) == item_size(done) + 100
    assert stored_bytes(table, waiting) == 2 * (item_size(waiting) + 100)


def test_a_table_is_read_from_its_description() -> None:
    described = {
        "KeySchema": [{"AttributeName": "sk", "KeyType": "RANGE"}, {"AttributeName": "ref", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "pending",
                "KeySchema": [
                    {"AttributeName": "pending", "KeyType": "HASH"},
                    {"AttributeName": "due", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    }
    assert Table.from_description("Actions", described) == Table("Actions", ("ref", "sk"), (PENDING,))
