"""Requests with their answers. The document shows them, and a test sends each through the functions: an answer that
differs, in its status or in its body, fails it.

They are sent one by one to an instance that has page 1 "bees/en" of the org "bees" and its campaign "save_bees", where
nobody has signed yet, or what `given` names.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from proca_common.actions.donation import NOT_A_CURRENCY, NOT_POSITIVE
from proca_common.failures import BAD_FORMAT, BLANK, UNKNOWN_FIELD
from proca_common.http.problems import TITLES, TYPE
from proca_common.http.requests import MAX_BODY_BYTES
from proca_common.payments.input import NOTHING
from tools.openapi.endpoints import ENDPOINTS, Endpoint
from tools.openapi.parameters import PARAMETERS
from tools.openapi.problems import PROBLEMS

Json = dict[str, Any]

CONTACT_REF = "KOIt83xCckyP_y8F8vRs_SECipR9ufL_udtlL_i0FiU"
ACTION_ID = 371234567890123
STORE_IS_BUSY = "the store is busy"
FULL_SUPPORTER = "the supporter has as many actions as one may have"
PROOF_OF_WORK = "the campaign asks for proof of work"
BLOCKED = "the campaign refuses addresses of this domain"
BLOCKED_NETWORK = "the campaign refuses this client's network"
SIGNED = "somebody signed, and the campaign shows comments"
STRIPE = "the page's org has Stripe"
DECLINING = "the page's org has Stripe, which declines"
BY_CHANCE = {"actionId", "createdAt", "nonce", "salt", "signature", "expiresAt"}
"""Keys whose values no two answers share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request of one endpoint, and what it is answered. A body that is a text is sent as it is.

    `path`: parameters of the path that differ from their own examples. `answer`: None where there is no body.
    """

    operation: str
    name: str
    summary: str
    status: int
    answer: Json | None
    path: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | str | None = None
    given: str = ""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that it is sent to."""
        return next(endpoint for endpoint in ENDPOINTS if endpoint.operation == self.operation)

    @property
    def url_path(self) -> str:
        """The path that it is sent to."""
        examples = {name: parameter["example"] for name, parameter in PARAMETERS.items()}
        return self.endpoint.path.format_map({**examples, **self.path})


def problem(code: str, *errors: tuple[str, str, str], detail: str = "") -> Json:
    """The answer of a problem type; `errors` are (pointer, code, message)."""
    status = PROBLEMS[code].status
    found: Json = {"type": TYPE + code, "title": TITLES[status], "status": status}
    if detail:
        found["detail"] = detail
    if errors:
        found["errors"] = [{"pointer": at, "code": rule, "message": message} for at, rule, message in errors]
    return found


def taken(first_name: str | None, contact_ref: str = CONTACT_REF) -> Json:
    """The answer to an action that is stored."""
    return {"actionId": ACTION_ID, "contactRef": contact_ref, "firstName": first_name}


BEES: Json = {"name": "bees", "title": "Bees", "config": {}}
NUMBERS: Json = {"supporterCount": 0, "supporterCountByOrg": [], "supporterCountByArea": [], "actionCount": {}}
CAMPAIGN: Json = {
    "id": 1,
    "externalId": None,
    "name": "save_bees",
    "title": "Save_Bees",
    "status": "live",
    "contactSchema": "basic",
    "config": {},
    "start": None,
    "end": None,
    "org": BEES,
    "numbers": NUMBERS,
}
PAGE: Json = {
    "id": 1,
    "name": "bees/en",
    "locale": "en",
    "live": False,
    "thankYouTemplate": None,
    "config": {},
    "captchaServices": [],
    "org": BEES,
    "campaign": CAMPAIGN,
}
SHOWN: Json = {
    "actionId": ACTION_ID,
    "actionType": "register",
    "createdAt": "2026-11-22T18:31:07Z",
    "area": "SE",
    "customFields": {"comment": "My kids swim here"},
}
COUNTED: Json = {
    "supporterCount": 1,
    "supporterCountByOrg": [{"org": {"name": "bees", "title": "Bees"}, "count": 1}],
    "supporterCountByArea": [{"area": "SE", "count": 1}],
    "actionCount": {"register": 1},
}
SIGNATURE: Json = {
    "action": {"actionType": "register"},
    "contact": {"firstName": "Mara", "lastName": "Lind", "email": "mara.lind@example.org"},
    "privacy": {"optIn": True},
}
SHARE: Json = {"action": {"actionType": "share"}}
SINGLE: Json = {"amount": 1500, "currency": "EUR", "paymentMethodTypes": ["card"], "contactRef": CONTACT_REF}
MONTHLY: Json = {"amount": 500, "currency": "EUR", "frequencyUnit": "monthly", "contactRef": CONTACT_REF}
WITH_CUSTOMER: Json = {
    "customer": {"name": "Mara Lind", "email": "mara.lind@example.org", "address": {"country": "SE"}},
    "paymentIntent": {"amount": 1500, "currency": "eur", "setup_future_usage": "off_session"},
}
PAYMENTS = (
    ("createStripePaymentIntent", SINGLE),
    ("createStripeSubscription", MONTHLY),
    ("createStripeObjects", WITH_CUSTOMER),
)

