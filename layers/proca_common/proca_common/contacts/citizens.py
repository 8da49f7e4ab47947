"""What the citizens' initiatives `eci` and `it_ci` share: document, postcode, age and payload (domain 2.7, 2.8).

Neither keeps an e-mail address or a phone number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from proca_common.contacts.contact import Contact
from proca_common.contacts.countries import Document, is_postcode
from proca_common.contacts.rules import Texts, missing, picked
from proca_common.failures import Failure

AGE = "age"
AGE_BELOW_LIMIT = "Age below limit"

PAYLOAD = {
    "firstName": "/firstName",
    "lastName": "/lastName",
    "birthDate": "/birthDate",
    "country": "/address/country",
    "postcode": "/address/postcode",
    "city": "/address/locality",
    "street": "/address/street",
    "streetNumber": "/address/streetNumber",
}
NATIONALITY = {
    "country": "/nationality/country",
    "documentType": "/nationality/documentType",
    "documentNumber": "/nationality/documentNumber",
}
WHOLE_ADDRESS = ("/address/country", "/address/locality", "/address/postcode", "/address/street")
IDENTITY_BY_DOCUMENT = tuple(NATIONALITY.values())
IDENTITY_BY_ADDRESS = ("/address/country", "/firstName", "/lastName", "/birthDate", "/address/postcode")


def document_failures(texts: Texts, documents: Mapping[str, Document], today: date) -> list[Failure]:
    """The document must be of one of these types and have a number of its form.

    Where a country has no documents, one that is given all the same needs a number, which may be any.
    """
    document_type = texts.get("/nationality/documentType")
    if not documents and document_type is None:
        return []
    failures = missing(texts, ("/nationality/documentType", "/nationality/documentNumber"))
    if not documents or document_type is None:
        return failures
    number = texts.get("/nationality/documentNumber")
    document = documents.get(document_type)
    if document is None:
        failures.append(Failure.invalid("/nationality/documentType"))
    elif number is not None and not document.accepts(number, today):
        failures.append(Failure.bad_format("/nationality/documentNumber"))
    return failures


def postcode_failures(texts: Texts) -> list[Failure]:
    """A postcode has the form of the country of residence."""
    postcode = texts.get("/address/postcode")
    if postcode is None or is_postcode(postcode, texts.get("/address/country")):
        return []
    return [Failure.bad_format("/address/postcode")]


def age_failures(birth_date: date | None, min_age: int, today: date) -> list[Failure]:
    """Who gives a birth date was born at least `min_age` years before `today` (UTC)."""
    if birth_date is None or age_on(today, birth_date) >= min_age:
        return []
    return [Failure("/birthDate", AGE, AGE_BELOW_LIMIT)]


def age_on(today: date, birth_date: date) -> int:
    """Completed years. The birthday itself counts; that of 29 February is 1 March in other years."""
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def citizen(texts: Texts, area: str | None) -> Contact:
    """The contact as it is stored: with a document that tells who it is, or else name, birth date and address."""
    payload = picked(texts, PAYLOAD)
    if area is not None:
        payload["area"] = area
    payload["nationality"] = picked(texts, NATIONALITY)
    has_document = all(pointer in texts for pointer in IDENTITY_BY_DOCUMENT)
    identity = IDENTITY_BY_DOCUMENT if has_document else IDENTITY_BY_ADDRESS
    return Contact(
        payload=payload,
        fingerprint_text="".join(texts.get(pointer, "") for pointer in identity),
        area=area,
        first_name=texts["/firstName"],
        email=None,
    )
