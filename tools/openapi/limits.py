"""What the rules say about the values of a body, as JSON Schema: every number and pattern is the rule's own.

The models know types and names; the rules of contacts are a table by JSON Pointer, and those of actions are functions
with constants. Here both are laid over the schemas of the models, so that no function pays for describing itself.
"""

from __future__ import annotations

from typing import Any, get_args

from proca_common.actions import donation, mtt
from proca_common.actions import input as actions
from proca_common.actions.fields import MAX_BYTES
from proca_common.actions.source import MAX_LENGTH
from proca_common.contacts.rules import FIELD_RULES
from proca_common.documents import MAX_DEPTH
from proca_common.payments import input as payments

Json = dict[str, Any]

CONTACT_MODELS = {"": "ContactInput", "/address": "AddressInput", "/nationality": "NationalityInput"}
SENDABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]*$"
"""`actions.fields.UNSENDABLE`, the other way round."""


def whole(pattern: str) -> str:
    """The pattern of a text that must match as a whole."""
    return f"^(?:{pattern})$" if "|" in pattern else f"^{pattern}$"


def or_empty(pattern: str) -> str:
    """The same; "" is an absent value (domain 0.3.5)."""
    return f"^(?:{pattern})?$"


_WORD = "[A-Za-z0-9_-]"
CONTACT_REF_FORM = f"(?:{_WORD}{{4}})*{_WORD}{{2,4}}"
"""A length that base64 can have: four divides it, or leaves two or three."""
CONTACT_REF = whole(CONTACT_REF_FORM)
_TEXT: Json = {"type": "string", "pattern": SENDABLE}
_CUT = f"Cut to {MAX_LENGTH} characters."


def limits() -> dict[str, Json]:
    """What is known of a value, by its place: `<model>.<field>`, and so on for a field within it, `[]` for the items of
    a list; keywords that are added to its schema, or removed where they are None.
    """
    found = _of_contacts()
    for table in (_DESCRIPTIONS, _OF_ACTIONS, _OF_PAYMENTS):
        for place, keywords in table.items():
            found[place] = {**found.get(place, {}), **keywords}
    return found


def _of_contacts() -> dict[str, Json]:
    """Of the texts of a contact."""
    found: dict[str, Json] = {}
    for pointer, rule in FIELD_RULES.items():
        parent, _, field = pointer.rpartition("/")
        found[f"{CONTACT_MODELS[parent]}.{field}"] = {
            "pattern": or_empty(rule.sent),
            **({} if rule.limit is None else {"maxLength": rule.limit}),
        }
    return found


_DESCRIPTIONS: dict[str, Json] = {
    place: {"description": said}
    for place, said in {
        "AddActionContactInput": "A signature.",
        "AddActionContactInput.contactRef": (
            "Earlier actions that were sent under this ref become this supporter's: the newest 25 of the same org."
        ),
        "AddActionInput": "A further action.",
        "LinkActionsInput": "Which earlier actions are this person's.",
        "LinkActionsInput.linkRefs": "The refs under which they were sent.",
        "ActionInput": "What somebody did.",
        "ActionInput.actionType": "What was done. Conventional: `register`, `signature`, `share`.",
        "ActionInput.customFields": (
            f"Answers to the campaign's own questions, at most {MAX_BYTES} bytes as JSON. They are not encrypted: ask "
            "no personal data here."
        ),
        "ActionInput.fields": "Legacy; `customFields` win. A repeated key becomes a list, newest first.",
        "ActionInput.donation": "What was given, once the payment provider has it.",
        "ActionInput.donation.schema": "Whose the payload is, where amount and currency are to be taken from it.",
        "ActionInput.donation.payload": (
            f"The provider's or the widget's own, at most {MAX_BYTES} bytes as JSON, within the {MAX_DEPTH} levels of "
            "the body. All but provider, ids, amount, currency and status travels encrypted within the contact."
        ),
        "ActionInput.donation.amount": "In minor units; that of the payload with `stripe_payment_intent`.",
        "ActionInput.donation.currency": "A code of ISO 4217.",
        "ActionInput.mtt": "A message to targets of the campaign, if it takes messages.",
        "ActionInput.mtt.targets.[]": "A target's id.",
        "ActionInput.mtt.files.[]": "The key of a stored file.",
        "AddActionContactInput.captcha": "The solution of a challenge, where the campaign asks for one.",
        "AddActionContactInput.captchaService": "Whose challenge it was; ours is `altcha`.",
        "ActionInput.testing": "Whether it is only a test: processed as usual, counted nowhere.",
        "StripePaymentIntentInput.amount": "In minor units.",
        "StripePaymentIntentInput.paymentMethodTypes": "Stripe's names of them; without any, those of the account.",
        "StripeSubscriptionInput.amount": "In minor units, each time.",
        **{
            f"{model}.{name}": said
            for model in ("StripePaymentIntentInput", "StripeSubscriptionInput", "StripeObjectInput")
            for name, said in {
                "contactRef": "Who pays; it stands with the payment as `contactRef` in its metadata.",
                "testing": "Whether the org's test account is used.",
            }.items()
        },
        "ConsentInput": "To whom the supporter allows to write.",
        "ConsentInput.optIn": "May the page's org write to the supporter? null: not asked.",
        "ConsentInput.leadOptIn": "May the campaign's lead org? null: not asked.",
        "TrackingInput": "How the supporter came here.",
        "TrackingInput.source": _CUT,
        "TrackingInput.medium": _CUT,
        "TrackingInput.campaign": _CUT,
        "TrackingInput.content": _CUT,
        "TrackingInput.location": (f"Where the widget stands; counts only below the page that `Referer` names. {_CUT}"),
        "ContactInput.name": "First and last name in one, instead of them.",
        "ContactInput.birthDate": "YYYY-MM-DD.",
        "AddressInput.country": "Two letters of ISO 3166.",
        "NationalityInput.country": "Two letters of ISO 3166; required in a nationality.",
    }.items()
}

