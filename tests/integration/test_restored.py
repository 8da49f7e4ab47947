"""A table that was restored from a backup: whoever was erased since is erased from it before it is used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from proca_common.admin.__main__ import main
from proca_common.aws import dynamo
from proca_common.aws.settings import TableSettings
from proca_common.erasures import ledger
from proca_common.erasures.erase import erase
from proca_common.orgs.org import Org
from proca_common.pipes.routing import Queue
from tests.erasing import KEY
from tests.harness.calls import unseen_client
from tests.harness.tables import VARIABLES, Tables
from tests.recount import assert_sound, counted
from tests.simulated import SimulatedTime
from tests.world import World

COPIED = ("ActionsTable", "StatsTable")


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees", event_queue=True)


@pytest.fixture(autouse=True)
def _environment(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the tables are as they were when a test is over."""
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, os.environ[variable])


@pytest.fixture
def backup(world: World) -> Iterator[Tables]:
    """Tables that hold what those of the world did when `copy` was called."""
    made = Tables()
    yield made
    made.delete()


def copy(world: World, backup: Tables) -> None:
    for table in COPIED:
        items = world.tables.all_items(table)
        for start in range(0, len(items), 25):
            puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            unseen_client("dynamodb").batch_write_item(RequestItems={backup[table]: puts})


def use(world: World, backup: Tables) -> None:
    """From now on the restored tables are those of the world; they are removed with the others."""
    for table in COPIED:
        world.tables[table], backup[table] = backup[table], world.tables[table]
    dynamo.connect(TableSettings(actions_table=world.tables["ActionsTable"], stats_table=world.tables["StatsTable"]))


def apply(world: World, backup: Tables, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, int]:
    os.environ.update(world.tables.environment)
    capsys.readouterr()
    restored = ["--table", backup["ActionsTable"], "--stats-table", backup["StatsTable"]]
    assert main(["--json", "erasure", "apply", *restored, *more]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_who_was_erased_since_is_erased_from_it(
    world: World, org: Org, backup: Tables, time: SimulatedTime, capsys: pytest.CaptureFixture[str]
) -> None:
    page = world.page(org)
    ida, per = (world.sign(page, email=f"{name}@example.org") for name in ("ida", "per"))
    world.act(page, ida.contact_ref, "share")
    world.act(page, "somebody", "share")
    world.run()
    before = counted(world, page.campaign)
    copy(world, backup)
    time.forward(hours=1)
    for ref in (ida.contact_ref, "somebody"):
        assert erase(ledger.enter(org.id, ref, 1, KEY))
    world.run()
    assert len(world.received(org, Queue.EVENT)) == 1

    dry = apply(world, backup, capsys, "--dry-run")
    assert (dry["erased"], len(backup.all_items("ActionsTable"))) == (2, 14)
    done = apply(world, backup, capsys)

    assert (done["supporters"], done["counted_actions"], done["waiting_actions"]) == (1, 2, 1)
    use(world, backup)
    stored = assert_sound(world, page.campaign)
    assert [ref for ref, _ in stored.supporters] == [per.contact_ref]
    assert counted(world, page.campaign) == before
    world.run()
    assert not world.received(org, Queue.EVENT)  # nobody is told twice
    assert apply(world, backup, capsys)["erased"] == 0


def test_who_signed_after_an_erasure_stays(
    world: World, org: Org, backup: Tables, time: SimulatedTime, capsys: pytest.CaptureFixture[str]
) -> None:
    page = world.page(org)
    ref = world.sign(page).contact_ref
    world.run()
    assert erase(ledger.enter(org.id, ref, 1, KEY))
    time.forward(hours=1)
    again = world.sign(page)
    world.run()
    copy(world, backup)

    done = apply(world, backup, capsys)

    assert done["erased"] == 1
    assert "supporters" not in done
    use(world, backup)
    assert [*assert_sound(world, page.campaign).supporters] == [(ref, again.action)]
