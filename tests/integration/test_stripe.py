"""What a widget may create at Stripe in the name of an org: what Stripe is sent, and what becomes of its answers
(domain 13.9).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.aws.logs import logger
from proca_common.orgs import services
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.payments import stripe as client
from tests.harness.calls import calls
from tests.harness.context import LambdaContext
from tests.stripe import CARD_DECLINED, KEY, Asked, Failure, StripeStub, stripe_stub
from tests.world import Answer, World, api_event, function

CUSTOMER = {"name": "Ida Holm", "email": "ida@example.org", "address": {"country": "DK", "postal_code": "2100"}}
MONTHLY = {
    "unit_amount": 500,
    "currency": "eur",
    "product_data": {"name": "donation"},
    "recurring": {"interval": "month", "interval_count": 1},
}
INTENT = {"amount": 1500, "currency": "EUR"}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStub]:
    monkeypatch.setattr(clock, "sleep_ms", lambda _: None)
    with stripe_stub() as made:
        yield made
        client._pool().clear()


@pytest.fixture
def org(world: World) -> Org:
    return world.org("ngo")


@pytest.fixture
def page(world: World, org: Org, stub: StripeStub) -> ActionPage:
    """A page whose org has Stripe."""
    services.add(org.id, ServiceInput(name=ServiceName.STRIPE, host=stub.url), KEY)
    return world.page(org, name="ngo/donate")


def pay(world: World, page: ActionPage, kind: str = "payment-intents", key: str = "", **body: Any) -> Answer:
    return world.post(f"/v1/pages/{page.id}/stripe/{kind}", body, {"Idempotency-Key": key} if key else None)


def metadata(asked: Asked) -> dict[str, str]:
    return {name[9:-1]: value for name, value in asked.form.items() if name.startswith("metadata[")}


class TestPaymentIntent:
    def test_stripe_is_asked_for_one(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        answer = pay(world, page, **INTENT, paymentMethodTypes=["card", "sepa_debit"], contactRef="bm90X3lldF9rbm93bg")

        assert answer.status == 201, answer.body
        [asked] = stub.asked
        assert asked.path == "/v1/payment_intents"
        assert asked.headers["Authorization"] == f"Bearer {KEY}"
        assert asked.headers["Stripe-Version"] == client.VERSION
        assert metadata(asked) == {
            "actionPageName": "ngo/donate",
            "actionPageId": str(page.id),
            "campaignName": "bees",
            "contactRef": "bm90X3lldF9rbm93bg",
        }
        sent = {name: value for name, value in asked.form.items() if "metadata" not in name}
        assert sent == {
            "amount": "1500",
            "currency": "eur",
            "payment_method_types[0]": "card",
            "payment_method_types[1]": "sepa_debit",
        }

    def test_the_widget_gets_what_it_pays_with_and_no_more(self, world: World, page: ActionPage) -> None:
        assert pay(world, page, **INTENT).body == {
            "id": "pi_1",
            "object": "payment_intent",
            "livemode": False,
            "amount": 1500,
            "currency": "eur",
            "status": "requires_payment_method",
            "client_secret": "pi_1_secret_x",
        }

    @pytest.mark.parametrize(
        ("given", "codes"),
        [
            ({"amount": 0, "currency": "EUR"}, [("/amount", "not_positive")]),
            ({"amount": -5, "currency": "EUR"}, [("/amount", "not_positive")]),
            ({"amount": 2**53, "currency": "EUR"}, [("/amount", "too_large")]),
            ({"amount": 1.5, "currency": "EUR"}, [("/amount", "invalid")]),
            ({"amount": "1500", "currency": "EUR"}, [("/amount", "invalid")]),
            ({"amount": 1500, "currency": "EURO"}, [("/currency", "format")]),
            ({"amount": 1500, "currency": "XYZ"}, [("/currency", "unknown_currency")]),
            ({}, [("/amount", "blank"), ("/currency", "blank")]),
            ({**INTENT, "confirm": True}, [("/confirm", "unknown_field")]),
            ({**INTENT, "contactRef": "a"}, [("/contactRef", "base64url")]),
            ({**INTENT, "paymentMethodTypes": ["CARD!"]}, [("/paymentMethodTypes/0", "invalid")]),
        ],
    )
    def test_what_is_wrong_is_refused_before_stripe_is_asked(
        self, world: World, page: ActionPage, stub: StripeStub, given: dict[str, Any], codes: list[tuple[str, str]]
    ) -> None:
        answer = pay(world, page, **given)
        assert (answer.status, answer.codes) == (422, codes)
        assert not stub.asked


class TestSubscription:
    @pytest.mark.parametrize(("unit", "interval"), [("weekly", "week"), ("monthly", "month")])
    def test_customer_and_price_come_first(
        self, world: World, page: ActionPage, stub: StripeStub, unit: str, interval: str
    ) -> None:
        answer = pay(world, page, "subscriptions", **INTENT, frequencyUnit=unit, contactRef="bm90X3lldF9rbm93bg")

        assert answer.status == 201, answer.body
        assert [asked.kind for asked in stub.asked] == ["customers", "prices", "subscriptions"]
        customer, price, subscription = stub.asked
        assert metadata(customer)["contactRef"] == "bm90X3lldF9rbm93bg"
        assert price.form["unit_amount"] == "1500"
        assert price.form["currency"] == "eur"
        assert price.form["recurring[interval]"] == interval
        assert price.form["product_data[name]"] == "Donation"
        assert subscription.form["customer"] == "cus_1"
        assert subscription.form["items[0][price]"] == "price_2"
        assert subscription.form["payment_behavior"] == "default_incomplete"
        assert subscription.form["expand[0]"] == "latest_invoice.payment_intent"

    def test_the_widget_gets_what_it_pays_with_and_nothing_of_the_invoice(self, world: World, page: ActionPage) -> None:
        body = pay(world, page, "subscriptions", **INTENT, frequencyUnit="monthly").body
        assert (body["id"], body["status"], body["customer"]) == ("sub_3", "incomplete", "cus_1")
        assert body["latest_invoice"]["payment_intent"]["client_secret"] == "pi_1_secret_x"
        assert "ida@example.org" not in str(body)

    @pytest.mark.parametrize("unit", ["daily", "one_off", "", None, 1])
    def test_no_other_frequency(self, world: World, page: ActionPage, unit: object) -> None:
        answer = pay(world, page, "subscriptions", **INTENT, frequencyUnit=unit)
        assert [pointer for pointer, _ in answer.codes] == ["/frequencyUnit"]


class TestObjects:
    def test_a_customer_is_put_into_the_payment_intent(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        intent = {**INTENT, "setup_future_usage": "off_session", "metadata": {"campaignName": "other", "form": "b"}}
        answer = pay(world, page, "objects", paymentIntent=intent, customer=CUSTOMER)

        assert (answer.status, answer.body["id"], answer.body["customer"]) == (201, "pi_2", "cus_1")
        customer, intent_asked = stub.asked
        assert customer.form["address[postal_code]"] == "2100"
        assert intent_asked.form["customer"] == "cus_1"
        assert intent_asked.form["setup_future_usage"] == "off_session"
        assert metadata(intent_asked)["campaignName"] == "bees", "ours are not to be changed"
        assert metadata(intent_asked)["form"] == "b"

    def test_customer_and_price_are_put_into_the_subscription(
        self, world: World, page: ActionPage, stub: StripeStub
    ) -> None:
        answer = pay(world, page, "objects", price=MONTHLY, customer=CUSTOMER, subscription={})

        assert answer.body["id"] == "sub_3"
        assert [asked.kind for asked in stub.asked] == ["customers", "prices", "subscriptions"]
        assert stub.asked[2].form["customer"] == "cus_1"
        assert stub.asked[2].form["items[0][price]"] == "price_2"

    def test_a_subscription_of_a_customer_that_is_there_with_a_price_of_its_own(
        self, world: World, page: ActionPage, stub: StripeStub
    ) -> None:
        price = {"unit_amount": 500, "currency": "eur", "product": "prod_7", "recurring": {"interval": "month"}}
        given = {
            "customer": "cus_7",
            "items": [{"price_data": price}],
            "payment_behavior": "default_incomplete",
            "expand": ["latest_invoice.payment_intent"],
        }
        assert pay(world, page, "objects", subscription=given).status == 201
        assert stub.asked[0].form["items[0][price_data][recurring][interval]"] == "month"

    @pytest.mark.parametrize(
        ("given", "identifier"), [({"customer": CUSTOMER}, "cus_1"), ({"price": MONTHLY}, "price_1")]
    )
    def test_one_alone(self, world: World, page: ActionPage, given: dict[str, Any], identifier: str) -> None:
        answer = pay(world, page, "objects", **given)
        assert (answer.status, answer.body["id"]) == (201, identifier)
        assert "email" not in answer.body

    @pytest.mark.parametrize(
        ("given", "codes"),
        [
            ({}, [("", "blank")]),
            ({"paymentIntent": None, "customer": None}, [("", "blank")]),
            ({"paymentIntent": INTENT, "subscription": {}},
             [("/subscription", "invalid"), ("/subscription/customer", "blank"), ("/subscription/items", "blank")]),
            ({"paymentIntent": INTENT, "price": MONTHLY}, [("/price", "invalid")]),
            ({"price": {"unit_amount": 1, "currency": "eur"}}, [("/price/product", "blank")]),
            ({"paymentIntent": {"amount": 0, "currency": "eur"}}, [("/paymentIntent/amount", "not_positive")]),
            ({"price": {**MONTHLY, "currency": "zzz"}}, [("/price/currency", "unknown_currency")]),
            ({"subscription": {"customer": "cus_1", "items": [{}]}}, [("/subscription/items/0", "invalid")]),
            ({"customer": {**CUSTOMER, "metadata": {"a": {"b": 1}}}}, [("/customer/metadata", "invalid")]),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_together_is_refused(
        self, world: World, page: ActionPage, stub: StripeStub, given: dict[str, Any], codes: list[tuple[str, str]]
    ) -> None:
        answer = pay(world, page, "objects", **given)
        assert (answer.status, answer.codes) == (422, codes)
        if not given:
            assert answer.body["errors"][0]["message"] == "Provide Stripe objects to create"
        assert not stub.asked

    @pytest.mark.parametrize(
        ("kind", "field", "value"),
        [
            ("paymentIntent", "confirm", True),
            ("paymentIntent", "off_session", True),
            ("paymentIntent", "payment_method", "pm_1"),
            ("paymentIntent", "transfer_data", {"destination": "acct_1"}),
            ("paymentIntent", "application_fee_amount", 1),
            ("paymentIntent", "on_behalf_of", "acct_1"),
            ("paymentIntent", "expand", ["customer"]),
            ("subscription", "default_payment_method", "pm_1"),
            ("subscription", "trial_end", 1),
            ("subscription", "coupon", "free"),
            ("subscription", "collection_method", "send_invoice"),
            ("customer", "balance", -1000),
            ("customer", "source", "tok_1"),
            ("customer", "invoice_settings", {}),
            ("price", "lookup_key", "a"),
        ],
    )
    def test_what_could_charge_or_give_away_is_no_field(
        self, world: World, page: ActionPage, stub: StripeStub, kind: str, field: str, value: object
    ) -> None:
        sound = {
            "paymentIntent": INTENT,
            "subscription": {"customer": "cus_1", "items": [{"price": "p"}]},
            "customer": CUSTOMER,
            "price": MONTHLY,
        }
        answer = pay(world, page, "objects", **{kind: {**sound[kind], field: value}})  # type: ignore[dict-item]
        assert answer.codes == [(f"/{kind}/{field}", "unknown_field")]
        assert not stub.asked

    @pytest.mark.parametrize("behaviour", ["allow_incomplete", "error_if_incomplete"])
    def test_no_subscription_begins_without_a_payment(self, world: World, page: ActionPage, behaviour: str) -> None:
        given = {"customer": "cus_1", "items": [{"price": "p"}], "payment_behavior": behaviour}
        answer = pay(world, page, "objects", subscription=given)
        assert answer.codes == [("/subscription/payment_behavior", "invalid")]


class TestService:
    def test_an_org_without_stripe(self, world: World, stub: StripeStub) -> None:
        answer = pay(world, world.page(world.org("without")), **INTENT)
        assert (answer.status, answer.body["detail"]) == (404, "Action Page does not support Stripe")
        assert not stub.asked

    def test_tests_are_made_with_the_service_for_tests(
        self, world: World, org: Org, page: ActionPage, stub: StripeStub
    ) -> None:
        assert pay(world, page, **INTENT, testing=True).status == 404
        services.add(org.id, ServiceInput(name=ServiceName.TEST_STRIPE, host=stub.url), "sk_test_another")
        stub.key = "sk_test_another"
        assert pay(world, page, **INTENT, testing=True).status == 201

    def test_the_key_is_that_of_the_pages_org_not_of_the_lead(self, world: World, org: Org, stub: StripeStub) -> None:
        services.add(org.id, ServiceInput(name=ServiceName.STRIPE, host=stub.url), KEY)
        partner = world.org("partner")
        assert pay(world, world.page(partner, world.campaign(org)), **INTENT).status == 404

    def test_an_unknown_page(self, world: World, page: ActionPage) -> None:
        assert world.post("/v1/pages/404/stripe/payment-intents", INTENT).status == 404
        assert world.post(f"/v1/pages/{page.id}/stripe/refunds", INTENT).status == 404

    def test_a_warm_request_asks_the_catalogue_once(self, world: World, page: ActionPage) -> None:
        pay(world, page, **INTENT)
        with calls() as recorded:
            pay(world, page, **INTENT)
        assert recorded.operations == ["Query"]

    @pytest.mark.parametrize("password", ["", "with space", "ключ", "sk_wrong"])
    def test_a_key_that_stripe_does_not_take_is_no_fault_of_ours(
        self, world: World, org: Org, page: ActionPage, stub: StripeStub, password: str
    ) -> None:
        world.ahead_ms += 1
        services.add(org.id, ServiceInput(name=ServiceName.STRIPE, host=stub.url), password)
        answer = pay(world, page, **INTENT)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert "Invalid API Key" not in str(answer.body)
        assert "sk_test" not in str(answer.body)

    def test_a_network_at_its_cap_creates_nothing(self, world: World, org: Org, page: ActionPage) -> None:
        guarded = world.campaign(org, "guarded", guards={"network_cap": {"burst": 2, "sustained": 2}})
        capped = world.page(org, guarded)
        statuses = [pay(world, capped, **INTENT).status for _ in range(4)]
        assert statuses == [201, 201, 429, 429]
        assert pay(world, page, **INTENT).status == 201, "another campaign's"


class TestOnce:
    def test_a_repeated_request_creates_nothing_twice(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        body: dict[str, Any] = {**INTENT, "frequencyUnit": "monthly"}
        first = pay(world, page, "subscriptions", key="a-key", **body)
        again = pay(world, page, "subscriptions", key="a-key", **body)

        assert again.body == first.body
        assert "Idempotent-Replay" not in first.headers
        assert again.headers["Idempotent-Replay"] == "true"
        assert len(stub.made) == 3
        keys = [asked.idempotency_key for asked in stub.asked]
        assert keys[:3] == keys[3:]
        assert len(set(keys)) == 3, "each object has its own"
        assert all(key.endswith("-a-key") for key in keys)

    def test_another_request_under_the_same_key_is_refused(self, world: World, page: ActionPage) -> None:
        pay(world, page, key="a-key", **INTENT)
        answer = pay(world, page, key="a-key", **{**INTENT, "amount": 20})
        assert answer.codes == [("", "idempotency_key")]

    def test_another_page_is_another_request(self, world: World, org: Org, page: ActionPage) -> None:
        other = world.page(org, world.campaign(org, "other"))
        assert pay(world, page, key="1", **INTENT).body["id"] != pay(world, other, key="1", **INTENT).body["id"]

    def test_without_a_key_each_request_is_its_own(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        assert pay(world, page, **INTENT).body["id"] != pay(world, page, **INTENT).body["id"]
        assert len({asked.idempotency_key for asked in stub.asked}) == 2

    @pytest.mark.parametrize(
        "failure",
        [
            Failure(500),
            Failure(503),
            Failure(429, {"type": "invalid_request_error", "code": "lock_timeout", "message": "locked"}),
            Failure(409, {"type": "idempotency_error", "message": "in use"}),
            Failure(400, headers={"Stripe-Should-Retry": "true"}),
            Failure(drop=True, late=True),
            Failure(200, pause_s=1.5, late=True),
        ],
    )
    def test_what_may_pass_is_tried_again_under_the_same_key(
        self, world: World, page: ActionPage, stub: StripeStub, failure: Failure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "READ_TIMEOUT_S", 1)
        stub.fail(failure, failure)
        assert pay(world, page, **INTENT).status == 201
        assert len(stub.asked) == 3
        assert len({asked.idempotency_key for asked in stub.asked}) == 1
        assert len(stub.made) == 1

    def test_three_tries_and_no_more(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        stub.fail(*[Failure(500)] * 5)
        answer = pay(world, page, **INTENT)
        assert (answer.status, len(stub.asked)) == (503, 3)
        assert answer.body["detail"] == "the payment service does not answer, try again later"

    def test_stripe_may_say_not_to_try_again(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        stub.fail(Failure(500, headers={"Stripe-Should-Retry": "false"}))
        assert (pay(world, page, **INTENT).status, len(stub.asked)) == (503, 1)

    @pytest.mark.parametrize("remaining_ms", [900, 1_500])
    def test_it_ends_before_the_function_does(self, page: ActionPage, stub: StripeStub, remaining_ms: int) -> None:
        stub.fail(*[Failure(pause_s=1)] * 3)
        event = api_event(
            "POST",
            f"/v1/pages/{page.id}/stripe/payment-intents",
            '{"amount":1,"currency":"EUR"}',
            {"Content-Type": "application/json"},
        )
        context = LambdaContext("CreateStripeObjectFunction", remaining_ms=remaining_ms)
        assert function("CreateStripeObjectFunction")(event, context)["statusCode"] == 503
        assert bool(stub.asked) is (remaining_ms > client.RESERVE_MS)

    def test_nobody_listens(self, world: World, org: Org) -> None:
        services.add(org.id, ServiceInput(name=ServiceName.STRIPE, host="http://127.0.0.1:9"), KEY)
        assert pay(world, world.page(org), **INTENT).status == 503


class TestRefusals:
    def test_a_declined_card(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        stub.fail(Failure(402, {**CARD_DECLINED, "decline_code": "insufficient_funds"}))
        answer = pay(world, page, **INTENT)
        assert answer.status == 402
        assert answer.body["type"] == "urn:proca:problem:payment-refused"
        assert answer.body["detail"] == "Your card was declined."
        assert answer.body["providerCode"] == "insufficient_funds"

    @pytest.mark.parametrize(
        ("kind", "body", "error", "pointer"),
        [
            ("payment-intents", INTENT, {"code": "amount_too_small", "param": "amount"}, "/amount"),
            ("payment-intents", INTENT, {"param": "payment_method_types[0]"}, "/paymentMethodTypes"),
            ("payment-intents", INTENT, {"param": {"not": "a text"}}, ""),
            ("subscriptions", {**INTENT, "frequencyUnit": "weekly"}, {"param": "email"}, ""),
            ("objects", {"paymentIntent": INTENT}, {"param": "amount"}, "/paymentIntent/amount"),
            ("objects", {"customer": CUSTOMER}, {"code": "email_invalid", "param": "email"}, "/customer/email"),
            ("objects", {"customer": CUSTOMER}, {"param": "address[country]"}, "/customer/address/country"),
        ],
    )  # fmt: skip
    def test_what_stripe_finds_wrong_is_told_in_its_words(
        self, world: World, page: ActionPage, stub: StripeStub, kind: str, body: Any, error: Any, pointer: str
    ) -> None:
        stub.fail(Failure(400, {"type": "invalid_request_error", "message": "Stripe says why", **error}))
        answer = pay(world, page, kind, **body)
        assert answer.status == 422
        assert answer.body["errors"] == [{"pointer": pointer, "code": "payment", "message": "Stripe says why"}]
        assert answer.body["providerCode"] == error.get("code", "invalid_request_error")

    @pytest.mark.parametrize("status", [200, 201, 302, 400, 402, 404, 418])
    def test_an_answer_that_nobody_understands_is_no_fault_of_ours(
        self, world: World, page: ActionPage, stub: StripeStub, status: int
    ) -> None:
        stub.fail(Failure(status), Failure(status), Failure(status))
        assert pay(world, page, **INTENT).status == 503

    def test_a_customer_that_is_refused_ends_it(self, world: World, page: ActionPage, stub: StripeStub) -> None:
        stub.fail(Failure(400, {"type": "invalid_request_error", "message": "no", "param": "email"}))
        pay(world, page, "objects", paymentIntent=INTENT, customer=CUSTOMER)
        assert [asked.kind for asked in stub.asked] == ["customers"]


def test_no_log_line_has_a_key_or_what_was_said(
    world: World, page: ActionPage, stub: StripeStub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stub.fail(Failure(400, {"type": "invalid_request_error", "message": "No such address: ida@example.org"}))
    pay(world, page, "objects", customer=CUSTOMER)
    stub.fail(Failure(402, CARD_DECLINED))
    pay(world, page, **INTENT)
    stub.fail(*[Failure(drop=True)] * 3)
    pay(world, page, "objects", customer=CUSTOMER)
    stub.key = "another"
    pay(world, page, "objects", customer=CUSTOMER)

    lines = [str(vars(record)) for record in caplog.records if record.name == logger.name or "urllib3" in record.name]
    logged = " ".join(lines)
    assert "stripe refused" in logged
    assert "stripe does not answer" in logged
    for secret in (KEY, "sk_test", "ida@example.org", "Ida Holm", "declined.", "client_secret"):
        assert secret not in logged
