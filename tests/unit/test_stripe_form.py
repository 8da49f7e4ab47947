"""How Stripe is asked, and which of its answers may be asked for again (docs/decisions/0008)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.errors import PaymentRefused, ProviderUnavailable
from proca_common.payments.create import shown
from proca_common.payments.stripe import StripeRefused, _may_be_repeated, _refusal, flattened


@pytest.mark.parametrize(
    ("params", "form"),
    [
        ({}, []),
        ({"amount": 1500, "currency": "eur"}, [("amount", "1500"), ("currency", "eur")]),
        ({"automatic_payment_methods": {"enabled": True}}, [("automatic_payment_methods[enabled]", "true")]),
        ({"expand": ("latest_invoice.payment_intent",)}, [("expand[0]", "latest_invoice.payment_intent")]),
        (
            {"items": [{"price_data": {"recurring": {"interval": "month"}}}, {"price": "price_2"}]},
            [("items[0][price_data][recurring][interval]", "month"), ("items[1][price]", "price_2")],
        ),
        ({"metadata": {"a": "", "b": "ü&="}}, [("metadata[a]", ""), ("metadata[b]", "ü&=")]),
    ],
)
def test_parameters_become_a_form(params: dict[str, Any], form: list[tuple[str, str]]) -> None:
    assert list(flattened(params)) == form


@given(st.dictionaries(st.text("abc_", min_size=1), st.text(), max_size=5))
def test_texts_arrive_as_they_were(texts: dict[str, str]) -> None:
    sent = urlencode(list(flattened({"metadata": texts})))
    assert dict(parse_qsl(sent, keep_blank_values=True)) == {f"metadata[{name}]": text for name, text in texts.items()}


@pytest.mark.parametrize(
    ("status", "said", "again"),
    [
        (200, None, False),
        (400, None, False),
        (401, None, False),
        (402, None, False),
        (409, None, True),
        (429, None, True),
        (500, None, True),
        (503, None, True),
        (500, "false", False),
        (400, "true", True),
        (400, "perhaps", False),
    ],
)
def test_what_may_be_asked_again(status: int, said: str | None, *, again: bool) -> None:
    assert _may_be_repeated(status, {} if said is None else {"Stripe-Should-Retry": said}) is again


@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        (402, {"type": "card_error", "code": "card_declined", "message": "no"}, PaymentRefused, "card_declined"),
        (402, {"type": "card_error", "decline_code": "fraudulent", "message": "no"}, PaymentRefused, "fraudulent"),
        (400, {"type": "invalid_request_error", "message": "no"}, StripeRefused, "invalid_request_error"),
        (404, {"type": "invalid_request_error", "code": "resource_missing", "message": "no"}, StripeRefused,
         "resource_missing"),
        (401, {"type": "invalid_request_error", "message": "Invalid API Key provided"}, ProviderUnavailable, None),
        (403, {"type": "invalid_request_error", "message": "no right"}, ProviderUnavailable, None),
        (429, {"type": "api_error", "message": "slower"}, ProviderUnavailable, None),
        (400, {"type": "<script>", "message": "no"}, ProviderUnavailable, None),
        (402, {"type": "card_error"}, ProviderUnavailable, None),
        (402, {}, ProviderUnavailable, None),
    ],
)  # fmt: skip
def test_what_an_error_means(status: int, error: dict[str, Any], kind: type[Exception], code: str | None) -> None:
    refusal = _refusal(status, error)
    assert type(refusal) is kind
    assert getattr(refusal, "code", None) == code


def test_nothing_of_a_person_is_shown() -> None:
    invoice = {"id": "in_1", "customer_email": "ida@example.org", "lines": {"data": [{"id": "il_1"}]}}
    made = {
        "id": "sub_1",
        "latest_invoice": invoice,
        "items": {"data": []},
        "metadata": {"a": "b"},
        "customer": "cus_1",
    }
    assert shown(made) == {"id": "sub_1", "latest_invoice": {"id": "in_1"}, "customer": "cus_1"}
    assert shown({"id": "cus_1", "email": "ida@example.org", "name": "Ida", "address": {"city": "x"}}) == {
        "id": "cus_1"
    }
