"""CPU of the warm intake handler against the floor of the same work (see `handler_cpu_process`).

Only the CPU of the process that runs the handler counts, not that of the emulator which answers it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.world import api_event
from tools.bench import signature, units
from tools.bench.lambda_process import FUNCTION, LAYER, run
from tools.bench.pairs import Pairs

PROGRAM = "handler_cpu_process"
CALLS = 5
"""Calls that make one measurement."""


@dataclass(frozen=True, slots=True)
class HandlerCpu:
    """Milliseconds of CPU per signature, plain and with an Idempotency-Key. `lean` compares with a floor whose client
    does not check its parameters either, as ours does not."""

    plain: Pairs
    lean: Pairs
    keyed: Pairs


def measure(build: Path, environ: Mapping[str, str], page: int, pairs: int) -> HandlerCpu:
    """`pairs` measurements of each kind, for signatures of this page."""
    count = (pairs + 1) * CALLS
    job = {
        "path": [str(build / FUNCTION), str(build / LAYER)],
        "calls": CALLS,
        "events": {
            "plain": [_event(page, {}) for _ in range(count)],
            "keyed": [_event(page, {"Idempotency-Key": uuid.uuid4().hex}) for _ in range(count)],
        },
    }
    took = run(PROGRAM, job, environ)
    plain, keyed = took["plain"], took["keyed"]
    return HandlerCpu(
        Pairs.of(plain["handler"], plain["floor"]),
        Pairs.of(plain["handler"], plain["lean floor"]),
        Pairs.of(keyed["handler"], keyed["floor"]),
    )


def _event(page: int, headers: Mapping[str, str]) -> dict[str, Any]:
    return api_event("POST", f"/v1/pages/{page}/actions", json.dumps(units.body()), {**signature.HEADERS, **headers})
