"""Caps hold within a tenth over many environments, are written seldom, and nobody's network is known (design 7)."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.aws import dynamo
from proca_common.aws.errors import Unavailable
from proca_common.errors import TooMany
from proca_common.guards import caps
from proca_common.guards.caps import Caps, Meter, network_of, of_address, of_network, subject
from proca_common.guards.settings import AddressCap, NetworkCap

DAY = 1_795_305_600_000
SECRET = b"a guard key"


class Table:
    """The counters' table, as one item store that adds."""

    def __init__(self) -> None:
        self.items: dict[str, Counter[str]] = defaultdict(Counter)
        self.writes: Counter[str] = Counter()

    def add_numbers(
        self, _: Any, key: Mapping[str, str], numbers: Mapping[str, int], *, remove: Any = (), put: Any = None
    ) -> dict[str, int]:
        assert put["kind"] == "cap"
        item = self.items[key["ref"]]
        for name in remove:
            del item[name]
        item.update(numbers)
        self.writes[key["ref"]] += 1
        return {**item, "expires": put["expires"]}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    made = Table()
    monkeypatch.setattr(dynamo, "add_numbers", made.add_numbers)
    return made


def flood(
    meter: Meter, environments: int, rate: float, seconds: float, seed: int = 1, who: str = "a"
) -> tuple[list[int], int]:
    """When each of these was let in (ms), of so many a second for so long, spread over environments by chance; and how
    many came.
    """
    chance = random.Random(seed)
    running = [Caps() for _ in range(environments)]
    taken, come = [], int(rate * seconds)
    for number in range(come):
        now_ms = DAY + int(number * 1000 / rate)
        if chance.choice(running).take(who, meter, now_ms) is None:
            taken.append(now_ms)
    return taken, come


def most_in(taken: list[int], window_ms: int) -> int:
    """The most in any window of this length."""
    return max((sum(at - window_ms < other <= at for other in taken) for at in taken), default=0)


@pytest.mark.parametrize("environments", [1, 3, 10, 40])
@pytest.mark.parametrize("rate", [3, 20, 170])
def test_a_cap_holds_within_a_tenth_in_any_window(table: Table, environments: int, rate: int) -> None:
    taken, _ = flood(of_network(NetworkCap(burst=100, sustained=100)), environments, rate, 180)

    assert most_in(taken, 60_000) <= 110
    assert len(taken) >= 180 / 62 * 90 - 90


def test_a_burst_is_capped_before_the_minute_is(table: Table) -> None:
    taken, _ = flood(of_network(NetworkCap(burst=20, sustained=100)), 5, 50, 180)

    assert most_in(taken, 10_000) <= 22
    assert most_in(taken, 60_000) <= 110


@pytest.mark.parametrize("environments", [1, 10])
def test_who_stays_below_is_never_refused(table: Table, environments: int) -> None:
    taken, come = flood(of_network(NetworkCap(burst=40, sustained=150)), environments, 2, 300)

    assert len(taken) == come


def test_others_notice_nothing(table: Table) -> None:
    meter = of_network(NetworkCap(burst=20, sustained=20))
    here = Caps()
    for number in range(1000):
        here.take("loud", meter, DAY + number * 10)
        if number % 100 == 0:
            assert here.take(f"calm {number % 2}", meter, DAY + number * 10) is None


def test_it_is_written_once_a_second_far_from_the_cap(table: Table) -> None:
    flood(of_network(NetworkCap(burst=100_000, sustained=100_000)), 4, 400, 60)

    assert sum(table.writes.values()) <= 4 * 61


def test_a_flood_writes_no_more_than_the_cap_and_a_little(table: Table) -> None:
    flood(of_network(NetworkCap(burst=100, sustained=100)), 20, 1000, 60)

    assert sum(table.writes.values()) <= 100 + 20 * 4


