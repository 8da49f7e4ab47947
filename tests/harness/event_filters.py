"""Filter patterns of event source mappings (Lambda developer guide, "Control which events Lambda sends to your
function", filter rule syntax; and "Using event filtering with a DynamoDB event source").

A pattern mirrors the record: every key it names must match (AND); a list at a leaf holds alternatives (OR); the
filters of a mapping are alternatives too. A record that matches none is dropped and never fails.

Numbers of DynamoDB arrive as strings, so `numeric` never matches an `N` value on AWS, and `exists` looks at leaves
only: `{"NewImage": {"stage": [{"exists": true}]}}` never matches, `{"stage": {"S": [{"exists": true}]}}` does.
"""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Pattern = Mapping[str, Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ABSENT = object()


def parse(pattern: str | Pattern) -> Pattern:
    """A pattern from its JSON text, checked: ValueError for what AWS would refuse or we do not know."""
    parsed = json.loads(pattern) if isinstance(pattern, str) else pattern
    if not isinstance(parsed, Mapping):
        raise ValueError(f"a filter pattern is an object, not {parsed!r}")  # noqa: TRY004  wrong is what a text says
    _check(parsed)
    return parsed


def accepts(patterns: Sequence[Pattern], record: Mapping[str, Any]) -> bool:
    """Whether a mapping with these filters sends this record to its function; without filters it sends all."""
    return not patterns or any(matches(pattern, record) for pattern in patterns)


def matches(pattern: Pattern, value: Any) -> bool:
    """Whether one pattern matches."""
    for key, expected in pattern.items():
        if key == "$or":
            if not any(matches(alternative, value) for alternative in expected):
                return False
            continue
        found = value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        if isinstance(expected, Mapping):
            if not matches(expected, found):
                return False
        elif not any(_leaf(alternative, found) for alternative in expected):
            return False
    return True


def _leaf(expected: Any, found: Any) -> bool:
    if isinstance(found, list):  # a list in the event matches when one of its elements does
        return any(_leaf(expected, element) for element in found)
    if isinstance(expected, Mapping):
        ((name, argument),) = expected.items()
        return _OPERATORS[name](argument, found)
    return _equal(expected, found)


def _equal(expected: Any, found: Any) -> bool:
    if type(expected) is type(found):
        return bool(expected == found)
    return _number(expected, found, operator.eq)


def _number(expected: Any, found: Any, compare: Callable[[Any, Any], bool]) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (expected, found))
    return numbers and compare(found, expected)


def _is_leaf(found: Any) -> bool:
    return found is not _ABSENT and not isinstance(found, Mapping)


def _numeric(argument: list[Any], found: Any) -> bool:
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(_number(limit, found, _COMPARE[sign]) for sign, limit in pairs)


def _anything_but(argument: Any, found: Any) -> bool:
    if not _is_leaf(found):
        return False
    excluded = argument if isinstance(argument, list) else [argument]
    return not any(_leaf(alternative, found) for alternative in excluded)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "exists": lambda argument, found: _is_leaf(found) == argument,
    "prefix": lambda argument, found: isinstance(found, str) and found.startswith(argument),
    "suffix": lambda argument, found: isinstance(found, str) and found.endswith(argument),
    "equals-ignore-case": lambda argument, found: isinstance(found, str) and found.casefold() == argument.casefold(),
    "numeric": _numeric,
    "anything-but": _anything_but,
}


def _check(pattern: Mapping[str, Any]) -> None:
    for key, expected in pattern.items():
        if key == "$or":
            for alternative in expected:
                _check(alternative)
        elif isinstance(expected, Mapping):
            _check(expected)
        elif not isinstance(expected, list) or not expected:
            raise ValueError(f"{key}: a leaf of a filter pattern is a list of alternatives, not {expected!r}")
        else:
            for alternative in expected:
                _check_leaf(key, alternative)


def _check_leaf(key: str, alternative: Any) -> None:
    if isinstance(alternative, list):
        raise ValueError(f"{key}: a list among alternatives: {alternative!r}")  # noqa: TRY004  likewise
    if not isinstance(alternative, Mapping):
        return
    if len(alternative) != 1 or next(iter(alternative)) not in _OPERATORS:
        raise ValueError(f"{key}: unknown rule {dict(alternative)!r}")
    if "numeric" in alternative:
        signs = alternative["numeric"][::2]
        if not signs or len(alternative["numeric"]) % 2 or any(sign not in _COMPARE for sign in signs):
            raise ValueError(f"{key}: not a numeric rule: {dict(alternative)!r}")
