"""What the command can ask of the API: a row for each endpoint, of which command line and call are made.

A placeholder in a path is an argument of the command. Most rows are all there is to a command; what takes more than one
call is in `commands`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` is below `/v1`. `settings`: names of what a body may have, None where none is sent. `queries`: options of
    a list. `columns`: what tables show of it. `secrets`: what is asked for and never typed in the command line.

    `warning`: what is said before it is asked whether to go on. `anonymous`: nobody needs to be logged in.
    """

    noun: str
    verb: str
    method: str
    path: str
    what: str
    settings: tuple[str, ...] | None = None
    columns: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    warning: str = ""
    anonymous: bool = False
    listed: bool = False

    @property
    def arguments(self) -> list[str]:
        """The placeholders of the path, in their order."""
        return re.findall(r"\{(\w+)\}", self.path)


def _list(
    noun: str, path: str, what: str, *columns: str, queries: tuple[str, ...] = (), verb: str = "list"
) -> Endpoint:
    return Endpoint(noun, verb, "GET", path, what, columns=columns, queries=queries, listed=True)


def _show(noun: str, path: str, what: str, verb: str = "show") -> Endpoint:
    return Endpoint(noun, verb, "GET", path, what)


def _create(noun: str, path: str, what: str, *settings: str, verb: str = "create") -> Endpoint:
    return Endpoint(noun, verb, "POST", path, what, settings)


def _set(noun: str, path: str, what: str, *settings: str) -> Endpoint:
    return Endpoint(noun, "set", "PATCH", path, what, settings)


def _delete(noun: str, path: str, what: str, warning: str = "", verb: str = "delete") -> Endpoint:
    return Endpoint(noun, verb, "DELETE", path, what, warning=warning)


ORG = "/orgs/{org}"
ORG_SETTINGS = (
    "name",
    "title",
    "contactSchema",
    "supporterConfirm",
    "supporterConfirmTemplate",
    "customSupporterConfirm",
    "customActionConfirm",
    "customActionDeliver",
    "customEventDeliver",
    "eventQueue",
    "emailBackend",
    "transactionalEmailBackend",
    "emailFrom",
    "doiThankYou",
    "senderRewrite",
    "replyEnabled",
    "pushBackend",
    "eventBackend",
    "detailBackend",
    "storageBackend",
    "oneClick",
    "queueNoticeHours",
    "retentionMonths",
    "redirectHosts",
    "config",
)
PROFILE = ("jobTitle", "phone", "pictureUrl")
TOLD = ("email", "objectId")
OF_CONFIRMS = ("id", "operation", "code", "campaign", "page", "org", "creator", "message", "expiresAt")
INVITED = ("id", "email", "role", "creator", "createdAt", "expiresAt")
IRREVERSIBLE = "This cannot be taken back."