def test_who_is_refused_is_told_when_there_is_room(table: Table) -> None:
    meter, here = of_network(NetworkCap(burst=5, sustained=100)), Caps()
    now_ms = DAY + 1_000
    assert [here.take("a", meter, now_ms) for _ in range(5)] == [None] * 5

    wait_ms = here.take("a", meter, now_ms)

    assert wait_ms is not None
    assert 10_000 <= wait_ms <= 12_000
    assert here.take("a", meter, now_ms + wait_ms - 1) is not None
    assert Caps().take("a", meter, now_ms + wait_ms - 1) is not None
    assert Caps().take("a", meter, now_ms + wait_ms) is None


def test_the_item_stays_small(table: Table) -> None:
    meter = of_network(NetworkCap(burst=1000, sustained=1000))
    here = Caps()
    for minute in range(600):
        for second in (0, 2, 4):
            here.take("a", meter, DAY + (minute * 60 + second) * 1000)
    [item] = table.items.values()
    assert len(item) <= 2 * (meter.slices + 3)


def test_a_store_in_trouble_lets_people_in(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: Any, **__: Any) -> dict[str, int]:
        raise Unavailable("ThrottlingException")

    monkeypatch.setattr(dynamo, "add_numbers", fail)
    here, meter = Caps(), of_network(NetworkCap(burst=10, sustained=10))

    waits = [here.take("a", meter, DAY + number * 10) for number in range(20)]

    assert waits[:10] == [None] * 10
    assert None not in waits[10:]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4_000)), max_size=120), st.integers(1, 30))
def test_what_is_counted_is_what_came(steps: list[tuple[int, int]], cap: int) -> None:
    table, meter = Table(), of_network(NetworkCap(burst=cap, sustained=cap))
    running = [Caps() for _ in range(6)]
    taken, now_ms = [], DAY
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dynamo, "add_numbers", table.add_numbers)
        for environment, pause_ms in steps:
            now_ms += pause_ms
            if running[environment].take("a", meter, now_ms) is None:
                taken.append(now_ms)
    unwritten = sum(each._seen["a"].unwritten.total() for each in running if "a" in each._seen)
    assert most_in(taken, 60_000) <= cap + int(cap * 0.1) + 1
    if now_ms - DAY < 60_000:
        written = sum(number for item in table.items.values() for name, number in item.items() if name[0] == "s")
        assert written + unwritten == len(taken)


def test_old_subjects_are_forgotten(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "MAX_SUBJECTS", 3)
    here, meter = Caps(), of_network(NetworkCap(burst=1, sustained=1))
    for who in ("a", "b", "c", "a", "d"):
        here.take(who, meter, DAY)
    assert list(here._seen) == ["c", "a", "d"]


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("test-invoke-source-ip", "test-invoke-source-ip"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_client_is_counted_by_its_network(client: str | None, network: str) -> None:
    assert network_of(client) == network


def test_a_subject_tells_nothing_and_changes_each_day() -> None:
    told = {subject(SECRET, DAY + day * 86_400_000, "network", "192.0.2.0/24", "1") for day in range(3)}
    told |= {
        subject(b"another", DAY, "network", "192.0.2.0/24", "1"),
        subject(SECRET, DAY, "network", "192.0.2.0/24", "2"),
    }

    assert len(told) == 5
    assert subject(SECRET, DAY, "x") == subject(SECRET, DAY + 86_399_999, "x")
    assert not any("192" in each for each in told if not each.isalnum())


def test_an_address_gets_so_many_mails_and_no_more(table: Table) -> None:
    caps.forget()
    cap = AddressCap(burst=3, sustained=5)
    for email in ("ida@example.org", " IDA@example.org", "ida@example.org"):
        caps.count_mail(cap, email, SECRET, DAY)
    with pytest.raises(TooMany) as refused:
        caps.count_mail(cap, "ida@example.org", SECRET, DAY)
    assert 3600 <= refused.value.retry_after_s <= 7200
    caps.count_mail(cap, "bo@example.org", SECRET, DAY)
    later = DAY + 2 * 3_600_000
    for _ in range(2):
        caps.count_mail(cap, "ida@example.org", SECRET, later)
    with pytest.raises(TooMany):
        caps.count_mail(cap, "ida@example.org", SECRET, later)
    assert "ida" not in str(table.items)
    assert of_address(cap).slices == 25
