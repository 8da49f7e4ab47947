"""The life of the keys of an org, and what is stored under them: only the org can open it (domain 6, design 7)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

from proca_common.action_pages.page import ActionPage
from proca_common.errors import NotAllowed, NotFound
from proca_common.orgs import encryption, keys
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Encryption, Org
from proca_common.stages.encrypt_contacts import encrypt_contacts
from tests.harness.faults import Killed, crash_after, faults
from tests.world import SEALING_SECRET, SEED, World

MINUTE_MS = 60_000
LOW_ORDER = [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"]
"""Points of Curve25519 with which everybody would know the shared secret."""


def fresh(org: Org) -> Org:
    return orgs.get(org.id)


def sign(world: World, page: ActionPage, **given: Any) -> int:
    """A signature in a new environment, which knows the org as it is now."""
    world.forget()
    return world.sign(page, **given).action


def forms(world: World) -> list[str]:
    """In which form each contact is stored, the oldest first."""
    return [next(form for form in ("clear", "sealed", "payload") if form in contact) for contact in world.items("C#")]


def encrypt(world: World, org: Org) -> tuple[int, int]:
    done = encrypt_contacts(fresh(org), world.instance, world.sealing_key)
    return done.contacts, done.woken


class TestLife:
    def test_a_generated_key_is_not_active_and_its_private_part_is_stored_nowhere(self, world: World) -> None:
        org = world.org("ngo", key=False)
        key, private = keys.generate(org, "crm 2026")
        assert bytes(PrivateKey(private).public_key) == key.public
        assert orgs.keys(org.id) == [key]
        assert (key.name, key.expired, fresh(org).active_key) == ("crm 2026", False, None)
        stored = repr(world.tables.all_items("CatalogTable"))
        for text in (
            repr(private)[2:-1],
            encryption.to_text(private),
            private.hex(),
            base64.b64encode(private).decode(),
        ):
            assert text not in stored

    def test_a_key_is_imported_from_base64url(self, world: World) -> None:
        org = world.org("ngo", key=False)
        public, _ = encryption.generate()
        assert keys.add(org, "crm", encryption.to_text(public)).public == public

    @pytest.mark.parametrize(
        ("public", "message"),
        [
            ("not base64!", "Cannot decode public key using Base64"),
            ("A" * 43 + "=", "Cannot decode public key using Base64"),
            ("A" * 42 + "+", "Cannot decode public key using Base64"),
            ("ä" * 43, "Cannot decode public key using Base64"),
            ("", "must by 256 bits"),
            (encryption.to_text(b"x" * 31), "must by 256 bits"),
            (encryption.to_text(b"x" * 33), "must by 256 bits"),
            *((encryption.to_text(point), "public is invalid") for point in LOW_ORDER),
        ],
    )
    def test_what_is_no_key_is_refused(self, world: World, public: str, message: str) -> None:
        org = world.org("ngo", key=False)
        with pytest.raises(NotAllowed, match=message):
            keys.add(org, "crm", public)
        assert orgs.keys(org.id) == []

    def test_keys_are_listed_newest_first_and_only_one_is_active(self, world: World) -> None:
        org = world.org("ngo")
        first = fresh(org).active_key
        assert first is not None
        second, _ = keys.generate(org, "second")
        keys.activate(org, second.id)
        assert [key.id for key in orgs.keys(org.id)] == [second.id, first.id]
        active = fresh(org).active_key
        assert active is not None
        assert (active.id, active.public) == (second.id, second.public)

    def test_activation_answers_the_moment_from_which_it_holds_everywhere(self, world: World) -> None:
        org = world.org("ngo", key=False)
        key, _ = keys.generate(org, "crm")
        before = datetime.now(UTC)
        holds = keys.activate(org, key.id)
        assert timedelta(seconds=60) <= holds - before < timedelta(seconds=90)
        assert fresh(org).encryption is Encryption.ENCRYPTED

    def test_unknown_and_other_orgs_keys_are_not_found(self, world: World) -> None:
        org, other = world.org("ngo"), world.org("other")
        theirs = fresh(other).active_key
        assert theirs is not None
        for key_id in (theirs.id, 1):
            with pytest.raises(NotFound, match="Public key not found"):
                keys.activate(org, key_id)
            with pytest.raises(NotFound, match="Public key not found"):
                keys.expire(org, key_id)

    def test_an_expired_key_cannot_be_activated(self, world: World) -> None:
        org = world.org("ngo", key=False)
        key, _ = keys.generate(org, "crm")
        keys.expire(org, key.id)
        with pytest.raises(NotAllowed, match="Public key expired"):
            keys.activate(org, key.id)
        assert [key.expired for key in orgs.keys(org.id)] == [True]

    @pytest.mark.parametrize("known", ["as it is", "as it was before the activation"])
    def test_expiring_the_active_key_takes_it_away_and_leaves_the_org_encrypted(self, world: World, known: str) -> None:
        before = world.org("ngo", key=False, encryption="encrypted")
        world.give_key(before)
        now = fresh(before)
        assert now.active_key is not None
        keys.expire(now if known == "as it is" else before, now.active_key.id)
        after = fresh(before)
        assert (after.active_key, after.encryption) == (None, Encryption.ENCRYPTED)

    def test_expiring_an_old_key_leaves_the_active_one(self, world: World) -> None:
        org = world.org("ngo")
        old = fresh(org).active_key
        world.give_key(org)
        new = fresh(org).active_key
        assert old is not None
        assert new is not None
        keys.expire(org, old.id)
        assert fresh(org).active_key == new
        assert {key.id: key.expired for key in orgs.keys(org.id)} == {old.id: True, new.id: False}

    def test_taking_the_last_key_away_needs_the_explicit_flag_that_sets_clear(self, world: World) -> None:
        org = world.org("ngo")
        with pytest.raises(NotAllowed, match="explicit flag"):
            keys.deactivate_all(org, to_clear_text=False)
        assert fresh(org).active_key is not None
        keys.deactivate_all(org, to_clear_text=True)
        assert (fresh(org).active_key, fresh(org).encryption) == (None, Encryption.CLEAR)

    def test_an_org_that_is_gone_has_no_keys(self, world: World) -> None:
        gone = world.org("gone", key=False)
        orgs.delete(gone)
        with pytest.raises(NotFound, match="org"):
            keys.generate(gone, "crm")
        with pytest.raises(NotFound, match="org"):
            keys.deactivate_all(gone, to_clear_text=True)
        assert orgs.keys(gone.id) == []


class TestStored:
    def test_each_contact_is_a_box_of_its_own_for_the_active_key(self, world: World) -> None:
        org = world.org("ngo")
        page = world.page(org)
        world.sign(page)
        world.sign(page)
        one, other = world.items("C#")
        assert one["nonce"] != other["nonce"]
        assert one["payload"] != other["payload"]
        assert len(one["nonce"]) == 24
        active = fresh(org).active_key
        assert active is not None
        assert one["key_public"] == active.public
        assert not {"clear", "sealed"} & one.keys()

    def test_the_opened_payload_is_what_a_clear_org_gets(self, world: World) -> None:
        clear, keyed = world.org("open", key=False), world.org("closed")
        for org in (clear, keyed):
            page = world.page(org, world.campaign(org, org.name))
            world.sign(
                page,
                contact={"name": "Åsa Öst", "email": "Asa@example.org", "address": {"country": "se", "street": "Å 1"}},
            )
        plain = next(json.loads(contact["clear"]) for contact in world.items("C#") if "clear" in contact)
        world.run()
        opened = world.messages(keyed)[0]["contact"]
        assert {name: opened[name] for name in plain} == plain
        assert plain["address"] == {"region": None, "locality": None, "street": "Å 1", "streetNumber": None}

    def test_a_new_key_is_used_for_what_comes_after_it(self, world: World) -> None:
        org = world.org("ngo")
        page = world.page(org)
        first = sign(world, page)
        world.give_key(org)
        second = sign(world, page)
        world.run()
        used = {body["actionId"]: body["personalInfo"]["encryptKey"]["id"] for body in world.bodies(org)}
        newest, oldest = orgs.keys(org.id)
        assert used == {first: oldest.id, second: newest.id}

    def test_a_clear_org_stores_json(self, world: World) -> None:
        world.sign(world.page(world.org("ngo", key=False)))
        [contact] = world.items("C#")
        assert json.loads(contact["clear"])["email"] == "ida.holm@example.org"
        assert not {"payload", "nonce", "key_id", "key_public", "sign_id", "sign_public", "sealed"} & contact.keys()


class TestNoKeyYet:
    """An `encrypted` org without an active key: contacts are sealed and wait, no signature is refused (design 7.3)."""

    def test_the_signature_is_taken_and_counted_and_its_message_waits(self, world: World) -> None:
        org = world.org("ngo", key=False, encryption="encrypted")
        page = world.page(org)
        action = sign(world, page)
        world.run()
        assert forms(world) == ["sealed"]
        assert world.action(action)["status"] == "delivered"
        assert world.numbers(page.campaign)["persons:total"] == 1
        assert world.action(action)["owed"] == [f"{org.id}/deliver"]
        assert not world.bodies(org)
        assert "ida.holm" not in repr(world.tables.all_items("ActionsTable"))

    def test_it_arrives_once_the_org_has_a_key_and_the_contact_was_encrypted(self, world: World) -> None:
        org = world.org("ngo", key=False, encryption="encrypted")
        page = world.page(org)
        waiting = sign(world, page)
        world.run()
        world.give_key(org)
        later = sign(world, page, email="bo.berg@example.org")
        assert encrypt(world, org) == (1, 1)
        world.forget()
        world.run()
        emails = {message["actionId"]: message["contact"]["email"] for message in world.messages(org)}
        assert emails == {waiting: "ida.holm@example.org", later: "bo.berg@example.org"}
        assert forms(world) == ["payload", "payload"]
        assert world.numbers(page.campaign)["persons:total"] == 2
        assert not world.pending()

    def test_only_the_org_without_a_key_waits(self, world: World) -> None:
        lead, partner = world.org("lead"), world.org("partner", key=False, encryption="encrypted")
        page = world.page(partner, world.campaign(lead, force_delivery=True))
        action = sign(world, page)
        world.run()
        assert len(world.messages(lead)) == 1
        assert world.action(action)["owed"] == [f"{partner.id}/deliver"]

    def test_a_signature_that_must_be_confirmed_waits_with_its_confirm_message(self, world: World) -> None:
        org = world.org("ngo", key=False, encryption="encrypted", custom_action_confirm=True)
        sign(world, world.page(org))
        world.run()
        [pending] = world.pending()
        assert pending["owed"] == [f"{org.id}/confirm-action"]

    def test_expiring_the_only_key_seals_what_comes_next(self, world: World) -> None:
        org = world.org("ngo")
        page = world.page(org)
        active = fresh(org).active_key
        assert active is not None
        sign(world, page)
        keys.expire(fresh(org), active.id)
        sign(world, page)
        assert forms(world) == ["payload", "sealed"]


class TestEncryptLater:
    def test_clear_contacts_are_encrypted_after_an_activation(self, world: World) -> None:
        org, other = world.org("ngo", key=False), world.org("other", key=False)
        page = world.page(org)
        sign(world, page)
        sign(world, world.page(other, world.campaign(other, "other")), email="ea.lund@example.org")
        world.run()
        world.received(org)
        world.give_key(org)
        sign(world, page, email="bo.berg@example.org")
        assert encrypt(world, org) == (1, 0)
        assert encrypt(world, org) == (0, 0)
        by_org = {int(contact["org"]): contact for contact in world.items("C#")}
        assert "clear" in by_org[other.id]
        assert "ida.holm" not in repr(world.tables.all_items("ActionsTable"))
        shared = world.act(page, world.sign(page).contact_ref)
        world.run()
        assert {message["contact"]["email"] for message in world.messages(org)} == {
            "ida.holm@example.org",
            "bo.berg@example.org",
        }
        assert shared.status == 201

    def test_a_job_that_was_broken_off_goes_on_where_it_was(self, world: World) -> None:
        org = world.org("ngo", key=False, encryption="encrypted")
        page = world.page(org)
        for number in range(3):
            sign(world, page, email=f"p{number}@example.org")
        world.run()
        world.give_key(org)
        with pytest.raises(Killed), faults(crash_after("PutItem", nth=2)):
            encrypt(world, org)
        contacts, _ = encrypt(world, org)
        assert contacts == 1
        world.forget()
        world.ahead_ms = 10 * MINUTE_MS
        world.sweep()
        world.run()
        assert {message["contact"]["email"] for message in world.messages(org)} == {
            f"p{number}@example.org" for number in range(3)
        }

    def test_it_needs_an_active_key(self, world: World) -> None:
        org = world.org("ngo", key=False, encryption="encrypted")
        with pytest.raises(NotAllowed, match="no active key"):
            encrypt(world, org)


def test_with_every_secret_of_the_instance_in_hand_a_contact_cannot_be_opened(world: World) -> None:
    """Design 7.2: nobody but the org can, we included; the senders' private keys were never stored."""
    org = world.org("ngo")
    world.sign(world.page(org))
    world.run()
    [body] = world.bodies(org)
    [contact] = world.items("C#")
    payload, nonce = contact["payload"], contact["nonce"]
    publics = {contact[name] for name in ("key_public", "sign_public")}
    publics |= {bytes(world.sealing_key.public_key), encryption.from_text(body["personalInfo"]["signKey"]["public"])}
    secrets = [SEALING_SECRET, SEED.encode(), *stored_bytes(world)]
    in_hand = {bytes(world.sealing_key), *(sha256(secret).digest() for secret in secrets)}
    in_hand |= {secret.ljust(32, b"\0") for secret in secrets if len(secret) <= 32}
    assert len(in_hand) > 8
    for private in in_hand:
        for public in publics:
            with pytest.raises(CryptoError):
                Box(PrivateKey(private), PublicKey(public)).decrypt(payload, nonce)
    with pytest.raises(CryptoError):
        encryption.unseal(payload, world.sealing_key)
    [own] = world.private_keys[org.id].values()
    sender = contact["sign_public"]
    assert b"ida.holm@example.org" in encryption.decrypt(encryption.Encrypted(payload, nonce, sender), own)


def stored_bytes(world: World) -> list[bytes]:
    """Every binary value of every table: whatever could be a key."""
    return [
        value["B"]
        for table in world.tables
        for item in world.tables.all_items(table)
        for value in item.values()
        if "B" in value
    ]


def test_each_environment_makes_a_sender_key_of_its_own_and_shows_the_instances_id(world: World) -> None:
    assert encryption.Encryptor().public != encryption.Encryptor().public
    world.sign(world.page(world.org("ngo")))
    [contact] = world.items("C#")
    assert int(contact["sign_id"]) == world.instance.key_id
    assert contact["sign_public"] != world.instance.sealing_public
