"""The endpoints for those who run campaigns: path, method, who may, what it answers. Their JSON is told in
docs/management.md; a test asks that none is missing here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from proca_common.monitors.series import MOMENT, By, Of
from proca_common.targets.given import OutdatedTargets
from tools.openapi.limits import whole

Json = dict[str, Any]

TAG = "Management"
SECURITY: Json = {
    "password": {"type": "http", "scheme": "basic", "description": "E-mail address and password of a user."},
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, or a JWT of the configured issuer."},
}
LIST: list[Json] = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "The `next` of the part before; the first part without it.",
        "schema": {"type": "string", "maxLength": 1000},
    },
]
_MOMENT: Json = {"type": "string", "format": "date-time"}
_SWITCH: Json = {"type": "boolean", "default": False}
ROWS: list[Json] = [
    {"name": name, "in": "query", "description": description, "schema": schema}
    for name, description, schema in (
        ("campaign", "Only of this campaign, by its name.", {"type": "string", "minLength": 1, "maxLength": 255}),
        ("start", "Only ids from this one on.", {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}),
        ("after", "Only what was created at this moment or later.", _MOMENT),
        ("acceptedAfter", "Only what was accepted at this moment or later.", _MOMENT),
        ("onlyOptIn", "Only with consent to communication.", {"type": "boolean", "default": True}),
        ("onlyDoubleOptIn", "Only addresses that were confirmed.", _SWITCH),
        ("includeTesting", "With testing actions.", _SWITCH),
        ("limit", "How many rows at most.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        ("cursor", "The `next` of the part before; the first part without it.", {"type": "string", "maxLength": 100}),
    )
]
"""The parameters of rows of actions and contacts."""
MESSAGES: list[Json] = [
    {"name": name, "in": "query", "description": description, "schema": schema}
    for name, description, schema in (
        ("target", "Only those to this target.", {"type": "string", "format": "uuid"}),
        ("includeDuplicates", "With those to whom the same person wrote before.", _SWITCH),
        (
            "format",
            "As JSON, or as a part of a file, whose next part the header `X-Next-Cursor` names.",
            {"type": "string", "enum": ["json", "ndjson", "csv"], "default": "json"},
        ),
        ("limit", "How many rows at most.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        ("cursor", "The `next` of the part before; the first part without it.", {"type": "string", "maxLength": 100}),
    )
]
"""The parameters of messages to targets."""
OUTDATED: Json = {
    "name": "outdated",
    "in": "query",
    "description": "What becomes of those that the list does not name.",
    "schema": {"type": "string", "enum": [each.value for each in OutdatedTargets], "default": "keep"},
}
SERIES: list[Json] = [
    {"name": name, "in": "query", "description": description, "schema": schema}
    for name, description, schema in (
        ("by", "How long each step is.", {"type": "string", "enum": [*By], "default": "day"}),
        ("of", "What there is a line for.", {"type": "string", "enum": [*Of], "default": "campaign"}),
        ("since", "The first step: a day, or a moment in UTC.", {"type": "string", "pattern": whole(MOMENT.pattern)}),
        ("until", "The last step; now without it.", {"type": "string", "pattern": whole(MOMENT.pattern)}),
    )
]
ALWAYS = ("unauthorized", "not-allowed", "not-found", "too-many", "unavailable")
BODY = ("malformed", "too-large", "unsupported-media-type", "invalid-input")
DECIDED = ("ended", "in-use")
CREATED, ACCEPTED, NO_CONTENT = 201, 202, 204


class Managed(NamedTuple):
    """An endpoint. `path` is below `/v1`. `listed`: it answers a part of a list. `body`: whether it takes one.
    `table`: it is a list, which CSV says as well as JSON does.
    `anonymous`: nobody has to say who asks. `queries`: the parameters of what has others than all lists have.
    """

    operation: str
    method: str
    path: str
    summary: str
    status: int = 200
    problems: tuple[str, ...] = ()
    listed: bool = False
    body: bool | None = None
    anonymous: bool = False
    table: bool = False
    queries: Sequence[Json] = LIST

    @property
    def takes_body(self) -> bool:
        """Whether JSON is sent."""
        return self.method in {"POST", "PUT", "PATCH"} if self.body is None else self.body


ORG = "/orgs/{org}"
CAMPAIGN = f"{ORG}/campaigns/{{campaign}}"
TARGET = f"{CAMPAIGN}/targets/{{target}}"
PAGE = f"{ORG}/pages/{{page}}"
TEMPLATE = f"{ORG}/templates/{{template}}/{{locale}}"
MANAGED: tuple[Managed, ...] = (
    Managed(
        "register",
        "POST",
        "/account",
        "A new account; the answer does not tell whether there was one",
        ACCEPTED,
        anonymous=True,
    ),
    Managed("getAccount", "GET", "/account", "Who one is, and one's roles"),
    Managed("changeAccount", "PATCH", "/account", "Another profile", problems=("outdated",)),
    Managed(
        "askToConfirm",
        "POST",
        "/account/confirmations",
        "The mail that proves the address, again",
        ACCEPTED,
        anonymous=True,
    ),
    Managed(
        "confirm", "POST", "/account/confirmations/{token}", "Prove the address", NO_CONTENT, body=False, anonymous=True
    ),
    Managed(
        "askForPassword",
        "POST",
        "/account/password-resets",
        "A mail that lets choose a password",
        ACCEPTED,
        anonymous=True,
    ),
    Managed("resetPassword", "POST", "/account/password-resets/{token}", "A new password", NO_CONTENT, anonymous=True),
    Managed("changePassword", "PUT", "/account/password", "Another password; all tokens are void", NO_CONTENT),
    Managed("askForEmail", "POST", "/account/email-changes", "A mail to the new address", ACCEPTED),
    Managed(
        "changeEmail",
        "POST",
        "/account/email-changes/{token}",
        "The new address is proven",
        problems=("taken", "outdated"),
        body=False,
    ),
    Managed("listTokens", "GET", "/account/tokens", "The own API tokens, without what they are"),
    Managed("addToken", "POST", "/account/tokens", "A new API token, told once", CREATED, ("in-use",)),
    Managed("removeToken", "DELETE", "/account/tokens/{token}", "The end of an API token", NO_CONTENT),
    Managed("checkHealth", "GET", "/health", "How each part of the system is, for who owns the instance"),
    Managed("listUsers", "GET", "/users", "All users, for who manages them", listed=True),
    Managed("getUser", "GET", "/users/{user}", "A user, for who manages them"),
    Managed("changeUser", "PATCH", "/users/{user}", "Another profile of a user", problems=("outdated",)),
    Managed("listOrgs", "GET", "/orgs", "The caller's orgs; all orgs for who manages them", listed=True),
    Managed("createOrg", "POST", "/orgs", "A new org, owned by the caller", CREATED, ("taken",)),
    Managed("getOrg", "GET", ORG, "An org with its settings"),
    Managed("changeOrg", "PATCH", ORG, "Other settings, and queues as they ask for", problems=("taken", "outdated")),
    Managed("deleteOrg", "DELETE", ORG, "The end of an org, its queues with it", NO_CONTENT, ("in-use", "outdated")),
    Managed("listChanges", "GET", f"{ORG}/audit", "Who changed what of the org, the newest first", listed=True),
    Managed("listKeys", "GET", f"{ORG}/keys", "The org's keys, the newest first", listed=True),
    Managed(
        "createKey", "POST", f"{ORG}/keys", "A new pair, its private part shown once; or a key of one's own", CREATED
    ),
    Managed("getKey", "GET", f"{ORG}/keys/{{key}}", "One key"),
    Managed("activateKey", "POST", f"{ORG}/keys/{{key}}/activation", "Encrypt for it from now on", body=False),
    Managed("expireKey", "POST", f"{ORG}/keys/{{key}}/expiry", "Never use it again", body=False),
    Managed(
        "removeActiveKey",
        "DELETE",
        f"{ORG}/keys/active",
        "Clear text from now on, if that is said",
        NO_CONTENT,
        body=True,
    ),
    Managed("listQueues", "GET", f"{ORG}/queues", "How each queue of the org stands"),
    Managed("getQueuePrincipals", "GET", f"{ORG}/queues/principals", "The AWS principals that may read them"),
    Managed("setQueuePrincipals", "PUT", f"{ORG}/queues/principals", "These, and no others", problems=("outdated",)),
    Managed("lendQueueCredentials", "POST", f"{ORG}/queue-credentials", "Credentials of AWS for an hour", CREATED),
    Managed(
        "takeMessages",
        "GET",
        f"{ORG}/queues/{{queue}}/messages",
        "Messages, which nobody else gets while their lease lasts",
        problems=("invalid-input",),
    ),
    Managed("acknowledgeMessages", "POST", f"{ORG}/queues/{{queue}}/acknowledgements", "Messages that are done"),
    Managed("extendLeases", "POST", f"{ORG}/queues/{{queue}}/leases", "Messages that take longer"),
    Managed("redriveQueue", "POST", f"{ORG}/queues/{{queue}}/redrive", "What was given up, back from the DLQ"),
    Managed("listActions", "GET", f"{ORG}/actions", "The org's actions, with contacts", listed=True, queries=ROWS),
    Managed("listContacts", "GET", f"{ORG}/contacts", "Those with which a contact came", listed=True, queries=ROWS),
    Managed("lookUpContact", "POST", f"{ORG}/contacts/look-up", "All that the org has of one person"),
    Managed("listExports", "GET", f"{ORG}/exports", "The org's files, the newest first", listed=True),
    Managed("createExport", "POST", f"{ORG}/exports", "Rows as a file, which is written from now on", ACCEPTED),
    Managed("getExport", "GET", f"{ORG}/exports/{{export}}", "How far a file is, and the link to it"),
    Managed("deleteExport", "DELETE", f"{ORG}/exports/{{export}}", "The end of a file", NO_CONTENT),
    Managed("listErasures", "GET", f"{ORG}/erasures", "The org's certificates, the newest first", listed=True),
    Managed("erasePerson", "POST", f"{ORG}/erasures", "Erase a person; 202 when it goes on by itself", CREATED),
    Managed("getErasure", "GET", f"{ORG}/erasures/{{erasure}}", "The certificate of one"),
    Managed("requestAccess", "POST", f"{ORG}/access-requests", "All that the org has of a person"),
    Managed("getRetention", "GET", f"{ORG}/retention", "How long the org keeps what it has"),
    Managed("applyRetention", "POST", f"{ORG}/retention", "Erase what is kept too long, or say whom that is about"),
    Managed("requeueActions", "POST", f"{ORG}/requeues", "Messages of actions once more"),
    Managed("listStaff", "GET", f"{ORG}/staff", "The org's staff and their roles", listed=True),
    Managed("addStaffer", "POST", f"{ORG}/staff", "A user becomes a staffer; 200 for who is one already", CREATED),
    Managed("getStaffer", "GET", f"{ORG}/staff/{{user}}", "One staffer"),
    Managed("changeStaffer", "PATCH", f"{ORG}/staff/{{user}}", "Another role", problems=("in-use", "outdated")),
    Managed("removeStaffer", "DELETE", f"{ORG}/staff/{{user}}", "The end of it", NO_CONTENT, ("in-use", "outdated")),
    Managed("joinOrg", "POST", f"{ORG}/members/me", "The caller, who may join any org, owns this one", body=False),
    Managed("listInvitations", "GET", f"{ORG}/invitations", "Invitations that nobody answered yet", listed=True),
    Managed("inviteStaffer", "POST", f"{ORG}/invitations", "Ask somebody to become a staffer", CREATED),
    Managed("takeBackInvitation", "DELETE", f"{ORG}/invitations/{{invitation}}", "The end of one", NO_CONTENT),
    Managed("listConfirms", "GET", f"{ORG}/confirms", "What waits for the org to decide", listed=True),
    Managed("acceptForOrg", "POST", f"{ORG}/confirms/{{code}}/acceptance", "Agree, as the org", problems=DECIDED),
    Managed("rejectForOrg", "POST", f"{ORG}/confirms/{{code}}/rejection", "Refuse, as the org", problems=DECIDED),
    Managed("accept", "POST", "/account/confirms/{code}/acceptance", "Agree, as oneself", problems=DECIDED),
    Managed("reject", "POST", "/account/confirms/{code}/rejection", "Refuse, as oneself", problems=DECIDED),
    Managed(
        "listPartnerInvitations", "GET", f"{ORG}/partner-invitations", "Those that no partner answered yet", listed=True
    ),
    Managed("invitePartner", "POST", f"{ORG}/partner-invitations", "Ask another org to run a copy of a page", CREATED),
    Managed(
        "takeBackPartnerInvitation",
        "DELETE",
        f"{ORG}/partner-invitations/{{invitation}}",
        "The end of one",
        NO_CONTENT,
    ),
    Managed("askToJoin", "POST", f"{ORG}/join-requests", "Ask the lead to launch all pages of the org", ACCEPTED),
    Managed("listCampaigns", "GET", f"{ORG}/campaigns", "What the org leads or has a page in", listed=True),
    Managed("createCampaign", "POST", f"{ORG}/campaigns", "A new campaign", CREATED, ("taken",)),
    Managed("getCampaign", "GET", CAMPAIGN, "A campaign"),
    Managed(
        "putCampaign",
        "PUT",
        CAMPAIGN,
        "A campaign with pages: made or changed, all or nothing",
        problems=("taken", "outdated"),
    ),
    Managed("changeCampaign", "PATCH", CAMPAIGN, "Other settings", problems=("taken", "outdated")),
    Managed(
        "deleteCampaign",
        "DELETE",
        CAMPAIGN,
        "The end of a campaign and its lead's pages",
        NO_CONTENT,
        ("in-use", "outdated"),
    ),
    Managed("listPartners", "GET", f"{CAMPAIGN}/partners", "Orgs with pages in it, and what they ask for", listed=True),
    Managed(
        "getSeries",
        "GET",
        f"{CAMPAIGN}/series",
        "Numbers over time: of the campaign for its lead, of its own pages for a partner",
        problems=("invalid-input",),
        queries=SERIES,
    ),
    Managed("listTargets", "GET", f"{CAMPAIGN}/targets", "To whom supporters write, with addresses", listed=True),
    Managed("putTargets", "PUT", f"{CAMPAIGN}/targets", "A list of targets, each new or changed", table=True),
    Managed("createTarget", "POST", f"{CAMPAIGN}/targets", "One more target", CREATED, ("taken", "in-use")),
    Managed("getTarget", "GET", TARGET, "A target with its addresses"),
    Managed("changeTarget", "PATCH", TARGET, "Other settings, other addresses", problems=("taken", "outdated")),
    Managed(
        "deleteTarget", "DELETE", TARGET, "The end of a target without messages", NO_CONTENT, ("in-use", "outdated")
    ),
    Managed("listAudits", "GET", f"{CAMPAIGN}/audits", "When its numbers were counted again", listed=True),
    Managed("askForAudit", "POST", f"{CAMPAIGN}/audits", "Count it again, from its actions", ACCEPTED, ("in-use",)),
    Managed("getAudit", "GET", f"{CAMPAIGN}/audits/{{audit}}", "What an audit found, or how far it is"),
    Managed(
        "listMessages",
        "GET",
        f"{CAMPAIGN}/messages",
        "What its supporters wrote to targets, and what became of it",
        listed=True,
        queries=MESSAGES,
    ),
    Managed("getNextMessages", "GET", f"{CAMPAIGN}/mtt/next", "Which messages would go out now"),
    Managed(
        "listUncertainMessages",
        "GET",
        f"{CAMPAIGN}/mtt/uncertain",
        "Messages of which nobody knows whether they went out",
        listed=True,
    ),
    Managed("listPages", "GET", f"{ORG}/pages", "The org's pages", listed=True),
    Managed("createPage", "POST", f"{ORG}/pages", "A new page, or a copy of one", CREATED, ("taken",)),
    Managed("getActionPage", "GET", PAGE, "A page of the org"),
    Managed("changePage", "PATCH", PAGE, "Other settings", problems=("taken", "outdated")),
    Managed("deletePage", "DELETE", PAGE, "The end of a page and of tests on it", NO_CONTENT, ("in-use", "outdated")),
    Managed("launchPage", "POST", f"{PAGE}/launch", "Live at once for the lead; a partner asks the lead (202)"),
    Managed("listServices", "GET", f"{ORG}/services", "The org's services, without passwords", listed=True),
    Managed("createService", "POST", f"{ORG}/services", "One more service", CREATED),
    Managed("getService", "GET", f"{ORG}/services/{{service}}", "One service"),
    Managed(
        "changeService",
        "PATCH",
        f"{ORG}/services/{{service}}",
        "Other settings, another password",
        problems=("outdated",),
    ),
    Managed(
        "deleteService",
        "DELETE",
        f"{ORG}/services/{{service}}",
        "The end of a service",
        NO_CONTENT,
        ("in-use", "outdated"),
    ),
    Managed("listTemplates", "GET", f"{ORG}/templates", "The org's templates by name and locale", listed=True),
    Managed("getTemplate", "GET", TEMPLATE, "One template with its texts"),
    Managed("putTemplate", "PUT", TEMPLATE, "This template, new or changed", problems=("outdated",)),
    Managed("deleteTemplate", "DELETE", TEMPLATE, "The end of a template", NO_CONTENT, ("outdated",)),
    Managed("previewTemplate", "POST", f"{TEMPLATE}/preview", "What a mail would say, with sample data"),
)


def operation(managed: Managed, response: Callable[[str], Json]) -> Json:
    """The operation of an endpoint; `response` refers to that of a problem's code."""
    statuses = {str(managed.status): _success(managed)}
    lists = ("invalid-input",) if managed.listed else ()
    for code in (*ALWAYS, *(BODY if managed.takes_body else lists), *managed.problems):
        status, reference = next(iter(response(code).items()))
        statuses[status] = reference
    made: Json = {
        "operationId": managed.operation,
        "tags": [TAG],
        "summary": managed.summary,
        "security": [] if managed.anonymous else [{name: []} for name in SECURITY],
        "parameters": [_in_path(name) for name in re.findall(r"\{(\w+)\}", managed.path)],
        "responses": dict(sorted(statuses.items())),
    }
    if managed.listed or managed.queries is not LIST:
        made["parameters"] += managed.queries
    if managed.takes_body:
        made["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
    if managed.table:
        made["parameters"] += [OUTDATED]
        made["requestBody"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    return made


def _in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _success(managed: Managed) -> Json:
    if managed.status == NO_CONTENT:
        return {"description": "It is done."}
    schema: Json = {"type": "object"}
    if managed.listed:
        items = {"type": "array", "items": {"type": "object"}}
        schema |= {"required": ["items", "next"], "properties": {"items": items, "next": {"type": ["string", "null"]}}}
    return {"description": "It is done, and is so now.", "content": {"application/json": {"schema": schema}}}