EXAMPLES = (
    Example(
        operation="addActionContact",
        name="least",
        summary="The least that a signature has",
        body=SIGNATURE,
        status=201,
        answer=taken("Mara"),
    ),
    Example(
        operation="addActionContact",
        name="whole",
        summary="A signature with address, custom fields, tracking, and a ref of what the person did before",
        body={
            "action": {"actionType": "register", "customFields": {"comment": "My kids swim here", "pets": ["cat"]}},
            "contact": {
                **SIGNATURE["contact"],
                "phone": "+46 70 123 45 67",
                "address": {"country": "SE", "postcode": "114 55", "locality": "Stockholm"},
            },
            "privacy": {"optIn": True, "leadOptIn": False},
            "tracking": {
                "source": "newsletter",
                "medium": "email",
                "campaign": "spring",
                "content": "b",
                "location": "https://campaign.example.org/bees",
            },
            "contactRef": "bm90X3lldF9rbm93bg",
        },
        headers={"Idempotency-Key": "5b1f4a0e-7f0c-4c0e-9a55-2f6f0d1f6a3c"},
        status=201,
        answer=taken("Mara"),
    ),
    Example(
        operation="addActionContact",
        name="donation",
        summary="A signature with a donation; of its payload all but provider, ids, amount and status is encrypted",
        body={
            **SIGNATURE,
            "action": {
                "actionType": "donate",
                "donation": {
                    "amount": 1500,
                    "currency": "SEK",
                    "frequencyUnit": "monthly",
                    "payload": {"provider": "sepa", "id": "mandate-7", "iban": "SE35 5000 0000 0549 1000 0003"},
                },
            },
        },
        status=201,
        answer=taken("Mara"),
    ),
    Example(
        operation="addActionContact",
        name="refused",
        summary="Every broken rule is named at once",
        body={
            "action": {"actionType": "register", "colour": "red"},
            "contact": {"firstName": "M4ra", "email": ""},
            "privacy": {"optIn": None},
        },
        status=422,
        answer=problem(
            "invalid-input",
            ("/action/colour", "unknown_field", UNKNOWN_FIELD),
            ("/contact/firstName", "format", BAD_FORMAT),
            ("/contact/name", "format", BAD_FORMAT),
            ("/contact/email", "blank", BLANK),
        ),
    ),
    Example(
        operation="addActionContact",
        name="unsolved",
        summary="The campaign asks for the solution of a challenge",
        body=SIGNATURE,
        given=PROOF_OF_WORK,
        status=422,
        answer=problem("invalid-input", ("/captcha", "unauthorized", "Captcha code is required for this API call")),
    ),
    Example(
        operation="addActionContact",
        name="blocked",
        summary="The campaign refuses it, and does not tell why",
        body=SIGNATURE,
        given=BLOCKED,
        status=403,
        answer=problem("not-allowed", detail="this cannot be taken"),
    ),
    Example(
        operation="addAction",
        name="share",
        summary="The person shares",
        body={"action": {"actionType": "share", "customFields": {"medium": "whatsapp"}}},
        path={"contactRef": CONTACT_REF},
        status=201,
        answer=taken(None),
    ),
    Example(
        operation="addAction",
        name="before_signing",
        summary="An action before the signature, under a ref of the widget's own",
        body=SHARE,
        status=201,
        answer=taken(None, "bm90X3lldF9rbm93bg"),
    ),
    Example(
        operation="addAction",
        name="refused",
        summary="No action type, and a ref that is none",
        body={"action": {"actionType": ""}},
        path={"contactRef": "a"},
        status=422,
        answer=problem(
            "invalid-input",
            ("/contactRef", "base64url", "Cannot decode from Base64url"),
            ("/action/actionType", "blank", BLANK),
        ),
    ),
    Example(
        operation="addAction",
        name="full_supporter",
        summary="One supporter has done enough",
        body=SHARE,
        path={"contactRef": CONTACT_REF},
        given=FULL_SUPPORTER,
        status=429,
        answer=problem("too-many", detail="too many actions of one supporter"),
    ),
    Example(
        operation="linkActions",
        name="links",
        summary="What was done under a ref of the widget's own",
        body={"linkRefs": ["bm90X3lldF9rbm93bg"]},
        path={"contactRef": CONTACT_REF},
        status=202,
        answer={"contactRef": CONTACT_REF, "firstName": None},
    ),
    Example(
        operation="linkActions",
        name="refused",
        summary="A ref that is none",
        body={"linkRefs": ["a"]},
        path={"contactRef": CONTACT_REF},
        status=422,
        answer=problem("invalid-input", ("/linkRefs/0", "base64url", "Cannot decode from Base64url")),
    ),
    Example(
        operation="getChallenge",
        name="challenge",
        summary="A challenge",
        query={"page": "1"},
        given=PROOF_OF_WORK,
        status=200,
        answer={
            "parameters": {
                "algorithm": "SCRYPT",
                "cost": 4096,
                "keyLength": 32,
                "keyPrefix": "00",
                "nonce": "cd21366975ff1391a2397f937672d434",
                "salt": "92c0fd1c00aca452e61436669f53b66d",
                "memoryCost": 8,
                "parallelism": 1,
                "expiresAt": 1790000600,
                "data": {"page": 1},
            },
            "signature": "d230f601dcca0a4212b54e2d55d4487b55f803fbd32c901a31b4b3bc60f97d93",
        },
    ),
    Example(
        operation="getChallenge",
        name="not-found",
        summary="The campaign asks for none",
        query={"page": "1"},
        status=404,
        answer=problem("not-found", detail="No such challenge"),
    ),
    Example(
        operation="getChallenge",
        name="no_page",
        summary="No page",
        status=422,
        answer=problem("invalid-input", ("/page", "blank", BLANK)),
    ),
    Example(
        operation="createStripePaymentIntent",
        name="single",
        summary="A single payment",
        body=SINGLE,
        given=STRIPE,
        status=201,
        answer={
            "id": "pi_1",
            "object": "payment_intent",
            "livemode": False,
            "amount": 1500,
            "currency": "eur",
            "status": "requires_payment_method",
            "client_secret": "pi_1_secret_x",
        },
    ),
    Example(
        operation="createStripeSubscription",
        name="monthly",
        summary="The same each month",
        body=MONTHLY,
        given=STRIPE,
        status=201,
        answer={
            "id": "sub_3",
            "object": "subscription",
            "livemode": False,
            "status": "incomplete",
            "customer": "cus_1",
            "latest_invoice": {
                "id": "in_1",
                "object": "invoice",
                "status": "open",
                "payment_intent": {
                    "id": "pi_1",
                    "object": "payment_intent",
                    "status": "requires_payment_method",
                    "client_secret": "pi_1_secret_x",
                },
            },
        },
    ),
    Example(
        operation="createStripeObjects",
        name="with_customer",
        summary="A payment whose method may be used again, and the customer it belongs to",
        body=WITH_CUSTOMER,
        given=STRIPE,
        status=201,
        answer={
            "id": "pi_2",
            "object": "payment_intent",
            "livemode": False,
            "amount": 1500,
            "currency": "eur",
            "status": "requires_payment_method",
            "client_secret": "pi_2_secret_x",
            "customer": "cus_1",
        },
    ),
    *(
        Example(
            operation=operation,
            name="not_set_up",
            summary="The page's org has no Stripe",
            body=body,
            status=404,
            answer=problem("not-found", detail="Action Page does not support Stripe"),
        )
        for operation, body in PAYMENTS
    ),
    *(
        Example(
            operation=operation,
            name="declined",
            summary="Who pays is refused",
            body=body,
            given=DECLINING,
            status=402,
            answer={
                **problem("payment-refused", detail="Your card was declined."),
                "providerCode": "insufficient_funds",
            },
        )
        for operation, body in PAYMENTS
    ),
    *(
        Example(
            operation=operation,
            name="refused",
            summary="Nothing, of a currency that does not exist",
            body={**body, "amount": 0, "currency": "XYZ"},
            status=422,
            answer=problem(
                "invalid-input",
                ("/amount", "not_positive", NOT_POSITIVE),
                ("/currency", "unknown_currency", NOT_A_CURRENCY),
            ),
        )
        for operation, body in PAYMENTS[:2]
    ),
    Example(
        operation="createStripeObjects",
        name="refused",
        summary="Nothing to create",
        body={},
        status=422,
        answer=problem("invalid-input", ("", "blank", NOTHING)),
    ),
    *(
        Example(
            operation=operation,
            name="blocked",
            summary="The campaign refuses it, and does not tell why",
            body=body,
            given=BLOCKED_NETWORK,
            status=403,
            answer=problem("not-allowed", detail="this cannot be taken"),
        )
        for operation, body in (("addAction", SHARE), ("linkActions", {"linkRefs": ["bm90X3lldF9rbm93bg"]}), *PAYMENTS)
    ),
    Example(operation="getPage", name="page", summary="A page", status=200, answer=PAGE),
    Example(
        operation="getPage",
        name="unchanged",
        summary="What the client has already",
        headers={"If-None-Match": "*"},
        status=304,
        answer=None,
    ),
    Example(operation="findPage", name="page", summary="A page", query={"name": "Bees/EN"}, status=200, answer=PAGE),
    Example(
        operation="findPage",
        name="no_name",
        summary="No name",
        status=422,
        answer=problem("invalid-input", ("/name", "blank", BLANK)),
    ),
    Example(
        operation="findPage",
        name="not-found",
        summary="Nobody knows the name",
        query={"name": "no/such/page"},
        status=404,
        answer=problem("not-found", detail="No such action page"),
    ),
    *(
        Example(
            operation=operation,
            name="numbers",
            summary="Nobody has signed yet",
            status=200,
            answer=NUMBERS,
        )
        for operation in ("getNumbers", "getCampaignNumbers")
    ),
    *(
        Example(
            operation=operation,
            name="signed",
            summary="Somebody signed on a page of this org, nobody on those of others",
            query={"others": "bees"},
            given=SIGNED,
            status=200,
            answer={**COUNTED, "supporterCountByOthers": 0},
        )
        for operation in ("getNumbers", "getCampaignNumbers")
    ),
    Example(
        operation="getStaticPage",
        name="page",
        summary="A page of a campaign that shows who signed",
        given=SIGNED,
        status=200,
        answer={**PAGE, "campaign": {**CAMPAIGN, "numbers": COUNTED}, "actions": {"register": [SHOWN]}},
    ),
    Example(
        operation="getStaticPage",
        name="refused",
        summary="More than there may be",
        query={"limit": "101"},
        status=422,
        answer=problem("invalid-input", ("/limit", "invalid", "should be a number from 1 to 100")),
    ),
    Example(operation="getPublicCampaign", name="campaign", summary="A campaign", status=200, answer=CAMPAIGN),
    Example(
        operation="findCampaign",
        name="campaign",
        summary="A campaign",
        query={"name": "SAVE_bees"},
        status=200,
        answer=CAMPAIGN,
    ),
    Example(
        operation="findCampaign",
        name="no_name",
        summary="No name",
        status=422,
        answer=problem("invalid-input", ("/name", "blank", BLANK)),
    ),
    Example(
        operation="findCampaign",
        name="not-found",
        summary="Nobody knows the name",
        query={"name": "no_such_campaign"},
        status=404,
        answer=problem("not-found", detail="No such campaign"),
    ),
    Example(
        operation="getPublicActions",
        name="actions",
        summary="Somebody signed, and said why",
        query={"type": "register"},
        given=SIGNED,
        status=200,
        answer={"items": [SHOWN], "next": None},
    ),
    Example(
        operation="getPublicActions",
        name="none",
        summary="The campaign shows no actions of this type",
        query={"type": "donate"},
        status=200,
        answer={"items": [], "next": None},
    ),
    Example(
        operation="getPublicActions",
        name="refused",
        summary="No type, and a cursor that is none",
        query={"cursor": "-"},
        status=422,
        answer=problem("invalid-input", ("/type", "blank", BLANK), ("/cursor", "format", BAD_FORMAT)),
    ),
    Example(
        operation="getTargets",
        name="none",
        summary="A campaign without targets",
        status=200,
        answer={"items": [], "next": None},
    ),
    Example(
        operation="getTargets",
        name="refused",
        summary="More than there may be, and a cursor that is none",
        query={"limit": "501", "cursor": "-"},
        status=422,
        answer=problem(
            "invalid-input",
            ("/limit", "invalid", "should be a number from 1 to 500"),
            ("/cursor", "format", BAD_FORMAT),
        ),
    ),
    Example(
        operation="getMessageNumbers",
        name="none",
        summary="No message was sent yet",
        status=200,
        answer={"targets": 0, "sent": 0},
    ),
    *(
        Example(
            operation=operation,
            name="unchanged",
            summary="What the client has already",
            query=query,
            headers={"If-None-Match": "*"},
            status=304,
            answer=None,
        )
        for operation, query in (
            ("getNumbers", {}),
            ("getStaticPage", {}),
            ("getPublicCampaign", {}),
            ("getCampaignNumbers", {}),
            ("getPublicActions", {"type": "register"}),
            ("getTargets", {}),
            ("getMessageNumbers", {}),
        )
    ),
    Example(operation="health", name="healthy", summary="All is well", status=200, answer={"status": "ok"}),
    Example(
        operation="health",
        name="unreachable",
        summary="The store does not answer",
        given=STORE_IS_BUSY,
        status=503,
        answer={"status": "error", "message": "database unreachable"},
    ),
)