_OF_ACTIONS: dict[str, Json] = {
    "AddActionContactInput.contactRef": {
        "pattern": or_empty(CONTACT_REF_FORM),
        "maxLength": actions.MAX_CONTACT_REF,
    },
    "LinkActionsInput.linkRefs.[]": {"pattern": CONTACT_REF, "maxLength": actions.MAX_CONTACT_REF},
    "ActionInput.actionType": {
        "pattern": whole(actions._ACTION_TYPE.pattern),
        "minLength": 1,
        "maxLength": actions.MAX_ACTION_TYPE,
    },
    "ActionInput.customFields": {
        "type": ["object", "null"],
        "maxProperties": MAX_BYTES // len('"a":1,'),
        "propertyNames": {"pattern": SENDABLE},
        "additionalProperties": {
            "anyOf": [
                _TEXT,
                {"type": ["number", "boolean"]},
                {"type": "array", "items": _TEXT},
                {"type": "array", "items": {"type": "number"}},
            ]
        },
    },
    "ActionInput.testing": {"type": ["boolean", "null"]},
    "ActionInput.fields": {"type": ["array", "null"]},
    "ListedField.key": {"pattern": SENDABLE},
    "ListedField.value": {"pattern": SENDABLE},
    "ActionInput.donation": {
        "type": ["object", "null"],
        "required": ["payload"],
        "anyOf": [
            {"required": ["amount"]},
            {"properties": {"schema": {"const": donation.STRIPE_PAYMENT_INTENT}}, "required": ["schema"]},
        ],
    },
    "ActionInput.donation.schema": {
        "anyOf": None,
        "enum": [donation.STRIPE_PAYMENT_INTENT, "", None],
    },
    "ActionInput.donation.payload": {"maxProperties": MAX_BYTES // len('"a":1,')},
    "ActionInput.donation.amount": {"minimum": 1, "maximum": donation.MAX_AMOUNT},
    "ActionInput.donation.currency": {"type": ["string", "null"], "pattern": or_empty("[A-Z]{3}")},
    "ActionInput.donation.frequencyUnit": {
        "type": ["string", "null"],
        "enum": [*get_args(donation.FrequencyUnit), "", None],
    },
    "ActionInput.mtt": {"type": ["object", "null"]},
    "ActionInput.mtt.subject": {"type": ["string", "null"], "pattern": SENDABLE, "maxLength": mtt.MAX_SUBJECT},
    "ActionInput.mtt.body": {"type": ["string", "null"], "pattern": SENDABLE, "maxLength": mtt.MAX_BODY},
    "ActionInput.mtt.targets.[]": {"format": "uuid"},
    "ActionInput.mtt.files": {"type": ["array", "null"]},
    "ActionInput.mtt.files.[]": {"pattern": whole(mtt._FILE.pattern)},
}

_STRIPE = ("StripePaymentIntentInput", "StripeSubscriptionInput", "StripeObjectInput")
_AMOUNT: Json = {"minimum": 1, "maximum": donation.MAX_AMOUNT}
_CURRENCY: Json = {"pattern": "^[A-Za-z]{3}$", "description": "A code of ISO 4217."}
_METADATA: Json = {
    "maxProperties": payments.MAX_METADATA,
    "propertyNames": {"pattern": whole(payments._METADATA_KEY.pattern), "maxLength": payments.MAX_METADATA_KEY},
    "additionalProperties": {"type": "string", "maxLength": payments.MAX_TEXT},
}
_OF_PAYMENTS: dict[str, Json] = {
    **{f"{model}.contactRef": _OF_ACTIONS["AddActionContactInput.contactRef"] for model in _STRIPE},
    **{f"{model}.testing": {"type": ["boolean", "null"]} for model in _STRIPE},
    **{f"{model}.amount": _AMOUNT for model in (*_STRIPE[:2], "StripePaymentIntent")},
    **{f"{model}.unit_amount": _AMOUNT for model in ("StripePrice", "StripePriceData")},
    **{
        f"{model}.currency": _CURRENCY
        for model in (*_STRIPE[:2], "StripePaymentIntent", "StripePrice", "StripePriceData")
    },
    **{
        f"{model}.metadata": _METADATA
        for model in ("StripeCustomer", "StripePaymentIntent", "StripePrice", "StripeSubscription")
    },
}
