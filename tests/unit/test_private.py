"""What of an action travels with it in clear, and what only inside contacts (design 7.1, domain 3.7)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from proca_common.actions.input import ActionInput, parse_action
from proca_common.actions.private import particulars_of, wiped
from proca_common.campaigns.campaign import CampaignInput
from proca_common.failures import Refused

DONATION = {"amount": 500, "payload": {"provider": "sepa", "iban": "SE35"}}


def action(**given: Any) -> ActionInput:
    return parse_action(json.dumps({"action": {"actionType": "register", **given}}).encode(), "abcd").action


def test_an_ordinary_action_has_nothing_private() -> None:
    particulars = particulars_of(action(customFields={"a": 1}), ())
    assert (particulars.fields, particulars.donation, particulars.private) == ({"a": 1}, None, {})
    assert particulars.without_contact() is particulars


@pytest.mark.parametrize(
    ("listed", "transient"),
    [
        ("register:phone", {"phone": "1"}),
        ("share:phone", {}),
        ("register:phon", {}),
        ("register:phones", {}),
        ("Register:phone", {}),
        ("register:Phone", {}),
        ("registe:r:phone", {}),
        ("register:a:b", {"a:b": "2"}),
        ("register:", {"": "3"}),
    ],
)
def test_a_field_is_transient_by_its_exact_type_and_key(listed: str, transient: dict[str, str]) -> None:
    fields = {"phone": "1", "a:b": "2", "": "3", "other": "4"}
    particulars = particulars_of(action(customFields=fields), (listed,))
    assert particulars.private == ({"fields": transient} if transient else {})
    assert {**particulars.fields, **transient} == fields
    assert not particulars.fields.keys() & transient.keys()


def test_fields_of_the_legacy_list_are_transient_too() -> None:
    given = action(fields=[{"key": "phone", "value": "1"}, {"key": "phone", "value": "2"}])
    particulars = particulars_of(given, ("register:phone",))
    assert (particulars.fields, particulars.private) == ({}, {"fields": {"phone": ["2", "1"]}})


def test_a_donation_is_taken_apart() -> None:
    particulars = particulars_of(action(donation=DONATION), ())
    assert particulars.donation is not None
    assert particulars.donation["payload"] == {"provider": "sepa"}
    assert particulars.private == {"donation": {"iban": "SE35"}}


def test_what_only_a_contact_can_carry_is_refused_without_one_all_at_once() -> None:
    particulars = particulars_of(action(donation=DONATION, customFields={"phone": "1"}), ("register:phone",))
    with pytest.raises(Refused) as refusal:
        particulars.without_contact()
    assert [(failure.pointer, failure.code, failure.message) for failure in refusal.value.failures] == [
        ("/action/donation/payload", "needs_contact", "has keys that can only be sent together with a contact"),
        (
            "/action/customFields",
            "needs_contact",
            "has transient fields, which can only be sent together with a contact",
        ),
    ]


def test_a_donation_that_may_stand_in_clear_needs_no_contact() -> None:
    particulars = particulars_of(action(donation={"amount": 1, "payload": {"id": "pi_1"}}), ())
    assert particulars.without_contact().donation is not None


CONTACT = {"firstName": "Mara", "email": "mara@example.org"}


def test_transient_fields_are_wiped_from_a_contact_and_nothing_else_is() -> None:
    payload = {**CONTACT, "donation": {"iban": "x"}}
    clear = wiped(json.dumps({**payload, "fields": {"phone": "1"}}, separators=(",", ":")))
    assert clear is not None
    assert json.loads(clear) == payload


@given(st.text())
def test_a_contact_without_them_is_let_be(name: str) -> None:
    assert wiped(json.dumps({**CONTACT, "lastName": name}, ensure_ascii=False, separators=(",", ":"))) is None


def test_a_part_of_another_name_within_a_contact_is_let_be() -> None:
    assert wiped('{"donation":{"fields":{"a":1}}}') is None
    assert wiped('{"lastName":"\\"fields\\":{"}') is None


@pytest.mark.parametrize("field", ["transient_actions", "public_actions"])
class TestSettingsOfCampaigns:
    """`actionType:key` (domain 1.3)."""

    def campaign(self, field: str, *entries: object) -> Any:
        return getattr(CampaignInput.model_validate({"name": "bees", "title": "Bees", "org": 1, field: entries}), field)

    def test_by_default_there_are_none(self, field: str) -> None:
        assert self.campaign(field) == ()

    def test_entries(self, field: str) -> None:
        entries = ("register:phone", "mail-2_target:a b", "share:x:y", "share:")
        assert self.campaign(field, *entries) == entries

    @pytest.mark.parametrize(
        "entry", ["", "phone", ":phone", "a b:phone", "é:phone", "x" * 41 + ":a", "a:" + "x" * 300, 1, None]
    )
    def test_what_is_none(self, field: str, entry: object) -> None:
        with pytest.raises(ValidationError):
            self.campaign(field, entry)

    def test_a_hundred_are_enough(self, field: str) -> None:
        assert len(self.campaign(field, *[f"a:{number}" for number in range(100)])) == 100
        with pytest.raises(ValidationError):
            self.campaign(field, *[f"a:{number}" for number in range(101)])