ACCOUNT = (
    Endpoint(
        "account",
        "register",
        "POST",
        "/account",
        "a new account; a mail proves the address",
        ("email",),
        secrets=("password",),
        anonymous=True,
    ),
    Endpoint(
        "account", "ask-to-confirm", "POST", "/account/confirmations", "that mail again", ("email",), anonymous=True
    ),
    Endpoint(
        "account",
        "confirm",
        "POST",
        "/account/confirmations/{token}",
        "prove the address with the end of the link in the mail",
        anonymous=True,
    ),
    Endpoint(
        "account",
        "forgot-password",
        "POST",
        "/account/password-resets",
        "a mail to choose a new password",
        ("email",),
        anonymous=True,
    ),
    Endpoint(
        "account",
        "reset-password",
        "POST",
        "/account/password-resets/{token}",
        "a new password, with the end of the link in the mail",
        (),
        secrets=("password",),
        anonymous=True,
    ),
    _show("account", "/account", "who one is, and one's roles"),
    _set("account", "/account", "another profile", *PROFILE),
    Endpoint(
        "account",
        "set-password",
        "PUT",
        "/account/password",
        "another password; all tokens are void then",
        (),
        secrets=("currentPassword", "password"),
    ),
    Endpoint(
        "account",
        "set-email",
        "POST",
        "/account/email-changes",
        "another address, which a mail there proves",
        ("email",),
        secrets=("currentPassword",),
    ),
    Endpoint(
        "account", "confirm-email", "POST", "/account/email-changes/{token}", "prove it, with the end of the link"
    ),
    Endpoint("account", "accept", "POST", "/account/confirms/{code}/acceptance", "accept an invitation", TOLD),
    Endpoint("account", "reject", "POST", "/account/confirms/{code}/rejection", "refuse an invitation", TOLD),
    _list("tokens", "/account/tokens", "one's API tokens", "id", "name", "createdAt", "lastUsedAt", "expiresAt"),
    _create("tokens", "/account/tokens", "one more API token, shown once", "name"),
    _delete("tokens", "/account/tokens/{token}", "make one void, by its id"),
    _show("health", "/health", "how each part of the system is, for who owns the instance"),
    _list(
        "users", "/users", "all users, for who manages them", "id", "email", "confirmed", "isAdmin", queries=("filter",)
    ),
    _show("users", "/users/{user}", "a user, for who manages them"),
    _set("users", "/users/{user}", "another profile, for who manages users", *PROFILE),
)

ORGS = (
    _list("orgs", "/orgs", "one's orgs", "id", "name", "title", "role"),
    _create("orgs", "/orgs", "a new org, which one owns", *ORG_SETTINGS, "encryption (encrypted or clear)"),
    _show("orgs", ORG, "an org with its settings"),
    _set("orgs", ORG, "other settings", *ORG_SETTINGS),
    _delete("orgs", ORG, "the end of an org", f"The org's queues go with it, and all that is in them. {IRREVERSIBLE}"),
    _list(
        "audit",
        f"{ORG}/audit",
        "who changed what, the newest first",
        "at",
        "who",
        "action",
        "object",
        "before",
        "after",
    ),
    _list("staff", f"{ORG}/staff", "the org's staff", "user", "email", "role", "jobTitle"),
    _create("staff", f"{ORG}/staff", "somebody with an account becomes a staffer", "email", "role", verb="add"),
    _show("staff", f"{ORG}/staff/{{user}}", "one of them"),
    _set("staff", f"{ORG}/staff/{{user}}", "another role", "role"),
    _delete("staff", f"{ORG}/staff/{{user}}", "the end of it", verb="remove"),
    Endpoint("staff", "join", "POST", f"{ORG}/members/me", "own this org, for who may join any"),
    _list("invitations", f"{ORG}/invitations", "invitations that nobody answered yet", *INVITED),
    _create("invitations", f"{ORG}/invitations", "ask somebody to become a staffer", "email", "role", "message"),
    _delete("invitations", f"{ORG}/invitations/{{invitation}}", "take one back"),
    _list(
        "partners", f"{ORG}/partner-invitations", "partners that did not answer yet", "id", "email", "page", "expiresAt"
    ),
    _create(
        "partners",
        f"{ORG}/partner-invitations",
        "ask another org to run a copy of a page",
        "email",
        "page",
        "message",
        verb="invite",
    ),
    _delete("partners", f"{ORG}/partner-invitations/{{invitation}}", "take an invitation back", verb="take-back"),
    _create(
        "partners",
        f"{ORG}/join-requests",
        "ask the lead to launch all pages of the org",
        "campaign",
        "message",
        verb="ask-to-join",
    ),
    _list("confirms", f"{ORG}/confirms", "what waits for the org to decide", *OF_CONFIRMS),
    Endpoint("confirms", "accept", "POST", f"{ORG}/confirms/{{code}}/acceptance", "agree, as the org", TOLD),
    Endpoint("confirms", "reject", "POST", f"{ORG}/confirms/{{code}}/rejection", "refuse, as the org", TOLD),
)

