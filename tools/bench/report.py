"""Turns what was measured into rows, breakdowns and notes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.bench import hot_keys, prices
from tools.bench.cost import Invocations, Signature
from tools.bench.delivery import Delivery, percentile
from tools.bench.handler_cpu import HandlerCpu
from tools.bench.imports import Starts
from tools.bench.pairs import Pairs
from tools.bench.table import Row, budget_table, grid
from tools.bench.units import DELIVER, INTAKE, Usage

CALLS_BUDGET = 1
BATCH_UNITS_BUDGET = 16.0
ALONE_UNITS_BUDGET = 19.0
HANDLER_BUDGET = 1.5
GRAPHQL_BUDGET = 1.3
IMPORT_BUDGET = 2.0
DELAY_BUDGET_MS = 1_000
BUSY_MACHINE = 0.3
"""Processors that others kept busy, above which times are to be read with care."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured. `deliveries`: at the wanted rate, then, if that was not reached, at one that can be.
    `memory_mb` of the functions by phase; `others` is how many processors other programs kept busy."""

    batches: Usage
    alone: Usage
    cpu: HandlerCpu
    graphql: Pairs
    starts: Starts
    deliveries: Sequence[Delivery]
    memory_mb: dict[str, int]
    others: float
    processors: int

    def signature(self, usage: Usage) -> Signature:
        """What one signature uses, for its price; the intake's CPU is that of the built function."""
        cpu = {INTAKE: self.cpu.plain.measured, DELIVER: usage.cpu_ms[DELIVER]}
        functions = {
            phase: Invocations(
                usage.invocations[phase],
                cpu[phase],
                usage.wall_ms[phase],
                self.memory_mb[phase],
                usage.log_bytes[phase],
            )
            for phase in (INTAKE, DELIVER)
        }
        return Signature(functions, usage.write_units, usage.read_units, usage.sqs_requests, usage.stored_bytes)


def rows(figures: Figures) -> Iterator[Row]:
    """The table of design 10."""
    batches, alone = figures.batches, figures.alone
    calls = sum(batches.calls.values())
    yield Row("DynamoDB calls of a warm signature at intake", str(calls), "", "1", calls <= CALLS_BUDGET)
    yield _units(f"write units of a signature, in batches of {batches.batch}", batches, BATCH_UNITS_BUDGET)
    yield _units("write units of a signature, alone", alone, ALONE_UNITS_BUDGET)
    yield _pairs("CPU of the intake handler", figures.cpu.plain, HANDLER_BUDGET)
    yield _pairs("  against a floor that does not check parameters", figures.cpu.lean)
    yield _pairs("  with an Idempotency-Key", figures.cpu.keyed)
    yield _pairs("CPU of a signature by GraphQL, against REST", figures.graphql, GRAPHQL_BUDGET)
    yield _pairs("CPU of starting the intake function, against boto3", figures.starts.function, IMPORT_BUDGET)
    yield Row("  without bytecode in the layer", f"{figures.starts.without_bytecode_ms:.0f} ms")
    for delivery in figures.deliveries:
        yield from _delivery(delivery)
    for usage in (batches, alone):
        dollars = sum(figures.signature(usage).price().values())
        yield Row(f"a million signatures, {_delivered(usage)}", f"{dollars:.2f} USD", "", "printed")
    for usage in (batches, alone):
        first = hot_keys.shared(usage.writes, usage.signatures)[0]
        yield Row(
            f"rate on one campaign at which a key is full, {_delivered(usage)}",
            f"{first.full_at:,.0f}/s",
            f"{first.where} {first.pattern}",
            "printed",
        )


def breakdowns(figures: Figures) -> Iterator[str]:
    """What stands behind the table, each with a title."""
    for usage in (figures.batches, figures.alone):
        yield _title(f"What is written, {_delivered(usage)} ({usage.signatures} signatures)") + grid(
            [
                ("by", "where", "item", "done", "bytes", "units"),
                *((*names, str(size), f"{units:.2f}") for *names, size, units in usage.breakdown()),
                ("", "", "", "all", "", f"{usage.write_units:.2f}"),
            ]
        )
    yield _title("What a million signatures cost, in USD") + _prices(figures)
    yield _title("Which keys many signatures write to") + _keys(figures)


