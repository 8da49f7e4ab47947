"""A message to targets that comes with an action (domain 1.14, 3.5.5)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from proca_common.actions.fields import is_sendable
from proca_common.actions.input import absent, rule
from proca_common.contacts.input import Input
from proca_common.contacts.text import longer_than
from proca_common.failures import Failure

MAX_SUBJECT = 1280
MAX_BODY = 10_240
MAX_TARGETS = 1000

_LINES = re.compile(r"[\r\n]+")
_TARGET = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_FILE = re.compile(r"[-0-9a-zA-Z!_.*'()/]+")


def _one_line(subject: str) -> str:
    return _LINES.sub(" ", subject)


def subject_failures(subject: str) -> list[Failure]:
    """At most 1,280 characters."""
    return _text_failures(subject, MAX_SUBJECT)


def body_failures(body: str) -> list[Failure]:
    """At most 10,240 characters."""
    return _text_failures(body, MAX_BODY)


def target_failures(target: str) -> list[Failure]:
    """A target's id is a UUID."""
    return [] if _TARGET.fullmatch(target) else [Failure.invalid("")]


def file_failures(key: str) -> list[Failure]:
    """The key of a stored file."""
    return [] if _FILE.fullmatch(key) else [Failure.bad_format("")]


def _text_failures(text: str, limit: int) -> list[Failure]:
    failures = [] if is_sendable(text) else [Failure.invalid("")]
    if longer_than(text, limit):
        failures.append(Failure.too_long("", limit))
    return failures


class MttInput(Input):
    """The message and the ids of its targets. A subject is one line; `files` are keys of stored files, for every target
    the same.
    """

    subject: Annotated[str, rule(subject_failures), AfterValidator(_one_line), absent(None, default=str)] = ""
    body: Annotated[str, rule(body_failures), absent(None, default=str)] = ""
    targets: Annotated[list[Annotated[str, rule(target_failures)]], Field(max_length=MAX_TARGETS)]
    files: Annotated[
        list[Annotated[str, rule(file_failures)]], Field(max_length=MAX_TARGETS), absent(None, default=list)
    ] = Field(default_factory=list)