def sound(endpoint: Endpoint) -> Example:
    """The endpoint's first example, which succeeds."""
    return next(example for example in EXAMPLES if example.operation == endpoint.operation)


def generic(endpoint: Endpoint) -> Iterator[Example]:
    """What goes wrong in the same way everywhere, on this endpoint: its sound example, spoilt."""
    if endpoint.operation not in {example.operation for example in EXAMPLES}:
        return
    right = sound(endpoint)
    if "malformed" in endpoint.problems:
        yield _spoilt(right, "malformed", problem("malformed", detail="The body is not JSON"), body='{"action":')
    if "too-large" in endpoint.problems:
        detail = f"The body may have {MAX_BODY_BYTES} bytes"
        yield _spoilt(right, "too-large", problem("too-large", detail=detail), body=_padded(right.body))
    if "unsupported-media-type" in endpoint.problems:
        answer = problem("unsupported-media-type", detail="Send application/json")
        yield _spoilt(right, "unsupported-media-type", answer, headers={"Content-Type": "text/plain"})
    if "not-found" in endpoint.problems and "{page}" in endpoint.path:
        answer = problem("not-found", detail="No such action page")
        yield _spoilt(right, "not-found", answer, path={**right.path, "page": 404})
    if "not-found" in endpoint.problems and "{campaign}" in endpoint.path:
        answer = problem("not-found", detail="No such campaign")
        yield _spoilt(right, "not-found", answer, path={**right.path, "campaign": 404})
    if "unavailable" in endpoint.problems and endpoint.operation not in WITHOUT_STORE:
        yield _spoilt(right, "unavailable", problem("unavailable"), given=STORE_IS_BUSY)


WITHOUT_STORE = {"getOpenapi", "health"}
"""Endpoints that do not fail with the store: one asks it nothing, the other says how it is."""


def _padded(body: object) -> str:
    return json.dumps(body).ljust(MAX_BODY_BYTES + 1)


def _spoilt(right: Example, code: str, answer: Json, **changes: Any) -> Example:
    when = PROBLEMS[code]
    return dataclasses.replace(right, name=code, summary=when.when, status=when.status, answer=answer, **changes)


def every_example() -> list[Example]:
    """All of them, the generic ones included."""
    return [*EXAMPLES, *(example for endpoint in ENDPOINTS for example in generic(endpoint))]