def notes(figures: Figures) -> Iterator[str]:
    """What to know when reading the figures."""
    for usage in (figures.batches, figures.alone):
        if abs(usage.reported - usage.write_units) > 1e-6:
            yield (
                f"ConsumedCapacity says {usage.reported:.2f} write units {_delivered(usage)}; the table has what the"
                " documented rules give for the recorded writes."
            )
    first = figures.deliveries[0]
    if first.cpu_ms:
        used = ", ".join(f"{name} {milliseconds:.1f} ms" for name, milliseconds in first.cpu_ms.items())
        yield f"CPU of the local stack for each delivered signature: {used}."
    if is_saturated(first):
        yield (
            f"This machine drives {first.rate:.0f} signatures a second with the emulator on it, not"
            f" {first.wanted_rate:.0f}: the first delay is a queue before the emulator."
        )
    noisy = [name for name, pairs in _all_pairs(figures) if pairs.is_noisy]
    if noisy:
        yield f"Ratios spread widely here: {', '.join(noisy)}."
    if figures.others > BUSY_MACHINE:
        yield (
            f"Other programs kept {figures.others:.1f} of {figures.processors} processors busy meanwhile: read times"
            " and delays with care."
        )
    yield f"Prices: lists of {prices.REGION} of {prices.AS_OF}, first tier, no free tier, no tax."


def faults(figures: Figures) -> list[str]:
    """What was lost or wrong: the only reason to fail."""
    return [fault for delivery in figures.deliveries for fault in delivery.faults]


def is_saturated(delivery: Delivery) -> bool:
    """Whether the machine could not drive the wanted rate."""
    return delivery.rate < 0.95 * delivery.wanted_rate


def _units(what: str, usage: Usage, budget: float) -> Row:
    return Row(what, f"{usage.write_units:.1f}", "", f"<= {budget:.0f}", usage.write_units <= budget + 1e-6)


def _pairs(what: str, pairs: Pairs, budget: float | None = None) -> Row:
    measured, floor = f"{pairs.measured:.2f} ms, {pairs.ratio:.2f} x", f"{pairs.floor:.2f} ms"
    if budget is None:
        return Row(what, measured, floor)
    return Row(what, measured, floor, f"<= {budget} x", pairs.ratio <= budget)


def _delivery(delivery: Delivery) -> Iterator[Row]:
    middle, most, worst = (percentile(delivery.delays_ms, part) / 1000 for part in (0.5, 0.95, 1))
    slow = is_saturated(delivery)
    yield Row(
        f"stream to the org's queue at {delivery.rate:.0f} signatures/s, p95",
        f"{most:.2f} s",
        f"p50 {middle:.2f} s, max {worst:.2f} s",
        "" if slow else "< 1 s",
        None if slow else most * 1000 < DELAY_BUDGET_MS,
    )
    answers = [percentile(delivery.answers_ms, part) for part in (0.5, 0.95)]
    yield Row("  answer to the widget, p95", f"{answers[1]:.0f} ms", f"p50 {answers[0]:.0f} ms")
    yield Row(
        f"  lost, wrong or miscounted of {delivery.signatures}",
        str(len(delivery.faults)),
        f"refused {len(delivery.refused)}, repeated {delivery.repeated}",
        "0",
        not delivery.faults,
    )


def _prices(figures: Figures) -> str:
    usages = (figures.batches, figures.alone)
    columns = [figures.signature(usage).price() for usage in usages]
    keeping = [figures.signature(usage).price_of_keeping() for usage in usages]
    lines = [(what, *(f"{column[what]:.2f}" for column in columns)) for what in columns[0]]
    return grid(
        [
            ("", *map(_delivered, usages)),
            *lines,
            ("all", *(f"{sum(column.values()):.2f}" for column in columns)),
            ("kept for a month, besides", *(f"{price:.2f}" for price in keeping)),
        ]
    )


def _keys(figures: Figures) -> str:
    lines = [("delivered", "where", "key", "keys", "units", "hottest", "full at")]
    for usage in (figures.batches, figures.alone):
        for spread in hot_keys.shared(usage.writes, usage.signatures):
            full_at = f"{spread.full_at:,.0f}/s"
            cells = (str(spread.keys), f"{spread.units:.2f}", f"{spread.hottest:.2f} x", full_at)
            lines.append((_delivered(usage), spread.where, spread.pattern, *cells))
        units = hot_keys.tables(usage.writes, usage.signatures)
        where, most = next(iter(units.items()))
        at_first = f"{hot_keys.TABLE_UNITS_AT_FIRST / most:,.0f}/s"
        lines.append((_delivered(usage), where, "all of a new table", "", f"{most:.2f}", "", at_first))
    return grid(lines)


def _all_pairs(figures: Figures) -> list[tuple[str, Pairs]]:
    return [
        ("handler", figures.cpu.plain),
        ("with a key", figures.cpu.keyed),
        ("GraphQL", figures.graphql),
        ("start", figures.starts.function),
    ]


def _delivered(usage: Usage) -> str:
    return "alone" if usage.batch == 1 else f"in batches of {usage.batch}"


def _title(text: str) -> str:
    return f"{text}\n\n"


def text(figures: Figures) -> str:
    """Everything that is printed."""
    parts = [budget_table(rows(figures)), *breakdowns(figures), "\n".join(f"* {note}" for note in notes(figures))]
    if faults(figures):
        parts.append(_title("LOST OR WRONG") + "\n".join(faults(figures)))
    return "\n\n\n".join(parts)
