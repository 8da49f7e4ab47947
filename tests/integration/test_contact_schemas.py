"""A campaign's contact schema decides what is asked, stored, counted and sent (domain 2)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.world import World

URS = {"firstName": "Urs", "email": "urs@localhost", "address": {"postcode": "3011"}}
MARIA = {
    "firstName": "Maria",
    "lastName": "Huber",
    "email": "maria@example.org",
    "nationality": {"country": "at", "documentType": "passport", "documentNumber": "R 1234567"},
}
GIULIA = {
    "firstName": "Giulia",
    "lastName": "Rossi",
    "birthDate": "1985-11-30",
    "nationality": {"country": "IT", "documentType": "passport", "documentNumber": "AA1234567"},
    "address": {"country": "IT", "locality": "Bolzano", "postcode": "39100", "street": "Via dei Bottai"},
}


@pytest.mark.parametrize("key", [True, False])
@pytest.mark.parametrize(
    ("schema", "contact", "area", "payload"),
    [
        ("popular_initiative", URS, None, {"firstName": "Urs", "email": "urs@localhost", "postcode": "3011"}),
        (
            "eci",
            MARIA,
            "AT",
            {
                "firstName": "Maria",
                "lastName": "Huber",
                "area": "AT",
                "nationality": {"country": "AT", "documentType": "passport", "documentNumber": "R1234567"},
            },
        ),
        (
            "it_ci",
            GIULIA,
            "Trentino-Alto Adige/Südtirol",
            {
                "firstName": "Giulia",
                "lastName": "Rossi",
                "birthDate": "1985-11-30",
                "country": "IT",
                "postcode": "39100",
                "city": "Bolzano",
                "street": "Via dei Bottai",
                "area": "Trentino-Alto Adige/Südtirol",
                "nationality": {"country": "IT", "documentType": "passport", "documentNumber": "AA1234567"},
            },
        ),
    ],
)
def test_a_signature_arrives_as_its_schema_stores_it(
    world: World, schema: str, contact: dict[str, Any], area: str | None, payload: dict[str, Any], key: bool
) -> None:
    org = world.org("ngo", key=key)
    page = world.page(org, world.campaign(org, contact_schema=schema))
    answer = world.sign(page, contact=contact)
    assert answer.status == 201
    world.run()
    [message] = world.messages(org)
    assert message["campaign"]["contactSchema"] == schema
    known = {"email": None, "area": None, "contactRef": answer.contact_ref, "dupeRank": 0}
    assert message["contact"] == known | payload
    areas = {} if area is None else {f"area:{area}": 1}
    assert world.numbers(page.campaign) == {"persons:total": 1, f"org:{org.id}": 1, "type:register": 1, **areas}


def test_an_age_is_that_of_today(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org, world.campaign(org, contact_schema="eci"))
    today = datetime.fromtimestamp(world.now_ms() / 1000, UTC).date()
    # Austrians sign from sixteen on. Nobody is born on 29 February here, whatever day this runs.
    born = today.replace(year=today.year - 16, day=min(today.day, 28))
    too_young = world.sign(page, contact={**MARIA, "birthDate": str(born.replace(year=born.year + 1))})
    assert too_young.status == 422
    assert too_young.codes == [("/contact/birthDate", "age")]
    assert world.sign(page, contact={**MARIA, "birthDate": str(born)}).status == 201


def test_the_same_document_is_the_same_person(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org, world.campaign(org, contact_schema="eci"))
    first, second = world.sign(page, contact=MARIA), world.sign(page, contact={**MARIA, "lastName": "Other"})
    assert first.contact_ref == second.contact_ref
    world.run()
    assert world.numbers(page.campaign)["persons:total"] == 1
