"""Keys through the management API: shown once, activated, ended; what was stored before (domain 6.3, design 7.3)."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any

import pytest
from nacl.public import PrivateKey

from proca_common.actions.store import ContactItem
from proca_common.orgs import encryption
from proca_common.orgs import store as orgs
from proca_common.orgs.encryption import from_text, to_text
from proca_common.orgs.org import Org
from proca_common.stages import encrypt_later
from proca_common.users.permissions import Role
from tests.desks import NOBODY, Desk, desk
from tests.harness.context import LambdaContext
from tests.harness.faults import faults, throttle
from tests.world import World, function

KEYS = "/v1/orgs/bees/keys"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders come without waiting for the moment at which a key holds everywhere."""
    monkeypatch.setattr(encrypt_later, "DELAY_S", 0)


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees", key=False)


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def activated(who: Desk) -> dict[str, Any]:
    """A new key that is active."""
    key: dict[str, Any] = who.post(KEYS, {"name": "crm"}).body
    assert who.post(f"{KEYS}/{key['id']}/activation").status == 200
    return key


def work(world: World, *, remaining_ms: int = 300_000) -> int:
    """Let the function work on what was ordered; how many orders there were."""
    found = world.orders("encrypt_contacts")
    for order in found:
        event = {"Records": [{"messageId": "1", "body": json.dumps(order)}]}
        context = LambdaContext("EncryptContactsFunction", 300, remaining_ms=remaining_ms)
        assert function("EncryptContactsFunction")(event, context) == {"batchItemFailures": []}
    return len(found)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def forms(world: World) -> list[str]:
    return [next(form for form in ("clear", "sealed", "payload") if form in contact) for contact in world.items("C#")]


class TestMaking:
    def test_a_pair_is_shown_once(self, world: World, ida: Desk) -> None:
        made = ida.post(KEYS, {"name": "crm 2026"})
        assert made.status == 201
        private = made.body.pop("private")
        assert to_text(bytes(PrivateKey(from_text(private)).public_key)) == made.body["public"]
        assert (made.body["active"], made.body["expired"]) == (False, False)
        assert ida.get(made.headers["Location"]).body == made.body
        assert ida.everything(KEYS) == [made.body]
        assert private not in json.dumps(ida.everything("/v1/orgs/bees/audit"))
        assert private not in str(world.tables.all_items("CatalogTable"))
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["action"], entry["after"]["public"]) == ("key.generate", made.body["public"])

    def test_one_of_ones_own(self, ida: Desk) -> None:
        public = to_text(encryption.generate()[0])
        made = ida.post(KEYS, {"name": "own", "public": public})
        assert (made.status, made.body["public"], "private" in made.body) == (201, public, False)

    @pytest.mark.parametrize(
        ("public", "message"),
        [
            ("###", "Cannot decode public key using Base64"),
            ("AAAA", "must by 256 bits"),
            (to_text(bytes(32)), "public is invalid"),
        ],
    )
    def test_what_is_no_key(self, ida: Desk, public: str, message: str) -> None:
        answer = ida.post(KEYS, {"name": "own", "public": public})
        assert (answer.status, answer.codes) == (422, [("/public", "format")])
        assert answer.body["errors"][0]["message"] == message

    def test_all_failed_rules_are_told_at_once(self, ida: Desk) -> None:
        answer = ida.post(KEYS, {"public": 7, "private": "x"})
        assert sorted(answer.codes) == [("/name", "blank"), ("/private", "unknown_field"), ("/public", "invalid")]

    def test_the_newest_first_in_parts(self, ida: Desk) -> None:
        made = [ida.post(KEYS, {"name": str(number)}).body["id"] for number in range(5)]
        assert [key["id"] for key in ida.everything(KEYS, limit="2")] == made[::-1]


