"""The pages behind links: one question with one button, or one sentence that says what became (design 7.4). Pure.

They are whole in themselves: no script is needed, nothing is fetched from anywhere, and nothing is told of a person.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from string import Template
from typing import NamedTuple

from proca_common.approvals.texts import Ask, Texts

STYLE = """
:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText;
font:1.125rem/1.5 system-ui,sans-serif}
main{max-width:32rem;padding:2rem 1.5rem}
h1{font-size:1.75rem;line-height:1.25;margin:.25rem 0 1rem}
p{margin:0 0 1.5rem}
label{display:block;margin:0 0 1rem}
input{font:inherit;display:block;box-sizing:border-box;width:100%;min-height:3rem;padding:.5rem .75rem;
border:2px solid #57534e;border-radius:.375rem;background:Field;color:FieldText}
input:focus-visible{outline:3px solid Highlight;outline-offset:3px}
button{font:inherit;font-weight:600;padding:.75rem 1.5rem;min-height:3rem;cursor:pointer;
border:2px solid #14532d;border-radius:.375rem;background:#14532d;color:#fff}
button:focus-visible{outline:3px solid Highlight;outline-offset:3px}
"""
SCRIPT = "document.forms[0].submit()"

_PAGE = Template("""<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
$content
</main>
$script</body>
</html>
""")
_ASK = Template("""$campaign<h1>$title</h1>
<p>$line</p>
<form method="post">
<button type="submit">$button</button>
</form>""")
_FORM = Template("""$wrong<h1>$title</h1>
<p>$line</p>
<form method="post">
$fields
<button type="submit">$button</button>
</form>""")
_FIELD = Template("""<label>$label
<input type="$type" name="$name" autocomplete="$autocomplete" required></label>""")
_WRONG = Template('<p role="alert">$text</p>\n')
_CAMPAIGN = Template("<p>$campaign</p>\n")
_TELL = Template('$campaign<div role="status"><h1>$text</h1></div>')


class Field(NamedTuple):
    """What is to be typed: what stands beside it; name, type and `autocomplete` of HTML's input."""

    label: str
    name: str
    type: str
    autocomplete: str


def asking(language: str, ask: Ask, campaign: str = "", *, submits_itself: bool = False) -> str:
    """A page that asks; its form posts to the address that it was got from. `campaign`: the campaign's title.

    `submits_itself`: a script presses the button; without scripts, somebody still has to.
    """
    content = _ASK.substitute(
        campaign=_heading(campaign), title=_text(ask.title), line=_text(ask.line), button=_text(ask.button)
    )
    return _page(language, ask.title, campaign, content, f"<script>{SCRIPT}</script>\n" if submits_itself else "")


def telling(language: str, text: str, campaign: str = "") -> str:
    """A page that says what became."""
    content = _TELL.substitute(campaign=_heading(campaign), text=_text(text))
    return _page(language, text, campaign, content, "")


def logging_in(language: str, texts: Texts, *, wrong: bool = False) -> str:
    """A page that asks who somebody is; its form posts to the address that it was got from. `wrong`: what was said
    before was not right.

    The gateway on AWS gives another name to the header that would make browsers ask by themselves.
    """
    fields = [
        Field(texts.inputs.email, "email", "email", "username"),
        Field(texts.inputs.password, "password", "password", "current-password"),
    ]
    return filling_in(language, texts.login, fields, [texts.not_known] if wrong else [])


def filling_in(language: str, ask: Ask, fields: Sequence[Field], wrong: Sequence[str] = ()) -> str:
    """A page that asks for something to be typed; its form posts to the address that it was got from. `wrong`: all that
    was not right with what was typed before, which is not shown again.
    """
    content = _FORM.substitute(
        wrong="".join(_WRONG.substitute(text=_text(text)) for text in wrong),
        title=_text(ask.title),
        line=_text(ask.line),
        fields="\n".join(
            _FIELD.substitute({name: _text(text) for name, text in field._asdict().items()}) for field in fields
        ),
        button=_text(ask.button),
    )
    return _page(language, ask.title, "", content, "")


def headers(*, submits_itself: bool = False, loopback: str = "") -> dict[str, str]:
    """What a browser is told besides the page: run and fetch nothing but what is in it, frame it nowhere, tell nobody
    its address.

    Browsers hold `form-action` also against where the answer to a form leads to, and on from there, so https may not be
    left out. `loopback`: an origin on this machine that it leads to.
    """
    policy = [
        "default-src 'none'",
        f"style-src {_hash(STYLE)}",
        *([f"script-src {_hash(SCRIPT)}"] if submits_itself else []),
        "form-action " + " ".join(filter(None, ("'self'", "https:", loopback))),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    }


def _page(language: str, title: str, campaign: str, content: str, script: str) -> str:
    whole = f"{title} | {campaign}" if campaign else title
    return _PAGE.substitute(language=language, title=_text(whole), style=STYLE, content=content, script=script)


def _heading(campaign: str) -> str:
    return _CAMPAIGN.substitute(campaign=_text(campaign)) if campaign else ""


def _text(text: str) -> str:
    return html.escape(text)


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