PROCESSING = (
    _list("keys", f"{ORG}/keys", "the org's keys, the newest first", "id", "name", "active", "expired", "public"),
    _create("keys", f"{ORG}/keys", "a new pair, or with `public` a key of one's own", "name", "public"),
    _show("keys", f"{ORG}/keys/{{key}}", "one key"),
    Endpoint("keys", "activate", "POST", f"{ORG}/keys/{{key}}/activation", "encrypt for it from now on"),
    Endpoint("keys", "expire", "POST", f"{ORG}/keys/{{key}}/expiry", "never use it again", warning=IRREVERSIBLE),
    Endpoint(
        "keys",
        "deactivate",
        "DELETE",
        f"{ORG}/keys/active",
        "clear text from now on, with toClearText=true",
        ("toClearText",),
        warning="New contacts will be stored in clear text.",
    ),
    _list(
        "queues",
        f"{ORG}/queues",
        "how each queue stands",
        "queue",
        "isOn",
        "messages",
        "inFlight",
        "oldestAgeSeconds",
        "lastReadAt",
        "deadLetters.messages",
    ),
    _show("queues", f"{ORG}/queues/principals", "the AWS principals that may read them", verb="principals"),
    Endpoint(
        "queues",
        "set-principals",
        "PUT",
        f"{ORG}/queues/principals",
        "these AWS principals, and no others",
        ("principals",),
    ),
    _create(
        "queues", f"{ORG}/queue-credentials", "credentials of AWS for an hour", "durationSeconds", verb="credentials"
    ),
    Endpoint(
        "queues",
        "take",
        "GET",
        f"{ORG}/queues/{{queue}}/messages",
        "messages, which nobody else gets while their lease lasts",
        columns=("messageId", "receiveCount", "receipt"),
        queries=("limit", "wait", "lease"),
    ),
    _create(
        "queues", f"{ORG}/queues/{{queue}}/acknowledgements", "messages that are done", "receipts", verb="acknowledge"
    ),
    _create(
        "queues", f"{ORG}/queues/{{queue}}/leases", "messages that take longer", "receipts", "lease", verb="extend"
    ),
)

FILTERS = ("campaign", "start", "after", "acceptedAfter", "onlyOptIn", "onlyDoubleOptIn", "includeTesting")
OF_ROWS = (
    "actionId",
    "createdAt",
    "actionType",
    "campaign.name",
    "actionPage.name",
    "contact.contactRef",
    "privacy.optIn",
)
OF_FILES = ("id", "kind", "format", "filters.campaign", "state", "share", "rows", "createdAt", "expiresAt")

EXPORTS = (
    _list("actions", f"{ORG}/actions", "actions of which it has a contact", *OF_ROWS, queries=FILTERS),
    _list("contacts", f"{ORG}/contacts", "those with which a contact came", *OF_ROWS, queries=FILTERS),
    Endpoint(
        "contacts",
        "look-up",
        "POST",
        f"{ORG}/contacts/look-up",
        "all that it has of one person",
        ("email", "contactRef", "includeTesting"),
        columns=OF_ROWS,
    ),
    _list("exports", f"{ORG}/exports", "files that were asked for", *OF_FILES),
    _create("exports", f"{ORG}/exports", "have a file written", "kind", "format", *FILTERS),
    _show("exports", f"{ORG}/exports/{{export}}", "how far one is, and the link to it"),
    _delete("exports", f"{ORG}/exports/{{export}}", "take one away"),
)

OF_ERASURES = ("id", "state", "askedAt", "finishedAt", "removed.contacts", "anonymised.actions", "lastCopies.queues")
OF_RULES = ("campaign", "status", "end", "months", "of", "due")
PRIVACY = (
    _list("erasures", f"{ORG}/erasures", "certificates of erasures", *OF_ERASURES),
    _create("erasures", f"{ORG}/erasures", "erase a person", "email", "contactRef"),
    _show("erasures", f"{ORG}/erasures/{{erasure}}", "the certificate of one"),
    Endpoint(
        "access-requests",
        "create",
        "POST",
        f"{ORG}/access-requests",
        "all that the org has of a person",
        ("email", "contactRef"),
    ),
    Endpoint("retention", "list", "GET", f"{ORG}/retention", "how long the org keeps what it has", columns=OF_RULES),
    Endpoint(
        "retention",
        "apply",
        "POST",
        f"{ORG}/retention",
        "erase what is kept too long, or say whom that is about",
        ("dryRun",),
        columns=(*OF_RULES, "people", "protected", "contacts"),
    ),
)