class TestActivating:
    def test_says_when_it_holds_everywhere(self, world: World, org: Org, ida: Desk) -> None:
        key = ida.post(KEYS, {"name": "crm"}).body
        before = world.seconds()
        answer = ida.post(f"{KEYS}/{key['id']}/activation")
        assert (answer.status, answer.body["active"]) == (200, True)
        assert before + 60 <= moment(answer.body["holdsEverywhereAt"]) <= world.seconds() + 61
        assert orgs.get(org.id).encryption == "encrypted"
        assert ida.get("/v1/orgs/bees").body["activeKey"] == key["id"]
        newest = ida.everything("/v1/orgs/bees/audit")[0]
        assert (newest["action"], newest["object"]) == ("key.activate", f"key#{key['id']}")
        assert newest["before"] == {"activeKey": None, "encryption": "clear"}

    def test_another_version_of_the_org(self, ida: Desk) -> None:
        seen = {"If-Match": ida.get("/v1/orgs/bees").headers["ETag"]}
        activated(ida)
        assert ida.patch("/v1/orgs/bees", {"title": "New"}, seen).status == 412

    def test_only_one_is_active(self, ida: Desk) -> None:
        first, second = activated(ida), activated(ida)
        assert [(key["id"], key["active"]) for key in ida.everything(KEYS)] == [
            (second["id"], True),
            (first["id"], False),
        ]

    def test_what_was_stored_before_is_encrypted(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        world.sign(page)
        world.sign(page, email="ola@example.org")
        assert forms(world) == ["clear", "clear"]
        activated(ida)
        assert work(world) == 1
        assert forms(world) == ["payload", "payload"]

    def test_what_does_not_fit_into_one_run_goes_into_another(
        self, world: World, org: Org, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = world.page(org)
        for number in range(4):
            world.sign(page, email=f"ola{number}@example.org")
        activated(ida)
        scan = ContactItem.scan
        monkeypatch.setattr(ContactItem, "scan", lambda **given: scan(**given, page_size=5))
        runs = 0
        while work(world, remaining_ms=1_000):
            runs += 1
        assert runs > 2
        assert set(forms(world)) == {"payload"}

    def test_an_order_that_comes_to_nothing_does_nothing(self, world: World, org: Org) -> None:
        world.sign(world.page(org))
        encrypt_later.order(os.environ["ENCRYPT_CONTACTS_QUEUE_URL"], org.id)
        assert work(world) == 1
        assert forms(world) == ["clear"]

    def test_without_an_order_no_key_becomes_active(self, ida: Desk, org: Org) -> None:
        key = ida.post(KEYS, {"name": "crm"}).body
        with faults(throttle("sqs", nth=None)):
            assert ida.post(f"{KEYS}/{key['id']}/activation").status == 503
        assert orgs.get(org.id).active_key is None

    def test_a_key_of_others_is_none(self, world: World, ida: Desk) -> None:
        world.org("trees")
        ola = desk("ola@example.org", trees=Role.OWNER)
        key = ida.post(KEYS, {"name": "crm"}).body["id"]
        for verb in ("activation", "expiry"):
            assert ola.post(f"/v1/orgs/trees/keys/{key}/{verb}").status == 404
        assert ola.get(f"/v1/orgs/trees/keys/{key}").status == 404
        assert ola.get(f"{KEYS}/{key}").status == 403


class TestEnding:
    def test_an_expired_key_is_never_used_again(self, org: Org, ida: Desk) -> None:
        key = activated(ida)
        answer = ida.post(f"{KEYS}/{key['id']}/expiry")
        assert (answer.status, answer.body["expired"], answer.body["active"]) == (200, True, False)
        assert orgs.get(org.id).encryption == "encrypted"
        refused = ida.post(f"{KEYS}/{key['id']}/activation")
        assert (refused.status, refused.body["detail"]) == (403, "Public key expired")
        assert ida.everything("/v1/orgs/bees/audit")[0]["after"] == {"expired": True}

    @pytest.mark.parametrize("body", [{}, {"toClearText": False}, {"toClearText": None}])
    def test_clear_text_has_to_be_said(self, org: Org, ida: Desk, body: dict[str, Any]) -> None:
        activated(ida)
        answer = ida.delete(f"{KEYS}/active", body)
        assert (answer.status, answer.codes) == (422, [("/toClearText", "invalid")])
        assert orgs.get(org.id).active_key is not None

    def test_clear_text(self, org: Org, ida: Desk) -> None:
        activated(ida)
        assert ida.delete(f"{KEYS}/active", {"toClearText": True}).status == 204
        known = orgs.get(org.id)
        assert (known.active_key, known.encryption) == (None, "clear")
        assert ida.everything("/v1/orgs/bees/audit")[0]["action"] == "key.deactivate"


class TestWho:
    def test_roles(self, ida: Desk) -> None:
        key = ida.post(KEYS, {"name": "crm"}).body["id"]
        for role, may in ((Role.CAMPAIGNER, True), (Role.TRANSLATOR, False), (Role.COORDINATOR, False)):
            who = desk(f"{role}@example.org", bees=role)
            assert (who.get(KEYS).status == 200) is may
            assert (who.post(KEYS, {"name": "crm"}).status == 201) is may
            assert (who.post(f"{KEYS}/{key}/activation").status == 200) is may

    def test_nobody(self) -> None:
        assert NOBODY.get(KEYS).status == 401
        assert NOBODY.delete(f"{KEYS}/active", {"toClearText": True}).status == 401
