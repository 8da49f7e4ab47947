"""Parameters and headers: their forms and limits are those of the functions that read them."""

from __future__ import annotations

from typing import Any

from proca_common.action_pages.page import MAX_NAME, PAGE_NAME
from proca_common.actions.input import MAX_CONTACT_REF
from proca_common.http.requests import IDEMPOTENCY_KEY, MAX_ID
from proca_common.monitors.public_actions import MOST, USUAL
from proca_common.targets.public import MAX_SHOWN
from tools.openapi.limits import CONTACT_REF, whole

Json = dict[str, Any]

_PAGE = {"type": "integer", "minimum": 1, "maximum": MAX_ID}

PARAMETERS: dict[str, Json] = {
    "page": {
        "name": "page",
        "in": "path",
        "required": True,
        "description": "The action page's id.",
        "schema": _PAGE,
        "example": 1,
    },
    "of-page": {
        "name": "page",
        "in": "query",
        "required": True,
        "description": "The id of the action page that is to be signed.",
        "schema": _PAGE,
        "example": 1,
    },
    "campaign": {
        "name": "campaign",
        "in": "path",
        "required": True,
        "description": "The campaign's id.",
        "schema": _PAGE,
        "example": 1,
    },
    "contactRef": {
        "name": "contactRef",
        "in": "path",
        "required": True,
        "description": (
            "Whose action it is: the `contactRef` of an answer, or a text of the widget's own that a later signature "
            "names. Base64url without padding."
        ),
        "schema": {"type": "string", "pattern": CONTACT_REF, "minLength": 2, "maxLength": MAX_CONTACT_REF},
        "example": "bm90X3lldF9rbm93bg",
    },
    "name": {
        "name": "name",
        "in": "query",
        "required": True,
        "description": "The action page's name, in any case of letters.",
        "schema": {"type": "string", "pattern": whole(PAGE_NAME.pattern), "minLength": 3, "maxLength": MAX_NAME},
        "example": "bees/en",
    },
    "campaign-name": {
        "name": "name",
        "in": "query",
        "required": True,
        "description": "The campaign's name, in any case of letters.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "minLength": 1, "maxLength": 100},
        "example": "save_bees",
    },
    "others": {
        "name": "others",
        "in": "query",
        "description": "The name of an org: count also the people of all others, as `supporterCountByOthers`.",
        "schema": {"type": "string"},
        "example": "bees",
    },
    "type": {
        "name": "type",
        "in": "query",
        "required": True,
        "description": "Which actions: their type.",
        "schema": {"type": "string", "minLength": 1},
        "example": "register",
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        "example": 10,
    },
    "area": {
        "name": "area",
        "in": "query",
        "description": "Only targets of this area.",
        "schema": {"type": "string"},
        "example": "PT",
    },
    "locale": {
        "name": "locale",
        "in": "query",
        "description": "Only targets that are written to in this language.",
        "schema": {"type": "string"},
        "example": "pt_BR",
    },
    "targets-limit": {
        "name": "limit",
        "in": "query",
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_SHOWN, "default": MAX_SHOWN},
        "example": 100,
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "What the part before this one said as `next`.",
        "schema": {"type": "string"},
        "example": "MzcxMjM0NTY3ODkwMTIz",
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "Made once per attempt to do something. Sent again within 24 hours, the same body stores nothing more and "
            "gets the same answer with `Idempotent-Replay: true`; another body is refused."
        ),
        "schema": {"type": "string", "pattern": whole(IDEMPOTENCY_KEY.pattern), "minLength": 1, "maxLength": 64},
        "example": "5b1f4a0e-7f0c-4c0e-9a55-2f6f0d1f6a3c",
    },
    "Referer": {
        "name": "Referer",
        "in": "header",
        "description": (
            "The page the widget stands on; browsers send it. Tracking may name a location below it, never elsewhere."
        ),
        "schema": {"type": "string"},
        "example": "https://campaign.example.org/bees",
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of what the client has already.",
        "schema": {"type": "string"},
        "example": '"9f86d081884c7d659a2feaa0c55ad015"',
    },
}

HEADERS: dict[str, Json] = {
    "Access-Control-Allow-Origin": {
        "description": "Which sites may read the answer: any, unless the instance names one.",
        "schema": {"type": "string"},
        "example": "*",
    },
    "Cache-Control": {
        "description": "Who may keep the answer, and for how long.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Names this version of the answer, to be sent as `If-None-Match`.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Idempotent-Replay": {
        "description": "There when nothing was stored now, because this `Idempotency-Key` was used before.",
        "schema": {"const": "true"},
    },
    "Retry-After": {
        "description": "Seconds after which it may be tried again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
