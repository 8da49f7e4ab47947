"""What the bench makes of measurements: hot keys, prices, pairs, percentiles, the table."""

import math

import pytest

from tools.bench import hot_keys, prices
from tools.bench.cost import PLATFORM_LOG_BYTES, Invocations, Signature
from tools.bench.delivery import moment_ms, percentile
from tools.bench.meter import Write
from tools.bench.pairs import Pairs
from tools.bench.table import Row, budget_table


def write(number: int, where: str, partition: str, units: int) -> Write:
    return Write(number, "intake", where, partition, "action", "put", 100, units)


def test_a_key_of_a_person_is_never_hot() -> None:
    writes = [write(number, "Actions", f"person-{number}", 12) for number in range(100)]
    assert hot_keys.shared(writes, 100) == []


def test_the_first_key_to_be_full_is_the_one_with_the_largest_share() -> None:
    writes = [write(number, "Actions/by_campaign", f"7#{number % 16}", 1) for number in range(160)]
    writes += [write(number, "Stats", f"7#{number % 2}", 4) for number in range(160)]
    first, second = hot_keys.shared(writes, 160)
    assert (first.where, first.pattern, first.keys, first.units, first.hottest) == ("Stats", "7#*", 2, 4.0, 1.0)
    assert first.full_at == 500
    assert second.full_at == 16_000


def test_writes_of_one_round_do_not_make_a_key_shared() -> None:
    writes = [write(1, "Stats", "7#1", 2), write(1, "Stats", "7#1", 2)]
    assert hot_keys.shared(writes, 10) == []


def test_a_table_takes_all_its_keys_together() -> None:
    writes = [write(1, "Actions", "a", 6), write(2, "Actions", "b", 6), write(2, "Stats", "7#1", 2)]
    assert hot_keys.tables(writes, 2) == {"Actions": 6.0, "Stats": 1.0}


def test_a_million_signatures_cost_what_the_lists_say() -> None:
    intake = Invocations(times=1.0, cpu_ms=2.0, wall_ms=10.0, memory_mb=1769, log_bytes=400)
    price = Signature({"intake": intake}, write_units=10, read_units=4, sqs_requests=0.5, stored_bytes=0).price()
    assert price["API Gateway requests"] == pytest.approx(3.70)
    assert price["Lambda requests"] == pytest.approx(0.20)
    assert price["Lambda duration"] == pytest.approx(prices.LAMBDA_ARM_GB_SECOND * 1769 / 1024 * 10_000)
    assert price["DynamoDB writes"] == pytest.approx(7.625)
    assert price["DynamoDB reads"] == pytest.approx(0.61)
    assert price["SQS, sent, received and deleted"] == pytest.approx(0.60)
    assert price["CloudWatch logs"] == pytest.approx(0.63 * (400 + PLATFORM_LOG_BYTES) * 1e6 / 1024**3)


def test_little_memory_stretches_cpu_but_not_waiting() -> None:
    assert Invocations(1, cpu_ms=2, wall_ms=10, memory_mb=1769, log_bytes=0).billed_ms == 10
    assert Invocations(1, cpu_ms=2, wall_ms=10, memory_mb=3538, log_bytes=0).billed_ms == 10
    assert Invocations(1, cpu_ms=2, wall_ms=10, memory_mb=442, log_bytes=0).billed_ms == pytest.approx(16, abs=0.01)


def test_pairs_compare_within_each_pair() -> None:
    pairs = Pairs.of([1.5, 3.0, 6.0], [1.0, 2.0, 4.0])  # the machine got slower, the ratio did not change
    assert (pairs.measured, pairs.floor, pairs.ratio, pairs.spread) == (3.0, 2.0, 1.5, 0.0)
    assert not pairs.is_noisy


def test_ratios_far_apart_are_noisy() -> None:
    assert Pairs.of([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]).is_noisy


@pytest.mark.parametrize(("part", "value"), [(0.5, 50), (0.95, 95), (1, 100), (0.001, 1)])
def test_percentile_is_the_nearest_rank(part: float, value: int) -> None:
    assert percentile(range(1, 101), part) == value


def test_percentile_of_nothing_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.95))


def test_the_moment_of_an_action_is_in_its_id() -> None:
    assert moment_ms((1_000 << 12) + 4_095) == 1_704_067_201_000


def test_the_table_says_what_is_beyond_its_budget() -> None:
    table = budget_table(
        [
            Row("calls", "1", "", "1", holds=True),
            Row("write units", "17.0", "", "<= 16", holds=False),
            Row("price", "17.03 USD", "", "printed"),
        ]
    )
    assert table.splitlines() == [
        "what         measured   floor  budget",
        "----------------------------------------------",
        "calls        1                 1        ok",
        "write units  17.0              <= 16    beyond",
        "price        17.03 USD         printed",
    ]
