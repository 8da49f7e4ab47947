"""`make picture`: send the simulated campaign in both ways, and draw it."""

from __future__ import annotations

from tools.pacing.picture import PICTURE, drawn
from tools.pacing.scene import PACE, SEED, WINDOW, arrivals
from tools.pacing.simulation import Faults, Simulation

written = arrivals(SEED)
drip, hourly = (Simulation(WINDOW, pace, Faults(), SEED).run(written) for pace in (None, PACE))
PICTURE.write_text(drawn(drip, hourly), encoding="utf-8")
print(PICTURE.relative_to(PICTURE.parents[1]))
