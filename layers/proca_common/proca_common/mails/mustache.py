"""Mustache as the domain has it (domain 8.5); the one module that knows the library.

A name is looked up in mappings alone: the library's own look-up also reads attributes and calls methods, which is
nothing for templates that campaigners write. Partials do not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mstache

_NOTHING = object()


class NotMustache(ValueError):
    """The text is no template; what is wrong, and at which line and column."""


class _Zero(int):
    """A zero is a value like any other number, not an absent one."""

    def __bool__(self) -> bool:
        return True


def check(template: str) -> str:
    """The template, if it is one; raises `NotMustache`."""
    render(template, {}, html=False)
    return template


def render(template: str, variables: Mapping[str, Any], *, html: bool) -> str:
    """The text with the variables put in; in `html`, `& < > "` of `{{x}}` are escaped. Raises `NotMustache`."""
    try:
        return mstache.render(
            template,
            variables,
            getter=_value,
            stringify=_text,
            escape=mstache.default_strict_escape if html else bytes,
            strict=True,
        )
    except (mstache.TokenException, mstache.TemplateRecursionError) as error:
        raise NotMustache(str(error)) from None


def _value(scope: Any, outer: Sequence[Any], name: Any, default: Any = None) -> Any:
    """The value of a name, dots lead into mappings; the innermost section that has the first part decides."""
    if name == ".":
        return scope
    first, *rest = name.split(".")
    for candidate in (scope, *reversed(outer)):
        found = candidate.get(first, _NOTHING) if isinstance(candidate, Mapping) else _NOTHING
        if found is not _NOTHING:
            break
    else:
        return default
    for part in rest:
        if not isinstance(found, Mapping) or part not in found:
            return default
        found = found[part]
    return _Zero() if found == 0 and not isinstance(found, bool) else found


def _text(value: Any, text: bool) -> bytes:  # noqa: ARG001 - the library says which mode it is in
    """How a value reads: true and false as in JSON, a list with commas."""
    match value:
        case None:
            return b""
        case bool():
            return b"true" if value else b"false"
        case Mapping():
            return b""
        case list() | tuple():
            return b", ".join(_text(entry, True) for entry in value)
        case _:
            return str(value).encode()
