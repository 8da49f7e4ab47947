"""A widget that signs by GraphQL waits for nothing that only staff needs."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.graphql import recorded
from tools.emulator import ROOT

START = """
import json, sys
from proca_common.graph import engine, schemas
schemas.public()
sound = engine._sound(sys.argv[1], everything=False, introspection=False)
mine = [name for name in sys.modules if name.startswith("proca_common.")]
print(json.dumps({"sound": not isinstance(sound, list), "full": schemas.full.cache_info().currsize, "modules": mine}))
"""
ONLY_FOR_STAFF = (
    "proca_common.management",
    "proca_common.exports",
    "proca_common.erasures",
    "proca_common.approvals",
    "proca_common.users.authentication",
    "proca_common.graph.private_",
    "proca_common.payments",
)


def test_the_public_schema_is_all_that_signing_needs() -> None:
    [sign] = {each.document for each in recorded() if each.client == "widget" and each.name == "addActionContact"}
    layer = str(ROOT / "layers" / "proca_common")
    program = f"import sys; sys.path.insert(0, {layer!r})\n{START}"
    done = subprocess.run([sys.executable, "-c", program, sign], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["sound"], told["full"]) == (True, 0)
    assert [name for name in told["modules"] if name.startswith(ONLY_FOR_STAFF)] == []
