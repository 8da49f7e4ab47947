"""Targets and their addresses: what may be given, and what becomes of them (domain 1.12, 9.7 to 9.9)."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.actions.status import EmailStatus
from proca_common.catalog.given import checked
from proca_common.failures import Refused
from proca_common.targets.target import (
    MAX_EMAILS,
    MAX_ERROR,
    EmailInput,
    Target,
    TargetEmail,
    TargetInput,
    disabled_emails,
    emails_after_report,
    emails_after_sending,
    given_emails,
    good_address,
)

ID = "6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f"
ANNA, BEN = "anna@example.org", "ben@example.org"
GIVEN = {"externalId": "mep-1", "name": "Anna Member"}


def refusals(**given: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        checked(TargetInput, GIVEN | given)
    return [(failure.pointer, failure.message) for failure in refused.value.failures]


def emails(*known: tuple[str, str]) -> tuple[TargetEmail, ...]:
    return tuple(TargetEmail(email=email, email_status=EmailStatus(status)) for email, status in known)


def target(*known: tuple[str, str]) -> Target:
    return Target(
        id="6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f", campaign=7, external_id="1", name="A", emails=emails(*known)
    )


class TestWhatIsGiven:
    def test_all_that_can_be_given(self) -> None:
        fields = {"salutation": "Dear Anna", "votes": [1, 2.5], "chair": True}
        given = {"locale": "pt_BR", "area": "PT", "fields": fields, "emails": [{"email": " Anna@Example.ORG "}]}
        found = checked(TargetInput, GIVEN | given)
        assert (found.external_id, found.name, found.locale, found.area) == ("mep-1", "Anna Member", "pt_BR", "PT")
        assert found.fields == fields
        assert found.emails == (EmailInput(email=ANNA),)

    def test_what_is_not_given(self) -> None:
        found = checked(TargetInput, GIVEN)
        assert (found.locale, found.area, found.fields, found.emails) == (None, None, {}, None)

    def test_all_failed_rules_at_once(self) -> None:
        emails = [{"email": ANNA}, {"email": "nobody"}, {"email": BEN, "emailStatus": "active"}]
        assert refusals(name="", externalId="x" * 256, locale="EN", colour="blue", emails=emails) == [
            ("/externalId", "should be at most 255 character(s)"),
            ("/name", "can't be blank"),
            ("/locale", "has invalid format"),
            ("/emails/1/email", "has invalid format"),
            ("/emails/2/emailStatus", "is invalid"),
            ("/colour", "is not a known field"),
        ]

    @pytest.mark.parametrize("locale", ["en", "pt_BR"])
    def test_locales(self, locale: str) -> None:
        assert checked(TargetInput, GIVEN | {"locale": locale}).locale == locale

    @pytest.mark.parametrize("locale", ["", "EN", "en_us", "en-GB", "eng", "en_GB@x"])
    def test_no_locales(self, locale: str) -> None:
        assert refusals(locale=locale) == [("/locale", "has invalid format")]

    @pytest.mark.parametrize("text", ["a\r\nBcc: b@example.org", "a\nb", "a\x00b", "\x7f"])
    def test_texts_are_one_line(self, text: str) -> None:
        """A name stands in the header of mails."""
        assert refusals(name=text, area=text, externalId=text) == [
            (pointer, "has invalid format") for pointer in ("/externalId", "/name", "/area")
        ]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"a": {"b": 1}}, "must be a map of string to values of strings or numbers, or lists of them"),
            ({"a": None}, "must be a map of string to values of strings or numbers, or lists of them"),
            ({"a": "x" * 5120}, "has more than 5120 bytes"),
            ({"a": "\x00"}, "is invalid"),
        ],
    )
    def test_fields_are_as_those_of_actions(self, fields: dict[str, Any], message: str) -> None:
        assert refusals(fields=fields) == [("/fields", message)]

    def test_a_target_has_ten_addresses_at_most(self) -> None:
        some = [{"email": f"a{number}@example.org"} for number in range(MAX_EMAILS + 1)]
        assert len(checked(TargetInput, GIVEN | {"emails": some[1:]}).emails or ()) == MAX_EMAILS
        assert refusals(emails=some) == [("/emails", "is invalid")]


class TestGoodAddress:
    @pytest.mark.parametrize("status", list(EmailStatus))
    def test_good_are_those_of_which_nothing_bad_is_known(self, status: EmailStatus) -> None:
        is_good = status in {"none", "active"}
        assert good_address(target((ANNA, status))) == (ANNA if is_good else None)

    def test_the_first_good_one_is_taken(self) -> None:
        assert good_address(target((ANNA, "bounce"), (BEN, "none"), ("c@example.org", "active"))) == BEN

    def test_nobody_without_addresses(self) -> None:
        assert good_address(target()) is None


class TestReplacing:
    KNOWN = (
        TargetEmail(email=ANNA, email_status=EmailStatus.BOUNCE, error="no such user", soft_bounces=1),
        TargetEmail(email=BEN, email_status=EmailStatus.ACTIVE),
    )

    def test_equal_ones_stay_as_they_are_others_go_and_new_ones_come(self) -> None:
        found = given_emails(self.KNOWN, [EmailInput(email="c@example.org"), EmailInput(email="ANNA@example.org")])
        assert found == (TargetEmail(email="c@example.org"), self.KNOWN[0])

    def test_a_status_that_is_given_takes_back_the_error(self) -> None:
        given = [EmailInput(email=ANNA, email_status=EmailStatus.NONE), EmailInput(email=BEN)]
        assert given_emails(self.KNOWN, given) == (TargetEmail(email=ANNA), self.KNOWN[1])

    def test_who_is_named_twice_counts_once(self) -> None:
        assert given_emails((), [EmailInput(email=ANNA), EmailInput(email="Anna@example.org")]) == emails(
            (ANNA, "none")
        )

    def test_disabling_switches_off_the_good_ones(self) -> None:
        known = emails((ANNA, "none"), (BEN, "active"), ("c@example.org", "spam"))
        off = emails((ANNA, "inactive"), (BEN, "inactive"), ("c@example.org", "spam"))
        assert disabled_emails(known) == off


class TestReports:
    @pytest.mark.parametrize("status", [EmailStatus.BOUNCE, EmailStatus.BLOCKED, EmailStatus.SPAM, EmailStatus.UNSUB])
    def test_the_reason_becomes_the_status(self, status: EmailStatus) -> None:
        found = emails_after_report(emails((ANNA, "active"), (BEN, "none")), "Anna@Example.org", status, "550 no")
        assert found == (TargetEmail(email=ANNA, email_status=status, error="550 no"), *emails((BEN, "none")))

    def test_the_first_soft_bounce_counts_as_a_hard_one(self) -> None:
        known = emails((ANNA, "active"))
        found = emails_after_report(known, ANNA, EmailStatus.BOUNCE, "full", soft=True)
        assert found == (TargetEmail(email=ANNA, email_status=EmailStatus.BOUNCE, error="full", soft_bounces=1),)

    def test_soft_bounces_below_the_threshold_only_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("proca_common.targets.target.SOFT_BOUNCES", 2)
        once = emails_after_report(emails((ANNA, "active")), ANNA, EmailStatus.BOUNCE, "full", soft=True)
        assert (once[0].email_status, once[0].soft_bounces) == (EmailStatus.ACTIVE, 1)
        twice = emails_after_report(once, ANNA, EmailStatus.BOUNCE, None, soft=True)
        assert (twice[0].email_status, twice[0].soft_bounces, twice[0].error) == (EmailStatus.BOUNCE, 2, None)

    def test_an_unknown_address_changes_nothing(self) -> None:
        known = emails((ANNA, "active"))
        assert emails_after_report(known, BEN, EmailStatus.SPAM, None) == known

    def test_an_error_is_cut(self) -> None:
        found = emails_after_report(emails((ANNA, "none")), ANNA, EmailStatus.BOUNCE, "x" * 1000)
        assert len(found[0].error or "") == MAX_ERROR

    def test_what_was_sent_makes_active(self) -> None:
        known = (TargetEmail(email=ANNA, soft_bounces=1), TargetEmail(email=BEN))
        assert emails_after_sending(known, ANNA) == (*emails((ANNA, "active")), TargetEmail(email=BEN))

    def test_what_was_reported_meanwhile_stays(self) -> None:
        known = emails((ANNA, "bounce"), (BEN, "inactive"))
        assert emails_after_sending(emails_after_sending(known, ANNA), BEN) == known
