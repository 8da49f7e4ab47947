"""The plain part of a mail whose template has none, made from its HTML: what is to be read, and where links go."""

from __future__ import annotations

import re
from html.parser import HTMLParser

UNSEEN = frozenset({"head", "script", "style", "template", "title"})
PARAGRAPHS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
LINES = frozenset({"address", "article", "div", "footer", "header", "li", "main", "section", "tr"})
_BLANKS = re.compile(r"[ \t\r\n\f\u00a0]+")


def plain_text(html: str) -> str:
    """The text of a document: a line per block, a blank line between paragraphs, `label (address)` for a link."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._unseen = 0
        self._links: list[tuple[str, str]] = []

    def text(self) -> str:
        joined = "\n".join(line.strip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip() + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in UNSEEN:
            self._unseen += 1
        self._break(tag)
        match tag:
            case "br":
                self._lines.append("")
            case "hr":
                self._lines += ["", "---", ""]
            case "li":
                self._write("- ")
            case "img":
                self._write(given.get("alt", ""))
            case "a":
                self._links.append((given.get("href", ""), self._written()))
            case "td" | "th":
                self._write(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag == "a" and self._links:
            self._end_link(*self._links.pop())
        self._break(tag)

    def handle_data(self, data: str) -> None:
        self._write(_BLANKS.sub(" ", data))

    def _end_link(self, href: str, before: str) -> None:
        label = self._written().removeprefix(before).strip()
        if href.startswith(("http:", "https:")) and href != label:
            self._write(f" ({href})" if label else href)

    def _break(self, tag: str) -> None:
        if tag in PARAGRAPHS:
            self._lines += ["", ""]
        elif tag in LINES and self._lines[-1].strip():
            self._lines.append("")

    def _written(self) -> str:
        return "\n".join(self._lines)

    def _write(self, text: str) -> None:
        if self._unseen:
            return
        if text.startswith(" ") and (not self._lines[-1] or self._lines[-1].endswith(" ")):
            text = text[1:]
        self._lines[-1] += text
