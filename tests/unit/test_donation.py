"""Donations: every rule of domain 1.15 and 3.5.4, and what of a payload may stand in clear (design 7.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proca_common.actions.currencies import CURRENCIES
from proca_common.actions.donation import KEPT, Donation, DonationInput, donation_of
from proca_common.actions.input import parse_action
from proca_common.failures import Malformed, Refused

REF = "TdyhfY5aA9fGs-SOOzvV13YNtrI5eYhimbg-2jHd5Jo"
STRIPE = "stripe_payment_intent"
INTENT = {"id": "pi_000", "amount": 1500, "currency": "eur", "status": "succeeded", "livemode": False}


def body(donation: object) -> bytes:
    return json.dumps({"action": {"actionType": "donate", "donation": donation}}).encode()


def read(**given: Any) -> DonationInput:
    donation = parse_action(body(given), REF).action.donation
    assert donation is not None
    return donation


def refused(donation: object) -> list[tuple[str, str]]:
    """(pointer below the donation, message) of all that failed."""
    with pytest.raises(Refused) as refusal:
        parse_action(body(donation), REF)
    return [(failure.pointer.removeprefix("/action/donation"), failure.message) for failure in refusal.value.failures]


def code(donation: object) -> list[str]:
    with pytest.raises(Refused) as refusal:
        parse_action(body(donation), REF)
    return [failure.code for failure in refusal.value.failures]


def test_a_donation_of_the_widgets_own_kind() -> None:
    donation = read(payload={"provider": "sepa", "iban": "x"}, amount=1, currency="SEK", frequencyUnit="monthly")
    assert donation.schema_ is None
    assert donation.payload == {"provider": "sepa", "iban": "x"}
    assert (donation.amount, donation.currency, donation.frequency_unit) == (1, "SEK", "monthly")


def test_defaults_are_one_off_and_euro() -> None:
    for absent in ({}, {"currency": None, "frequencyUnit": None, "schema": None}, {"currency": "", "schema": ""}):
        donation = read(payload={}, amount=100, **absent)
        assert (donation.schema_, donation.currency, donation.frequency_unit) == (None, "EUR", "one_off")


@pytest.mark.parametrize("unit", ["one_off", "weekly", "monthly", "daily"])
def test_frequency_units(unit: str) -> None:
    assert read(payload={}, amount=1, frequencyUnit=unit).frequency_unit == unit


@pytest.mark.parametrize(
    ("donation", "failures"),
    [
        ({}, [("/payload", "can't be blank"), ("/amount", "can't be blank")]),
        ({"payload": None, "amount": None}, [("/payload", "can't be blank"), ("/amount", "can't be blank")]),
        ({"payload": {}}, [("/amount", "can't be blank")]),
        ({"payload": [], "amount": 1}, [("/payload", "is invalid")]),
        ({"payload": "{}", "amount": 1}, [("/payload", "is invalid")]),
        ({"payload": {}, "amount": 0}, [("/amount", "must be positive")]),
        ({"payload": {}, "amount": -5}, [("/amount", "must be positive")]),
        ({"payload": {}, "amount": 1.5}, [("/amount", "is invalid")]),
        ({"payload": {}, "amount": "1"}, [("/amount", "is invalid")]),
        ({"payload": {}, "amount": True}, [("/amount", "is invalid")]),
        ({"payload": {}, "amount": 2**53}, [("/amount", "is invalid")]),
        ({"payload": {}, "amount": 1, "currency": "eur"}, [("/currency", "has invalid format")]),
        ({"payload": {}, "amount": 1, "currency": "EURO"}, [("/currency", "has invalid format")]),
        ({"payload": {}, "amount": 1, "currency": "EU"}, [("/currency", "has invalid format")]),
        ({"payload": {}, "amount": 1, "currency": "EUR\n"}, [("/currency", "has invalid format")]),
        ({"payload": {}, "amount": 1, "currency": "ÄÖÜ"}, [("/currency", "has invalid format")]),
        ({"payload": {}, "amount": 1, "currency": "ZZZ"}, [("/currency", "does not exist")]),
        ({"payload": {}, "amount": 1, "currency": "DEM"}, [("/currency", "does not exist")]),
        ({"payload": {}, "amount": 1, "currency": 978}, [("/currency", "is invalid")]),
        ({"payload": {}, "amount": 1, "frequencyUnit": "yearly"}, [("/frequencyUnit", "is invalid")]),
        ({"payload": {}, "amount": 1, "frequencyUnit": "ONE_OFF"}, [("/frequencyUnit", "is invalid")]),
        ({"payload": {}, "amount": 1, "schema": "paypal"}, [("/schema", "is invalid")]),
        ({"payload": {}, "amount": 1, "iban": "x"}, [("/iban", "is not a known field")]),
        ([], [("", "is invalid")]),
        ("x", [("", "is invalid")]),
        (
            {"payload": [], "amount": 0, "currency": "x", "frequencyUnit": 1, "schema": 1},
            [
                ("/schema", "is invalid"),
                ("/payload", "is invalid"),
                ("/amount", "must be positive"),
                ("/currency", "has invalid format"),
                ("/frequencyUnit", "is invalid"),
            ],
        ),
    ],
)
def test_what_is_no_donation(donation: object, failures: list[tuple[str, str]]) -> None:
    assert refused(donation) == failures


def test_null_is_no_donation() -> None:
    assert parse_action(body(None), REF).action.donation is None


class TestPaymentIntent:
    """Amount and currency are those of the payload (domain 3.5.4)."""

    @pytest.mark.parametrize("given", [{}, {"amount": 1, "currency": "SEK"}, {"amount": -1, "currency": "x"}])
    def test_they_are_taken_from_the_payload_whatever_is_given(self, given: dict[str, Any]) -> None:
        donation = read(schema=STRIPE, payload=INTENT, **given)
        assert (donation.schema_, donation.amount, donation.currency) == (STRIPE, 1500, "EUR")

    NO_AMOUNT = ("/payload", "payload does not contain amount, schema: stripe_payment_intent")
    NO_CURRENCY = ("/payload", "payload does not contain currency, schema: stripe_payment_intent")

    @pytest.mark.parametrize("amount", [None, "1500", 15.0, True, [1500]])
    def test_an_amount_that_is_no_integer(self, amount: object) -> None:
        payload = {**INTENT, "amount": amount}
        assert refused({"schema": STRIPE, "payload": payload, "amount": 1500}) == [self.NO_AMOUNT]
        assert code({"schema": STRIPE, "payload": payload, "amount": 1500}) == ["no_amount"]

    @pytest.mark.parametrize("currency", [None, "", 978, ["eur"]])
    def test_a_currency_that_is_no_text(self, currency: object) -> None:
        payload = {**INTENT, "currency": currency}
        assert refused({"schema": STRIPE, "payload": payload, "currency": "EUR"}) == [self.NO_CURRENCY]

    def test_a_payload_without_both(self) -> None:
        assert refused({"schema": STRIPE, "payload": {}, "amount": 1}) == [self.NO_AMOUNT, self.NO_CURRENCY]

    def test_what_is_extracted_follows_the_rules_too(self) -> None:
        payload = {**INTENT, "amount": 0, "currency": "zzz"}
        assert refused({"schema": STRIPE, "payload": payload}) == [
            ("/amount", "must be positive"),
            ("/currency", "does not exist"),
        ]

    @pytest.mark.parametrize("payload", [None, [], "x"])
    def test_no_payload_to_take_them_from(self, payload: object) -> None:
        message = "can't be blank" if payload is None else "is invalid"
        assert refused({"schema": STRIPE, "payload": payload, "amount": 1}) == [("/payload", message)]

    def test_without_the_schema_nothing_is_taken_from_the_payload(self) -> None:
        assert read(payload=INTENT, amount=7).amount == 7


class TestPayload:
    """Free JSON within limits (design 8)."""

    def test_5120_bytes_are_the_most(self) -> None:
        room = 5120 - len(json.dumps({"k": ""}, separators=(",", ":")))
        assert read(amount=1, payload={"k": "x" * room})
        assert refused({"amount": 1, "payload": {"k": "x" * (room + 1)}}) == [("/payload", "is invalid")]
        assert code({"amount": 1, "payload": {"k": "x" * (room + 1)}}) == ["too_large"]

    @pytest.mark.parametrize(
        "value", ["a\x00", "\x1b[2J", ["a", {"b": "\uffff"}], {"a\x08": 1}, 10**309, [[-(10**309)]]]
    )
    def test_what_no_message_carries(self, value: object) -> None:
        assert refused({"amount": 1, "payload": {"k": value}}) == [("/payload", "is invalid")]

    @pytest.mark.parametrize("number", ["1e400", "-1e400", "[1e999]", '{"a":1e999}'])
    def test_numbers_that_no_double_holds(self, number: str) -> None:
        text = body({"amount": 1, "payload": {"k": "N"}}).decode().replace('"N"', number)
        with pytest.raises(Refused) as refusal:
            parse_action(text.encode(), REF)
        assert [failure.pointer for failure in refusal.value.failures] == ["/action/donation/payload"]

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
    def test_what_is_no_number_in_json(self, number: str) -> None:
        with pytest.raises(Malformed):
            parse_action(body({"amount": 1, "payload": {"k": "N"}}).decode().replace('"N"', number).encode(), REF)

    def test_a_body_is_eight_levels_deep_at_most(self) -> None:
        assert read(amount=1, payload={"k": [[[["deep"]]]]})  # body, action, donation, payload, four lists
        for deeper in ([[[[[]]]]], [[[[{}]]]], {"a": {"b": {"c": {"d": {}}}}}):
            with pytest.raises(Malformed, match="deeper"):
                parse_action(body({"amount": 1, "payload": {"k": deeper}}), REF)

    def test_a_hostile_depth_is_malformed(self) -> None:
        deep = b'{"action":{"actionType":"a","donation":{"amount":1,"payload":' + b'{"a":' * 5000 + b"1" + b"}" * 5003
        with pytest.raises(Malformed):
            parse_action(deep, REF)

    def test_null_booleans_and_empty_parts_are_fine(self) -> None:
        payload = {"a": None, "b": True, "c": [], "d": {}, "": ""}
        assert read(amount=1, payload=payload).payload == payload


class TestTakenApart:
    """What stays with the action, and what only receiving orgs may read."""

    def apart(self, payload: dict[str, Any], **given: Any) -> Donation:
        return donation_of(read(amount=given.pop("amount", 1), payload=payload, **given))

    def test_the_form_of_the_message(self) -> None:
        assert self.apart(INTENT, schema=STRIPE).clear == {
            "schema": STRIPE,
            "payload": {"id": "pi_000", "amount": 1500, "currency": "eur", "status": "succeeded"},
            "amount": 1500,
            "currency": "EUR",
            "frequencyUnit": "one_off",
        }
        assert self.apart(INTENT, schema=STRIPE).rest == {"livemode": False}

    def test_without_a_schema_there_is_no_key_for_it(self) -> None:
        assert "schema" not in self.apart({}).clear

    KEPT_FORMS = (
        [("provider", "stripe"), ("provider", "go-cardless.v2"), ("status", "succeeded"), ("currency", "eur")]
        + [("amount", 1500), ("amount", 15.0), ("amount", -1)]
        + [(key, value) for key in KEPT if key.lower().endswith("id") for value in ("pi_3:4.5-6", "5O19", 77)]
    )

    @pytest.mark.parametrize(("key", "value"), KEPT_FORMS)
    def test_what_stays(self, key: str, value: object) -> None:
        apart = self.apart({key: value})
        assert (apart.clear["payload"], apart.rest) == ({key: value}, {})

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("iban", "SE3550000000054910000003"), ("bic", "ESSESESS"), ("name", "Mara"), ("email", "mara@example.org"),
            ("client_secret", "pi_1_secret_2"), ("billing_details", {"name": "Mara"}), ("Provider", "sepa"),
            ("customer", "cus_1"), ("", "x"), ("amount", "1500"), ("amount", True), ("amount", None),
            ("status", "Mara Lind"), ("status", "x" * 41), ("status", ""), ("provider", {"name": "Mara"}),
            ("provider", "mara@example.org"), ("currency", "euro"), ("currency", 1), ("id", "Mara Lind"),
            ("id", "mara@example.org"), ("id", "SE35 5000 0000"), ("id", "x" * 256), ("id", ["pi_1"]), ("id", True),
            ("id", "pi_1\n"), ("id", "å"), ("orderId", {"id": 1}), ("transactionId", None),
        ],
    )  # fmt: skip
    def test_what_does_not_stay(self, key: str, value: object) -> None:
        apart = self.apart({key: value})
        assert (apart.clear["payload"], apart.rest) == ({}, {key: value})

    @settings(deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from([*KEPT, "iban", "name"]) | st.text(st.characters(codec="utf-8"), max_size=4),
            st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text("ab Ø@1", max_size=9),
            max_size=8,
        )
    )
    def test_nothing_is_lost_and_nothing_is_in_both(self, payload: dict[str, Any]) -> None:
        try:
            apart = self.apart(payload)
        except Refused:
            return  # a control character
        kept = apart.clear["payload"]
        assert isinstance(kept, dict)
        assert {**kept, **apart.rest} == payload
        assert not kept.keys() & apart.rest.keys()
        assert kept.keys() <= KEPT.keys()
        assert not [value for value in kept.values() if isinstance(value, str) and ({" ", "@", "Ø"} & set(value))]


def test_currencies_are_those_of_the_standard() -> None:
    assert {"EUR", "SEK", "CHF", "GBP", "USD", "PLN", "XCG", "ZWG"} <= CURRENCIES
    assert not {"DEM", "HRK", "BGN", "ANG", "ZWL"} & CURRENCIES
    assert len(CURRENCIES) == 178
    assert all(len(currency) == 3 and currency.isalpha() and currency.isupper() for currency in CURRENCIES)
