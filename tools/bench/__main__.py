"""python -m tools.bench: measures and prints the table of design 10. Fails for lost or wrong messages, not for time."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.template import project_template
from tests.world import World, set_environment
from tools.bench import delivery, graphql_cpu, handler_cpu, imports, lambda_process, proof_of_work, report, units
from tools.bench.delivery import Delivery
from tools.bench.processes import Machine
from tools.bench.report import Figures
from tools.client import Client
from tools.emulator import LOCAL, Emulator, emulator
from tools.stack import Stack, build, deploy, say

BATCH = 10
BATCH_ROUNDS, ALONE_ROUNDS = 40, 96
CPU_PAIRS = 40
START_PAIRS, BARE_STARTS = 11, 3
RATE, SECONDS = 50.0, 25.0
CALM_SECONDS = 15.0


def main() -> int:
    """1 when a message was lost or wrong."""
    template = build()
    LOCAL.mkdir(exist_ok=True)
    with emulator() as aws, tempfile.TemporaryDirectory(prefix="bench-", dir=LOCAL) as folder:
        figures = measure(aws, template, Path(folder))
    print(report.text(figures))
    print(f"\n\n{proof_of_work.text()}")
    return 1 if report.faults(figures) else 0


def measure(aws: Emulator, template: Path, folder: Path) -> Figures:
    """Everything, one after the other, so that nothing but the emulator runs beside what is measured."""
    before = Machine.now(aws)
    built = shutil.copytree(template.parent, folder / "build")  # other builds may take its place meanwhile
    with _world(aws) as (world, settings):
        say("1/5 counting what signatures ask of AWS")
        campaign = units.Campaign(world)
        batches, alone = campaign.measure(BATCH, BATCH_ROUNDS), campaign.measure(1, ALONE_ROUNDS)
        environ = lambda_process.environment(aws, settings, built, folder)
        say("2/5 the CPU of the intake handler")
        cpu = handler_cpu.measure(built, environ, campaign.page.id, CPU_PAIRS)
        graphql = graphql_cpu.measure(built, environ, campaign.page.id, CPU_PAIRS)
        say("3/5 the CPU of its start")
        starts = imports.measure(built, environ, folder, START_PAIRS, BARE_STARTS)
    say("4/5 the deployed stack")
    stack = deploy(aws, built / template.name)
    return Figures(
        batches=batches,
        alone=alone,
        cpu=cpu,
        graphql=graphql,
        starts=starts,
        deliveries=_deliveries(stack, aws),
        memory_mb={phase: project_template().function(name)["MemorySize"] for phase, name in units.FUNCTIONS.items()},
        others=Machine.now(aws).others_since(before),
        processors=os.cpu_count() or 1,
    )


def _deliveries(stack: Stack, aws: Emulator) -> list[Delivery]:
    """At the wanted rate; where the machine does not reach it, then at half of what it does reach."""
    say(f"5/5 {RATE:.0f} signatures a second for {SECONDS:.0f} s")
    with Client(stack) as client:
        load = delivery.Load(client, aws)
        found = [load.measure(RATE, SECONDS)]
        if report.is_saturated(found[0]):
            calm = max(1.0, round(found[0].rate / 2))
            say(f"this machine reaches {found[0].rate:.0f}; again with {calm:.0f} for {CALM_SECONDS:.0f} s")
            found.append(load.measure(calm, CALM_SECONDS))
    return found


@contextmanager
def _world(aws: Emulator) -> Iterator[tuple[World, dict[str, str]]]:
    """The handlers in this process, over tables of their own, and the settings that they were started with."""
    os.environ.update(aws.environ(), AWS_EC2_METADATA_DISABLED="true", POWERTOOLS_LOG_LEVEL="INFO")
    before = dict(os.environ)
    set_environment(aws.endpoint)
    settings = {name: value for name, value in os.environ.items() if before.get(name) != value}
    world = World()
    try:
        yield world, settings | world.tables.environment
    finally:
        world.close()


if __name__ == "__main__":
    sys.exit(main())
