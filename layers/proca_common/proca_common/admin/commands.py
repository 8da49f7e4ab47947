"""What the admin command can do. Each command takes parsed arguments and returns what is shown: a dict, or a list of
them.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from nacl.public import PrivateKey

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage, ActionPageInput
from proca_common.actions import store as actions
from proca_common.admin import guards
from proca_common.admin.backends import check_backends
from proca_common.admin.environment import AdminSettings, given_settings
from proca_common.aws import clock
from proca_common.aws.secrets import secret
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignInput
from proca_common.catalog import happenings
from proca_common.catalog.entity import Entity
from proca_common.errors import NotFound, Taken
from proca_common.monitors import store as stats
from proca_common.orgs import encryption, instance, keys, services
from proca_common.orgs import store as orgs
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import Encryption, Org, OrgInput, PublicKey
from proca_common.pipes import topology
from proca_common.stages import decide, encrypt_contacts

Shown = Mapping[str, object] | Sequence[Mapping[str, object]]
AnyEntity = TypeVar("AnyEntity", bound=Entity)
FIXED = frozenset({"id", "name", "org", "campaign", "external_id", "encryption", "active_key"})


def set_up(args: Namespace, settings: AdminSettings) -> Shown:
    """Make the instance's org and register the public parts of its key pairs. Safe to repeat."""
    wanted = OrgInput(name=args.name, title=args.name, encryption=Encryption.CLEAR, custom_action_deliver=False)
    try:
        org = orgs.create(wanted)
    except Taken:
        org = orgs.find(args.name)
    public = bytes(_sealing_key(settings).public_key)
    key = next((known for known in orgs.keys(org.id) if known.public == public), None)
    if key is None:
        key = keys.add(org, "sealing", encryption.to_text(public))
    try:
        kept = instance.get().guards
    except NotFound:
        kept = {}
    passwords = encryption.passwords_key(secret(settings.service_passwords_secret))
    instance.put(Instance(org.id, key.id, public, kept, bytes(passwords.public_key)))
    return {"instance": org.name, "org": org.id, "key": key.id, "public": encryption.to_text(public)}


def org_create(args: Namespace, settings: AdminSettings) -> Shown:
    """A new org with its queues."""
    given = {"name": args.name, "title": args.title or args.name, "encryption": args.encryption, **given_settings(args)}
    wanted = OrgInput.model_validate(given)
    check_backends(given, wanted, [])
    org = orgs.create(wanted, lambda along, made: happenings.new_org(along, made.id, None))
    return {**_org(org), "queues": topology.sync(settings.queue_url_prefix, org)}


def org_set(args: Namespace, settings: AdminSettings) -> Shown:
    """Change settings of an org, and its queues with them."""
    given = given_settings(args)
    org = _changed(orgs.find(args.name), given)
    check_backends(given, org, services.of_org(org.id))
    orgs.replace(org)
    return {**_org(org), "queues": topology.sync(settings.queue_url_prefix, org)}


def org_show(args: Namespace, _: AdminSettings) -> Shown:
    """One org."""
    return _org(orgs.find(args.name))


def org_list(_: Namespace, __: AdminSettings) -> Shown:
    """All orgs."""
    return [_org(org) for org in orgs.every()]


def org_delete(args: Namespace, settings: AdminSettings) -> Shown:
    """Delete an org without campaigns and pages, with its queues and all that is in them."""
    org = orgs.find(args.name)
    orgs.delete(org)
    topology.remove(settings.queue_url_prefix, org.id)
    return {"deleted": org.name}


def queue_sync(args: Namespace, settings: AdminSettings) -> Shown:
    """Make the org's queues as its settings say: after a break-off, or when somebody deleted one."""
    return {"queues": topology.sync(settings.queue_url_prefix, orgs.find(args.org))}


def key_generate(args: Namespace, _: AdminSettings) -> Shown:
    """A new key pair, not active; the private part is shown this once and stored nowhere."""
    key, private = keys.generate(orgs.find(args.org), args.name)
    return {**_key(key, None), "private": encryption.to_text(private)}


def key_add(args: Namespace, _: AdminSettings) -> Shown:
    """Import a public key, not active."""
    return _key(keys.add(orgs.find(args.org), args.name, args.public), None)


def key_list(args: Namespace, _: AdminSettings) -> Shown:
    """The org's keys, newest first."""
    org = orgs.find(args.org)
    return [_key(key, org) for key in orgs.keys(org.id)]


def key_activate(args: Namespace, settings: AdminSettings) -> Shown:
    """Encrypt for this key. Waits until that holds everywhere, then encrypts contacts that were stored before."""
    org = orgs.find(args.org)
    holds_at = keys.activate(org, args.id)
    if args.no_wait:
        return {"activated": args.id, "holds everywhere at": holds_at.isoformat(timespec="seconds")}
    wait_ms = holds_at.timestamp() * 1000 - clock.now_ms()
    _say(f"the key holds everywhere in {wait_ms / 1000:.0f} s; then older contacts are encrypted")
    clock.sleep_ms(max(0, wait_ms))
    return {"activated": args.id, **_encrypt(org, settings)}


def key_expire(args: Namespace, _: AdminSettings) -> Shown:
    """Never use this key again."""
    keys.expire(orgs.find(args.org), args.id)
    return {"expired": args.id}


