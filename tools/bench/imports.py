"""What it costs to start the intake function, against `import boto3` and a DynamoDB client alone.

Each start is a process of its own; pairs are interleaved. The function's start is all of its init phase: imports, the
clients, and the secret that it reads.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tools.bench.lambda_process import FUNCTION, LAYER, packages, run
from tools.bench.pairs import Pairs

PROGRAM = "imports_process"


@dataclass(frozen=True, slots=True)
class Starts:
    """CPU (ms) of the function's start beside boto3's, and with no bytecode in the layer; modules that
    each imports."""

    function: Pairs
    without_bytecode_ms: float
    modules: tuple[int, int]


def measure(build: Path, environ: Mapping[str, str], folder: Path, pairs: int, bare: int) -> Starts:
    """`pairs` starts of each, `bare` starts without bytecode; `folder` is for what is needed meanwhile."""
    runtime = str(packages("awslambdaric"))
    layer, boto3 = build / LAYER, packages("boto3")
    code = build / FUNCTION
    stripped = folder / "layer"
    shutil.copytree(layer, stripped, ignore=shutil.ignore_patterns("__pycache__"))

    def start(what: str, *path: Path) -> Any:
        job = {"runtime": runtime, "path": [str(entry) for entry in path], "start": what}
        return run(PROGRAM, job, environ)

    start("function", code, layer)  # from the disk into the page cache
    start("boto3", boto3)
    mine, theirs, without = [], [], []
    for number in range(pairs):
        if number % 2:
            mine.append(start("function", code, layer))
            theirs.append(start("boto3", boto3))
        else:
            theirs.append(start("boto3", boto3))
            mine.append(start("function", code, layer))
        if number < bare:
            without.append(start("function", code, stripped))
    shutil.rmtree(stripped)
    return Starts(
        Pairs.of([found["cpu_ms"] for found in mine], [found["cpu_ms"] for found in theirs]),
        median(found["cpu_ms"] for found in without),
        (mine[0]["modules"], theirs[0]["modules"]),
    )
