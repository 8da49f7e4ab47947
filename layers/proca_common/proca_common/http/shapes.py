"""Shapes of errors: for type checkers and the API's document, imported by no function."""

from __future__ import annotations

from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(use_attribute_docstrings=True))
class FailedRule(TypedDict):
    """One rule that the request broke. No part repeats the value that was sent."""

    pointer: str
    """Where: a JSON Pointer (RFC 6901) into the body, or a slash and a parameter's name; "" is the whole request."""
    code: str
    """Which rule, for programs."""
    message: str
    """For people, to be shown beside the input."""


@with_config(ConfigDict(use_attribute_docstrings=True))
class ProblemDetails(TypedDict):
    """An error (RFC 9457)."""

    type: str
    """What kind of problem, for programs."""
    title: str
    """The kind of problem in words."""
    status: int
    """The HTTP status."""
    detail: NotRequired[str]
    """What is the matter with this request."""
    providerCode: NotRequired[str]
    """The code of the payment service, where it was that which refused."""
    errors: NotRequired[list[FailedRule]]
    """Every rule that the request broke, at once."""
