"""Who may import whom (design 2): rules that hold for the imports at the top of modules, which all that starts pays."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.emulator import ROOT

LAYER = ROOT / "layers" / "proca_common" / "proca_common"
PACKAGES = sorted(path.parent.name for path in LAYER.glob("*/__init__.py"))
KNOWN = {"aws": {"aws"}, "http": {"aws", "http"}, "contacts": {"contacts"}, "cli": {"cli", "orgs"}}
"""Packages that these may import: the cloud, the web and the rules of personal data know nothing of what is above them,
the command of campaigners no more than how to decrypt.
"""


def imported(file: Path) -> Iterator[str]:
    """The names of what is imported when this module is; what is only for type checkers is not."""
    for statement in ast.parse(file.read_text()).body:
        if isinstance(statement, ast.ImportFrom):
            yield statement.module or ""
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)


def packages_of(package: str) -> set[str]:
    """The packages of the layer that a package imports; `shapes.py`, which only describe answers, are for type checkers
    and the API's document.
    """
    names = {name for file in (LAYER / package).rglob("*.py") if file.name != "shapes.py" for name in imported(file)}
    return {parts[1] for name in names if (parts := name.split("."))[0] == "proca_common" and len(parts) > 1} & {
        *PACKAGES
    }


@pytest.mark.parametrize("package", KNOWN)
def test_what_is_below_knows_nothing_of_what_is_above(package: str) -> None:
    assert packages_of(package) <= KNOWN[package]


def test_nothing_in_the_layer_imports_functions_tests_or_tools() -> None:
    names = {name.partition(".")[0] for file in LAYER.rglob("*.py") for name in imported(file)}

    assert not names & {"functions", "tests", "tools", "app"}


def test_packages_import_in_no_circle() -> None:
    graphlib.TopologicalSorter({name: packages_of(name) - {name} for name in PACKAGES}).prepare()


def test_modules_of_a_package_import_in_no_circle() -> None:
    modules = {".".join(file.relative_to(LAYER.parent).with_suffix("").parts): file for file in LAYER.rglob("*.py")}

    graphlib.TopologicalSorter(
        {name: modules.keys() & set(imported(file)) - {name} for name, file in modules.items()}
    ).prepare()
