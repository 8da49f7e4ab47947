"""What the pages for readers refer to is there: other pages, their headings, files, targets of make."""

import re
from pathlib import Path

import pytest

from tools.emulator import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("examples/*/*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """What links to the headings of a page end in."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_refers_to_is_there(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
    for file in re.findall(r"`((?:docs|events|examples|functions|schemas|tests|tools)/[\w./-]+)`", text):
        assert (ROOT / file).exists(), file
    assert set(re.findall(r"`make ([a-z]+)", text)) <= TARGETS


def test_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\((docs/[\w-]+\.md)\)", (ROOT / "README.md").read_text()))

    assert linked == {str(page.relative_to(ROOT)) for page in ROOT.glob("docs/*.md")}
