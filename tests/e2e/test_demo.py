"""`make demo` shows what it promises, on any stack and again."""

from pathlib import Path

import pytest

from tools import demo
from tools.client import Client
from tools.emulator import Emulator


def test_the_demo_shows_who_received_what_and_that_nothing_is_kept_in_clear_text(
    client: Client,
    local: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")

    demo.demo(client)

    shown = capsys.readouterr().out
    rows = [line.split("  ") for line in shown.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    name, mathilda = "Benedikt Szczepański", "Mathilda Ostrander"
    assert [mathilda, "register", "Save the bees", "Bee Guardians", "yes", "repeat", "1", "yes"] in [
        c[:8] for c in cells
    ]
    assert [name, "register", "Clean rivers", "Meadow Trust", "yes", "delivered", "0", "yes"] in [c[:8] for c in cells]
    assert ["(not told)", "register", "Clean rivers", "River Alliance", "no", "delivered", "no"] in [
        c[:7] for c in cells
    ]
    assert "Save the bees: people 3, register 3, share 1" in shown
    assert "None was found" in shown
