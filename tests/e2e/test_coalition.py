"""Two orgs run a campaign together, all through the API (docs/coalition.md): keys, invitations, a partner's page, its
launch, and a signature that each of them decrypts with its own key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from examples.consumer import PrivateKeys, Reader
from tests.e2e.people import Person, people
from tests.e2e.site import RUN, SCHEMA
from tests.world import signature
from tools.client import Answer, Client

BEES, BIRDS, CAMPAIGN = f"bees-together-{RUN}", f"birds-together-{RUN}", f"clean-air-{RUN}"
IDA, PER, OLA = (f"{name}.coalition-{RUN}@example.org" for name in ("ida", "per", "ola"))


@pytest.fixture(scope="module")
def everybody(client: Client) -> Iterator[dict[str, Person]]:
    """Three people who have registered and proven their addresses."""
    with people(client) as meet:
        yield {email: meet(email) for email in (IDA, PER, OLA)}


def done(answer: Answer, status: int = 200) -> Any:
    assert answer.status == status, answer.text
    return answer.json


def set_up(who: Person, org: str) -> PrivateKeys:
    """A new org with an active key, whose private part is told this once."""
    done(who.post("/v1/orgs", {"name": org, "title": org.title(), "encryption": "encrypted"}), 201)
    key = done(who.post(f"/v1/orgs/{org}/keys", {"name": "main"}), 201)
    done(who.post(f"/v1/orgs/{org}/keys/{key['id']}/activation"))
    assert "private" not in done(who.get(f"/v1/orgs/{org}/keys/{key['id']}"))
    return PrivateKeys((key["private"],))


def pulled(who: Person, org: str, keys: PrivateKeys) -> dict[str, Any]:
    """The one message in the org's queue, decrypted."""
    [message] = done(who.get(f"/v1/orgs/{org}/queues/deliver/messages?wait=10&lease=30"))["items"]
    attributes = {name: {"StringValue": value} for name, value in message["attributes"].items()}
    received = {"Body": json.dumps(message["body"]), "MessageAttributes": attributes}
    return Reader(SCHEMA, "deliver", keys).read(received).message


def test_from_two_accounts_to_a_signature_that_both_decrypt(client: Client, everybody: dict[str, Person]) -> None:
    ida, per, ola = (everybody[email] for email in (IDA, PER, OLA))
    keys = {BEES: set_up(ida, BEES), BIRDS: set_up(per, BIRDS)}

    # Ida does not work alone.
    invited = done(ida.post(f"/v1/orgs/{BEES}/invitations", {"email": OLA, "role": "campaigner"}), 201)
    assert per.post(f"/v1/account/confirms/{invited['code']}/acceptance", {"email": OLA}).status == 403
    assert done(ola.post(f"/v1/account/confirms/{invited['code']}/acceptance", {"email": OLA}))["org"]["name"] == BEES

    # Bees lead a campaign, and ask birds for a page of their own.
    page = {"name": f"{BEES}/air", "locale": "en"}
    wanted = {"title": "Clean air now", "actionPages": [page]}
    done(ola.put(f"/v1/orgs/{BEES}/campaigns/{CAMPAIGN}", wanted), 201)
    asked = done(ola.post(f"/v1/orgs/{BEES}/partner-invitations", {"email": PER, "page": page["name"]}), 201)
    accepted = done(per.post(f"/v1/orgs/{BIRDS}/confirms/{asked['code']}/acceptance", {"email": PER}))
    copy = accepted["actionPage"]
    assert (copy["name"], copy["live"]) == (f"{BIRDS}/air", False)

    # Going live is for the lead to decide.
    request = done(per.post(f"/v1/orgs/{BIRDS}/join-requests", {"campaign": CAMPAIGN, "message": "ready"}), 202)
    assert "code" not in request
    [waiting] = done(ida.get(f"/v1/orgs/{BEES}/confirms"))["items"]
    assert (waiting["message"], waiting["creator"]) == ("ready", PER)
    assert per.get(f"/v1/orgs/{BEES}/confirms").status == 403
    assert per.post(f"/v1/orgs/{BEES}/confirms/{waiting['code']}/acceptance").status == 403
    assert done(ida.post(f"/v1/orgs/{BEES}/confirms/{waiting['code']}/acceptance"))["status"] == "SUCCESS"

    # Somebody signs on the partner's page, and wants to hear from both.
    signed = client.post(f"/v1/pages/{copy['id']}/actions", signature(opt_in=True, lead_opt_in=True))
    action = done(signed, 201)["actionId"]
    client.wait_until_delivered()
    for who, org in ((ida, BEES), (per, BIRDS)):
        message = pulled(who, org, keys[org])
        assert (message["actionId"], message["contact"]["email"]) == (action, "ida.holm@example.org")
        assert message["org"]["name"] == BIRDS
