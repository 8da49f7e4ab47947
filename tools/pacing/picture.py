"""Draws the simulated campaign: mails written, planned and sent, as SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from proca_common.mtt.plan import HOUR, hourly_cap
from tools.pacing.curves import Curve, by_hour, drip_goals, in_ms
from tools.pacing.scene import DAYS, MAILS, PACE, WINDOW
from tools.pacing.world import World

PICTURE: Final = Path(__file__).parents[2] / "docs" / "mail-to-target.svg"
WIDTH: Final = 960
LEFT: Final = 70
RIGHT: Final = 925
HEIGHT: Final = 230
FIRST: Final = WINDOW.start_at.replace(hour=0)
TICK: Final = 5_000
STYLE: Final = (
    "text{font:13px sans-serif;fill:#3c4043}.title{font-weight:bold;font-size:15px}.axis{stroke:#dadce0}"
    ".night{fill:#f3f4f6}.line{fill:none}.written{stroke:#9aa0a6;stroke-width:1.5}.plan{stroke:#a8c7ee;stroke-width:6}"
    ".sent{stroke:#174a8b;stroke-width:1.6}.bar{fill:#4f86c6}.cap{stroke:#c0392b;stroke-width:1.6}"
)

Number = Callable[[int], float]


class Panel(NamedTuple):
    """A part of the picture: from `top`, `most` high, and `days` long from the first."""

    top: int
    most: int
    days: int

    def x(self, moment: datetime) -> float:
        """Where a moment stands."""
        return LEFT + (RIGHT - LEFT) * ((moment - FIRST) / timedelta(days=self.days))

    def y(self, number: float) -> float:
        """Where a number stands."""
        return self.top + HEIGHT - HEIGHT * number / self.most

    def curve(self, kind: str, number: Number) -> str:
        """A line through the number of each hour."""
        hours = [FIRST + hour * HOUR for hour in range(24 * self.days + 1)]
        return _line(kind, [(self.x(hour), self.y(number(in_ms(hour)))) for hour in hours])

    def frame(self, title: str, tick: int, closed: Iterable[tuple[datetime, datetime]] = ()) -> list[str]:
        """Title, axes, and grey where nothing is sent."""
        grey = [
            f'<rect class="night" x="{self.x(since):.1f}" y="{self.top}" width="{self.x(until) - self.x(since):.1f}"'
            f' height="{HEIGHT}"/>'
            for since, until in closed
        ]
        numbers = [
            f'<path class="axis" d="M{LEFT} {self.y(number):.1f}H{RIGHT}"/>'
            f'<text x="{LEFT - 8}" y="{self.y(number) + 4:.1f}" text-anchor="end">{number:,}</text>'
            for number in range(0, self.most + 1, tick)
        ]
        days = [
            f'<text x="{self.x(FIRST + timedelta(days=day, hours=12)):.1f}" y="{self.top + HEIGHT + 18}"'
            f' text-anchor="middle">{FIRST + timedelta(days=day):%a %-d}</text>'
            for day in range(self.days)
        ]
        return [f'<text class="title" x="{LEFT}" y="{self.top - 14}">{title}</text>', *grey, *numbers, *days]


def drawn(drip: World, hourly: World) -> str:
    """The picture of a campaign that was sent in both ways."""
    parts = [*_drip(Panel(60, MAILS, DAYS), drip), *_hourly(Panel(370, MAILS, DAYS), hourly)]
    parts += _crowded(Panel(680, 15, 5), hourly)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 945" width="{WIDTH}" height="945">\n'
        f'<style>{STYLE}</style>\n<rect width="{WIDTH}" height="945" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _drip(panel: Panel, world: World) -> list[str]:
    goals = [(goals.at_ms, sum(goals.of.values())) for goals in drip_goals(world.arrived, WINDOW)]
    hours = WINDOW.start_at - FIRST, WINDOW.end_at - WINDOW.end_at.replace(hour=0)
    last = FIRST + timedelta(days=DAYS)
    evenings = [FIRST + timedelta(days=day) + hours[1] for day in range(-1, DAYS)]
    nights = [(max(FIRST, since), min(last, since - hours[1] + timedelta(days=1) + hours[0])) for since in evenings]
    return [
        *panel.frame("By drip: mails so far. Nothing is sent where it is grey", TICK, nights),
        panel.curve("plan", _reached(goals)),
        panel.curve("written", Curve(moment for moment, _ in world.arrived)),
        panel.curve("sent", Curve(moment for moment, _ in world.sent)),
        *_legend(panel, ("written", "written"), ("plan", "planned"), ("sent", "sent")),
    ]


def _hourly(panel: Panel, world: World) -> list[str]:
    return [
        *panel.frame(f"By the hour: mails so far, at most {PACE.most_per_hour} an hour to each target", TICK),
        panel.curve("plan", Curve(moment for moment, _ in world.planned)),
        panel.curve("written", Curve(moment for moment, _ in world.arrived)),
        panel.curve("sent", Curve(moment for moment, _ in world.sent)),
        *_legend(panel, ("written", "written"), ("plan", "planned"), ("sent", "sent")),
    ]


def _crowded(panel: Panel, world: World) -> list[str]:
    """The target that most people wrote to, hour by hour."""
    [(crowded, _)] = Counter(mail.target for _, mail in world.sent).most_common(1)
    got = {hour: number for (target, hour), number in by_hour(world.sent).items() if target == crowded}
    hours = [FIRST + hour * HOUR for hour in range(24 * panel.days)]
    bars = [
        f'<rect class="bar" x="{panel.x(hour):.1f}" y="{panel.y(got[hour]):.1f}"'
        f' width="{panel.x(hour + HOUR) - panel.x(hour) - 0.8:.1f}" height="{panel.y(0) - panel.y(got[hour]):.1f}"/>'
        for hour in hours
        if hour in got
    ]
    caps = [(panel.x(edge), panel.y(hourly_cap(hour, PACE))) for hour in hours for edge in (hour, hour + HOUR)]
    return [
        *panel.frame("By the hour: mails in each hour to the target that most wrote to", 5),
        *bars,
        _line("cap", caps),
        *_legend(panel, ("sent", "sent"), ("cap", "cap of the hour")),
    ]


def _reached(goals: Sequence[tuple[int, int]]) -> Number:
    """The last number that was reached by a moment."""
    curve = Curve(moment for moment, _ in goals)
    numbers = [0, *(number for _, number in goals)]
    return lambda moment: numbers[curve(moment)]


def _line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    return f'<polyline class="line {kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _legend(panel: Panel, *kinds: tuple[str, str]) -> list[str]:
    """What each line is, beside the title."""
    y = panel.top - 18
    lefts = range(RIGHT - 285, RIGHT, 95)
    return [
        f'{_line(kind, [(left, y), (left + 26, y)])}<text x="{left + 33}" y="{y + 4}">{words}</text>'
        for left, (kind, words) in zip(lefts, kinds, strict=False)
    ]
