"""What an org's answer about a supporter means: table 4.5, row by row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from proca_common.actions.status import EmailStatus
from proca_common.pipes.calling import Answer
from proca_common.pipes.details import Asked, Details, asked

GIVEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def said(answer: Any, status: int = 200) -> Asked:
    return asked(Answer(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()))


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        ({}, Details()),
        ({"privacy": None, "action": None}, Details()),
        ({"privacy": {}, "action": {}}, Details()),
        ({"privacy": {"optIn": True, "givenAt": "2026-03-01T12:00:00Z"}}, Details(given_at=GIVEN)),
        ({"privacy": {"optIn": True, "givenAt": "2026-03-01T13:00:00+01:00"}}, Details(given_at=GIVEN)),
        ({"privacy": {"optIn": True, "givenAt": "2026-03-01T12:00:00"}}, Details(given_at=GIVEN)),
        ({"privacy": {"optIn": False}}, Details()),
        ({"privacy": {"optIn": False, "givenAt": "2026-03-01T12:00:00Z"}}, Details()),
        ({"privacy": {"optIn": None, "givenAt": None}}, Details()),
        (
            {"privacy": {"emailStatus": "double_opt_in", "emailStatusChanged": "2026-03-01T12:00:00Z"}},
            Details(email_status=EmailStatus.DOUBLE_OPT_IN, email_status_changed=GIVEN),
        ),
        ({"privacy": {"emailStatusChanged": "2026-03-01T12:00:00Z"}}, Details()),
        ({"action": {"customFields": {"Member Since": 2019}}}, Details(custom_fields={"Member Since": 2019})),
        ({"action": {"customFields": None}}, Details()),
        ({"name": "Ida", "privacy": {"other": 1}, "action": {"actionType": "x"}}, Details()),
    ],
)
def test_answers_that_are_valid(answer: Any, details: Details) -> None:
    assert said(answer) == Asked(details, "details")
    assert said(answer, 201).details == details


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"privacy": {"optIn": True}}, "privacy"),
        ({"privacy": {"optIn": "yes", "givenAt": "2026-03-01T12:00:00Z"}}, "privacy.optIn"),
        ({"privacy": {"optIn": 1, "givenAt": "2026-03-01T12:00:00Z"}}, "privacy.optIn"),
        ({"privacy": {"optIn": True, "givenAt": "yesterday"}}, "privacy.givenAt"),
        ({"privacy": {"optIn": True, "givenAt": "2026-03-01"}}, "privacy.givenAt"),
        ({"privacy": {"optIn": True, "givenAt": 1772366400}}, "privacy.givenAt"),
        ({"privacy": {"optIn": True, "givenAt": "1969-12-31T23:59:59Z"}}, "privacy.givenAt"),
        ({"privacy": {"optIn": True, "givenAt": "0001-01-01T00:00:00+14:00"}}, "privacy.givenAt"),
        ({"privacy": {"optIn": True, "givenAt": "9999-12-31T23:59:59-14:00"}}, "privacy.givenAt"),
        ({"privacy": {"optIn": True, "givenAt": True}}, "privacy.givenAt"),
        ({"privacy": {"emailStatus": "bounce"}}, "privacy"),
        ({"privacy": {"emailStatus": "fine", "emailStatusChanged": "2026-03-01T12:00:00Z"}}, "privacy.emailStatus"),
        ({"privacy": []}, "privacy"),
        ({"action": "x"}, "action"),
        ({"action": {"customFields": []}}, "action.customFields"),
        ({"action": {"customFields": "x"}}, "action.customFields"),
    ],
)
def test_answers_with_invalid_values_are_no_details(answer: Any, reason: str) -> None:
    assert said(answer) == Asked(None, f"invalid: {reason}")


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"[]", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 10_000, b"{} {}"]
)
def test_what_is_no_json_object_is_a_fault_of_the_service(answer: bytes) -> None:
    assert said(answer) == Asked(None, "no JSON object", failed=True)


@pytest.mark.parametrize("status", [204, 404])
def test_a_person_who_is_not_known_has_no_details(status: int) -> None:
    assert said({"privacy": {"optIn": True}}, status) == Asked(None, "not known")


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 405, 410, 429, 500, 502, 503])
def test_anything_else_is_a_fault_of_the_service(status: int) -> None:
    assert said({}, status) == Asked(None, f"status {status}", failed=True)


def test_an_answer_that_is_too_large_is_no_details() -> None:
    assert asked(Answer(200, None)) == Asked(None, "too large")


def test_what_was_said_is_not_repeated() -> None:
    wrong = {"privacy": {"emailStatus": "ida@example.org", "emailStatusChanged": "2026-03-01T12:00:00Z"}}
    assert "ida" not in said(wrong).reason