SERVICE_SETTINGS = (
    "host",
    "user",
    "password (@- asks for it)",
    "path",
    "sendingFrom",
    "transactionalEmailBudget",
    "rate",
)
TEXTS = ("subject", "html", "text")
TEMPLATE = f"{ORG}/templates/{{template}}/{{locale}}"

BACKENDS = (
    _list("services", f"{ORG}/services", "the org's services", "id", "name", "host", "user", "sendingFrom"),
    _create("services", f"{ORG}/services", "one more service", "name", *SERVICE_SETTINGS),
    _show("services", f"{ORG}/services/{{service}}", "one service, without its password"),
    _set("services", f"{ORG}/services/{{service}}", "other settings, another password", *SERVICE_SETTINGS),
    _delete("services", f"{ORG}/services/{{service}}", "the end of it"),
    _list("templates", f"{ORG}/templates", "the org's templates", "name", "locale", "subject"),
    _show("templates", TEMPLATE, "a template with its texts"),
    Endpoint("templates", "put", "PUT", TEMPLATE, "this template, new or changed", TEXTS),
    _delete("templates", TEMPLATE, "the end of it"),
    _create(
        "templates", f"{TEMPLATE}/preview", "what a mail would say, with sample data", "kind", *TEXTS, verb="preview"
    ),
)

CAMPAIGN = f"{ORG}/campaigns/{{campaign}}"
CAMPAIGN_SETTINGS = (
    "name",
    "title",
    "externalId",
    "contactSchema",
    "status",
    "supporterConfirm",
    "supporterConfirmTemplate",
    "actionConfirm",
    "transientActions",
    "publicActions",
    "start",
    "end",
    "guards",
    "mtt",
    "config",
)
TARGETS = f"{CAMPAIGN}/targets"
TARGET = f"{TARGETS}/{{target}}"
TARGET_SETTINGS = ("externalId", "name", "locale", "area", "fields", "emails")
PAGE = f"{ORG}/pages/{{page}}"
PAGE_SETTINGS = (
    "name",
    "locale",
    "delivery",
    "extraSupporters",
    "thankYouTemplate",
    "supporterConfirmTemplate",
    "duplicateTemplate",
    "config",
)