def key_deactivate(args: Namespace, _: AdminSettings) -> Shown:
    """Take the active key away; only with the flag, because the org stores clear text from then on."""
    keys.deactivate_all(orgs.find(args.org), to_clear_text=args.to_clear_text)
    return {"encryption": Encryption.CLEAR.value}


def key_encrypt_contacts(args: Namespace, settings: AdminSettings) -> Shown:
    """Encrypt contacts that were stored in clear or sealed before the key held."""
    return _encrypt(orgs.find(args.org), settings)


def campaign_create(args: Namespace, _: AdminSettings) -> Shown:
    """A new campaign."""
    settings = guards.sorted_in({}, given_settings(args))
    given = {"name": args.name, "title": args.title or args.name, "org": orgs.find(args.org).id, **settings}
    return _entity(campaigns.create(CampaignInput.model_validate(given)))


def campaign_set(args: Namespace, _: AdminSettings) -> Shown:
    """Change settings of a campaign."""
    known = campaigns.find(args.name)
    campaign = _changed(known, guards.sorted_in(known.guards, given_settings(args)))
    campaigns.replace(campaign)
    return _entity(campaign)


def campaign_show(args: Namespace, _: AdminSettings) -> Shown:
    """One campaign with its numbers."""
    campaign = campaigns.find(args.name)
    return {**_entity(campaign), "numbers": stats.read(campaign.id)}


def campaign_list(_: Namespace, __: AdminSettings) -> Shown:
    """All campaigns."""
    return [_entity(campaign) for campaign in campaigns.every()]


def campaign_delete(args: Namespace, _: AdminSettings) -> Shown:
    """Delete a campaign without pages."""
    campaign = campaigns.find(args.name)
    campaigns.delete(campaign)
    return {"deleted": campaign.name}


def page_create(args: Namespace, _: AdminSettings) -> Shown:
    """A new action page."""
    given = {
        "name": args.name,
        "locale": args.locale,
        "org": orgs.find(args.org).id,
        "campaign": campaigns.find(args.campaign).id,
        **given_settings(args),
    }
    return _entity(pages.create(ActionPageInput.model_validate(given)))


def page_set(args: Namespace, _: AdminSettings) -> Shown:
    """Change settings of a page."""
    page = _changed(pages.find(args.name), given_settings(args))
    pages.replace(page)
    return _entity(page)


def page_show(args: Namespace, _: AdminSettings) -> Shown:
    """One page."""
    return _entity(pages.find(args.name))


def page_list(_: Namespace, __: AdminSettings) -> Shown:
    """All pages."""
    return [_entity(page) for page in pages.every()]


def action_show(args: Namespace, _: AdminSettings) -> Shown:
    """Where an action stands; no personal data."""
    action = actions.action_by_id(args.id)
    if action is None:
        raise NotFound("action")
    return {
        "id": args.id,
        "actionType": action.action_type,
        "campaign": action.campaign,
        "page": action.page,
        "status": action.status,
        "stage": action.stage,
        "held": action.held,
        "owed": sorted(action.owed or ()),
        "attempt": action.attempt,
        "due": None if action.due is None else datetime.fromtimestamp(action.due / 1000, UTC).isoformat(),
    }


def action_accept(args: Namespace, _: AdminSettings) -> Shown:
    """Accept an action that waits for a moderator."""
    return {"id": args.id, "changed": decide.accept_action(args.id)}


def action_reject(args: Namespace, _: AdminSettings) -> Shown:
    """Reject an action; its supporter stays as it is."""
    return {"id": args.id, "changed": decide.reject_action(args.id)}


def supporter_accept(args: Namespace, _: AdminSettings) -> Shown:
    """Accept the supporter of an action, and with it all that waited."""
    return {"id": args.id, "changed": decide.accept_supporter(args.id)}


def supporter_reject(args: Namespace, _: AdminSettings) -> Shown:
    """Reject the supporter of an action, its signature and all that waited."""
    return {"id": args.id, "changed": decide.reject_supporter(args.id)}


def _sealing_key(settings: AdminSettings) -> PrivateKey:
    return encryption.sealing_key(secret(settings.sealing_key_secret))


def _encrypt(org: Org, settings: AdminSettings) -> dict[str, object]:
    def progress(done: encrypt_contacts.Done) -> None:
        if done.contacts % 100 == 0:
            _say(f"{done.contacts} contacts encrypted")

    done = encrypt_contacts.encrypt_contacts(orgs.get(org.id), instance.get(), _sealing_key(settings), progress)
    return {"contacts encrypted": done.contacts, "actions woken": done.woken}


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _changed(entity: AnyEntity, changes: Mapping[str, Any]) -> AnyEntity:
    fixed = FIXED & changes.keys()
    if fixed:
        raise Taken(f"cannot be changed: {', '.join(sorted(fixed))}")
    return type(entity).model_validate({**entity.model_dump(), **changes})


def _entity(entity: Campaign | ActionPage) -> dict[str, object]:
    return entity.model_dump(mode="json", by_alias=True)


def _org(org: Org) -> dict[str, object]:
    shown = org.model_dump(mode="json", by_alias=True, exclude={"active_key"})
    return {**shown, "activeKey": None if org.active_key is None else org.active_key.id}


def _key(key: PublicKey, org: Org | None) -> dict[str, object]:
    active = org is not None and org.active_key is not None and org.active_key.id == key.id
    public = encryption.to_text(key.public)
    return {"id": key.id, "name": key.name, "public": public, "active": active, "expired": key.expired}
