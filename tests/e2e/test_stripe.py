"""A widget lets somebody give money: from the request for a payment to the donation in the org's queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.site import Ngo, Page, Site
from tests.stripe import Failure, StripeStub, stripe_stub
from tools.emulator import Emulator

MONTHLY = {"amount": 500, "currency": "EUR", "frequencyUnit": "monthly"}
KEY = {"Idempotency-Key": "one-donation"}


@pytest.fixture
def stub(local: Emulator) -> Iterator[StripeStub]:
    """Functions of the local stack can reach it."""
    assert local
    with stripe_stub() as made:
        yield made


@pytest.fixture
def org(site: Site, stub: StripeStub) -> Ngo:
    """An org with Stripe."""
    made = site.org()
    site.client.admin("service", "add", made.name, "stripe", "--host", stub.url, typed=stub.key)
    return made


@pytest.fixture
def page(site: Site, org: Ngo) -> Page:
    return site.page(org)


def test_a_monthly_donation_from_stripe_to_the_orgs_queue(site: Site, org: Ngo, page: Page, stub: StripeStub) -> None:
    stub.fail(Failure(503))
    path = f"/v1/pages/{page.id}/stripe/subscriptions"
    asked = site.client.post(path, MONTHLY, KEY)
    again = site.client.post(path, MONTHLY, KEY)

    assert asked.status == 201, asked.text
    assert asked.json["latest_invoice"]["payment_intent"]["client_secret"] == "pi_1_secret_x"
    assert again.json == asked.json
    assert again.headers["idempotent-replay"] == "true"
    assert [made["object"] for made in stub.made] == ["customer", "price", "subscription"], "and nothing twice"

    payload = {"provider": "stripe", "subscriptionId": asked.json["id"], "customer": {"name": "Ida Holm"}}
    donation = {**MONTHLY, "payload": payload}
    site.sign(page, action={"actionType": "donate", "donation": donation})
    site.client.wait_until_delivered()
    [message] = site.messages(org)
    assert message["action"]["donation"]["payload"] == payload, "the org reads all of it"


def test_what_an_operator_sees_of_it(site: Site, org: Ngo, stub: StripeStub) -> None:
    [service] = site.client.admin("service", "list", org.name)
    assert (service["name"], service["host"], service["password"]) == ("stripe", stub.url, True)
    assert stub.key not in str(service)


def test_an_org_without_stripe(site: Site) -> None:
    answer = site.client.post(f"/v1/pages/{site.page(site.org()).id}/stripe/payment-intents", MONTHLY)
    assert answer.status == 422, "it is no single payment"
    answer = site.client.post(f"/v1/pages/{site.page(site.org()).id}/stripe/subscriptions", MONTHLY)
    assert (answer.status, answer.json["detail"]) == (404, "Action Page does not support Stripe")
