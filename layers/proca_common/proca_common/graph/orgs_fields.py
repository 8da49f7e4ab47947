"""Orgs with their keys, services and templates, in GraphQL."""

from __future__ import annotations

from typing import Any

from proca_common.aws.settings.graph import GraphSettings
from proca_common.failures import Failure, Refused
from proca_common.graph.context import Info
from proca_common.graph.given import as_seen, plain, without
from proca_common.graph.private_orgs import key_view, service_view
from proca_common.graph.views import View, org_view
from proca_common.mails import templates as known_templates
from proca_common.management import keys, orgs, services, staff, templates
from proca_common.management.access import org_of
from proca_common.orgs import services as known_services
from proca_common.orgs import store
from proca_common.users.permissions import Permission

NEW_ORGS = {"encryption": "encrypted"}
"""An org that is made here has its contacts sealed until it has a key; to have them in clear text it must say so."""
NO_PROVIDER_TEMPLATES = Failure("/input/externalId", "invalid", "templates of providers are not supported")


def one_org(_: None, info: Info, name: str) -> View:
    """An org, for its members."""
    return org_view(info.context, org_of(info.context.user, name))


def add_org(_: None, info: Info, input: dict[str, Any]) -> View:  # noqa: A002 - the argument's name
    """A new org, whose owner is who asks."""
    context = info.context
    made = orgs.create(context.user, {**NEW_ORGS, **plain(input)}, context.settings.queue_url_prefix)
    context.joined(made.id)
    return org_view(context, made)


def update_org(_: None, info: Info, name: str, input: dict[str, Any]) -> View:  # noqa: A002
    """Other settings of an org."""
    return _changed(info, name, plain(input))


def update_org_processing(_: None, info: Info, name: str, **given: Any) -> View:
    """How an org's actions are worked on."""
    return _changed(info, name, given)


def _changed(info: Info, name: str, patch: dict[str, Any]) -> View:
    context = info.context
    changed = orgs.change(context.staff, name, patch, as_seen, context.settings.queue_url_prefix)
    context.know(changed)
    return org_view(context, changed)


def delete_org(_: None, info: Info, name: str) -> str:
    """The end of an org."""
    orgs.delete(info.context.staff, name, as_seen, info.context.settings.queue_url_prefix)
    return "success"


def join_org(_: None, info: Info, name: str) -> View:
    """Whoever may join any org becomes an owner of this one."""
    context = info.context
    staff.join(context.user, name)
    joined = store.find(name)
    context.joined(joined.id)
    return {"status": "success", "org": org_view(context, joined)}


def generate_key(_: None, info: Info, orgName: str, input: dict[str, Any]) -> View:  # noqa: A002, N803 - their names
    """A new pair of keys, whose private part is told this once."""
    owner, key, private = keys.create(info.context.staff, orgName, {"name": input["name"]})
    return key_view(owner, key, private)


def add_key(_: None, info: Info, orgName: str, input: dict[str, Any]) -> View:  # noqa: A002, N803
    """The public part of a key that the org made."""
    owner, key, _private = keys.create(info.context.staff, orgName, input)
    return key_view(owner, key)


def activate_key(_: None, info: Info, orgName: str, id: int) -> View:  # noqa: A002, N803
    """Encrypt for this key from now on."""
    keys.activate(info.context.staff, orgName, id, info.context.settings.encrypt_contacts_queue_url)
    return {"status": "success"}


def deactivate_all_keys(_: None, info: Info, orgName: str) -> View:  # noqa: N803
    """Store clear text from now on; asking for it in so many words is all the consent there is."""
    keys.deactivate(info.context.staff, orgName, {"toClearText": True})
    return {"status": "success"}


def upsert_service(_: None, info: Info, orgName: str, input: dict[str, Any], id: int | None = None) -> View:  # noqa: A002, N803
    """The service with this id, else the latest of that name, else a new one."""
    caller = info.context.staff
    given = {name: value for name, value in plain(input).items() if value is not None}
    owner = org_of(caller, orgName, Permission.CHANGE_ORG_SERVICES)
    latest = known_services.latest(owner.id, known_services.ServiceName(given["name"])) if id is None else None
    number = id if latest is None else latest.id
    here = _this_machine(info.context.settings)
    if number is None:
        return service_view(services.create(caller, orgName, given, this_machine=here))
    return service_view(services.change(caller, orgName, number, given, as_seen, this_machine=here))


def reset_transactional_email_budget(_: None, info: Info, orgName: str) -> str:  # noqa: N803 - its name
    """Mails for the budget of an org are counted anew (domain 8.7)."""
    services.reset_budget(info.context.staff, orgName)
    return "success"


def upsert_template(_: None, info: Info, orgName: str, input: dict[str, Any]) -> str:  # noqa: A002, N803
    """The template of this name and locale."""
    caller, name = info.context.staff, input["name"]
    if input.get("externalId"):
        raise Refused([NO_PROVIDER_TEMPLATES])
    locale = input.get("locale") or _any_locale(orgName, info, name)
    texts = {key: value for key, value in without(input, ("name", "locale", "externalId")).items() if value is not None}
    if "html" not in texts and "text" in texts:
        texts["html"] = _as_html(texts["text"])
    templates.put(caller, orgName, name, locale, texts, as_seen)
    return "success"


def _any_locale(org_name: str, info: Info, name: str) -> str:
    """The locale of any template with this name. Raises `Refused` where there is none."""
    owner = org_of(info.context.staff, org_name, Permission.CHANGE_CAMPAIGN_SETTINGS)
    found = next((each for each in known_templates.listed(owner.id, None, 1_000) if each.name == name), None)
    if found is None:
        raise Refused([Failure.blank("/input/locale")])
    return found.locale


def _as_html(text: str) -> str:
    """Text for a client that only sends text: escaped, its tags of Mustache kept."""
    from html import escape  # noqa: PLC0415

    return "".join(f"<p>{escape(part, quote=False)}</p>" for part in text.split("\n") if part.strip())


def _this_machine(settings: GraphSettings) -> bool:
    return settings.private_targets == "allow"


def application(_: None, info: Info) -> View:
    """What runs here, for who owns the instance."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - one operator asks for it
    from os import environ  # noqa: PLC0415

    info.context.user.must_be(Permission.INSTANCE_OWNER)
    try:
        known = version("proca_common")
    except PackageNotFoundError:
        known = None
    return {"name": "proca", "version": known, "logLevel": environ.get("POWERTOOLS_LOG_LEVEL")}


FIELDS = {
    "RootQueryType": {"org": one_org, "application": application},
    "RootMutationType": {
        "addOrg": add_org,
        "updateOrg": update_org,
        "updateOrgProcessing": update_org_processing,
        "deleteOrg": delete_org,
        "joinOrg": join_org,
        "generateKey": generate_key,
        "addKey": add_key,
        "activateKey": activate_key,
        "deactivateAllKeys": deactivate_all_keys,
        "upsertService": upsert_service,
        "upsertTemplate": upsert_template,
        "resetTransactionalEmailBudget": reset_transactional_email_budget,
    },
}