CAMPAIGNS = (
    _list("campaigns", f"{ORG}/campaigns", "what it leads or has pages in", "id", "name", "title", "status", "org"),
    _create("campaigns", f"{ORG}/campaigns", "a new campaign, which the org leads", *CAMPAIGN_SETTINGS),
    _show("campaigns", CAMPAIGN, "a campaign"),
    Endpoint(
        "campaigns",
        "put",
        "PUT",
        CAMPAIGN,
        "make or change a campaign with its pages, all of it or nothing",
        (*CAMPAIGN_SETTINGS, "actionPages"),
    ),
    _set("campaigns", CAMPAIGN, "other settings", *CAMPAIGN_SETTINGS),
    _delete("campaigns", CAMPAIGN, "the end of it, and of its lead's pages in it", IRREVERSIBLE),
    _list(
        "campaigns",
        f"{CAMPAIGN}/partners",
        "the other orgs that have pages in it",
        "id",
        "name",
        "title",
        "pages",
        verb="partners",
    ),
    _create(
        "campaigns",
        f"{CAMPAIGN}/audits",
        "count it again from its actions; with repair=true what differs is put right",
        "repair",
        verb="audit",
    ),
    _list(
        "campaigns",
        f"{CAMPAIGN}/audits",
        "when it was counted again, and what was wrong",
        "id",
        "state",
        "repair",
        "startedAt",
        "hours",
        "actions",
        "difference",
        "memberships",
        verb="audits",
    ),
    _show("campaigns", f"{CAMPAIGN}/audits/{{audit}}", "what an audit found, or how far it is", "show-audit"),
    _list(
        "targets",
        TARGETS,
        "to whom its supporters write",
        "id",
        "externalId",
        "name",
        "locale",
        "area",
        "emails",
        "messages.total",
        "messages.sent",
    ),
    Endpoint("targets", "put", "PUT", TARGETS, "a list of targets, each new or changed", ("targets",)),
    _create("targets", TARGETS, "one more target", *TARGET_SETTINGS, verb="add"),
    _show("targets", TARGET, "a target, by its id"),
    _set("targets", TARGET, "other settings, other addresses", *TARGET_SETTINGS),
    _delete("targets", TARGET, "the end of a target without messages", IRREVERSIBLE),
    Endpoint(
        "campaigns",
        "series",
        "GET",
        f"{CAMPAIGN}/series",
        "signatures in each hour or day: of the campaign, page, area, source or type",
        queries=("by", "of", "since", "until"),
    ),
    _list("pages", f"{ORG}/pages", "its pages", "id", "name", "campaign", "locale", "live", queries=("campaign",)),
    _create("pages", f"{ORG}/pages", "a new page, or a copy", "campaign, fromPage or fromCampaign", *PAGE_SETTINGS),
    _show("pages", PAGE, "a page, by its id"),
    _set("pages", PAGE, "other settings", *PAGE_SETTINGS),
    _delete("pages", PAGE, "the end of a page on which nobody did more than test", IRREVERSIBLE),
    _create("pages", f"{PAGE}/launch", "make it live, or ask the campaign's lead to", "message", verb="launch"),
    _list(
        "messages",
        f"{CAMPAIGN}/messages",
        "what its supporters wrote to targets, and what became of it",
        "action_id",
        "created_at",
        "target_name",
        "msg_subject",
        "status",
        queries=("target", "includeDuplicates"),
    ),
    _show("messages", f"{CAMPAIGN}/mtt/next", "which messages would go out now", "next"),
    _list(
        "messages",
        f"{CAMPAIGN}/mtt/uncertain",
        "those of which nobody knows whether they went out",
        "since",
        "actionId",
        "target",
        verb="uncertain",
    ),
)

NAMED = {
    "key": (f"{ORG}/keys", "name", "id"),
    "page": (f"{ORG}/pages", "name", "id"),
    "user": (f"{ORG}/staff", "email", "user"),
    "invitation": (f"{ORG}/invitations", "email", "id"),
}
"""What the API knows by a number and people by a name: the list to look in, the name there, the number there."""

ENDPOINTS: tuple[Endpoint, ...] = (*ACCOUNT, *ORGS, *PROCESSING, *EXPORTS, *PRIVACY, *BACKENDS, *CAMPAIGNS)
"""All that needs no more than a row."""

NOUNS = {
    "account": "one's own account, and invitations to accept",
    "tokens": "one's API tokens",
    "health": "whether the instance is well",
    "users": "users of the instance, for who manages them",
    "orgs": "orgs and their settings",
    "audit": "who changed what of an org",
    "staff": "who works for an org",
    "invitations": "asking people to work for an org",
    "partners": "asking orgs to take part in a campaign, and asking to take part",
    "confirms": "what waits for an org to decide",
    "keys": "what the contacts of an org are encrypted with",
    "services": "what an org uses for mails, payments and pushes",
    "templates": "mails of an org",
    "campaigns": "campaigns that an org leads or has pages in",
    "targets": "to whom supporters of a campaign write",
    "messages": "what supporters of a campaign write to targets",
    "pages": "action pages of an org",
    "actions": "what supporters did, as an org may take it out",
    "contacts": "contacts of an org, and all that it has of one person",
    "exports": "files of actions and contacts",
    "erasures": "people who were erased, and the certificates of that",
    "access-requests": "all that an org has of a person",
    "retention": "how long an org keeps contacts",
    "queues": "how the queues of an org stand, and reading them",
}
