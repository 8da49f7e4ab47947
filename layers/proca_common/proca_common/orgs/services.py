"""Services of an org: what it uses for mails, payments and pushes, each with its own credentials (domain 1.11, 13.5).

A password is sealed with the public part of the instance's key for passwords, so whoever sets one cannot read any, and
only a function that has the secret of that key can open one. An org may own several services of one name; the latest
updated is meant where one is chosen by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from nacl.exceptions import CryptoError
from pydantic import Field, ValidationInfo, field_validator
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from proca_common.aws import clock
from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.aws.errors import Cancelled
from proca_common.catalog import items, names
from proca_common.catalog.changes import Along, nothing
from proca_common.catalog.entity import Entity, Id
from proca_common.errors import NotAllowed, NotFound, Outdated
from proca_common.ids import padded
from proca_common.orgs import encryption, instance, store

SK = "service#"
NO_KEY = "the instance has no key for passwords: run setup once more"


class ServiceName(StrEnum):
    """What a service is (domain 1.1, ExternalService; `s3` besides)."""

    SES = "ses"
    SQS = "sqs"
    MAILJET = "mailjet"
    SMTP = "smtp"
    PREVIEW = "preview"
    WORDPRESS = "wordpress"
    STRIPE = "stripe"
    TEST_STRIPE = "test_stripe"
    TESTMAIL = "testmail"
    WEBHOOK = "webhook"
    SUPABASE = "supabase"
    TESTDETAIL = "testdetail"
    BREVO = "brevo"
    HUBSPOT = "hubspot"
    S3 = "s3"


_REGION = re.compile(r"([a-z]{2}(-[a-z]+)+-\d)?")
_ONE_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_MAIL_SERVER = re.compile(
    r"(ssl|smtps|tls)://[\w.-]+(:(25|465|587|2525))?|(ssl|smtps|tls|smtp)://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?"
)
_URL = re.compile(r"https://[^\s/@]+(/\S*)?|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?")
_URL_OR_NONE = re.compile(f"({_URL.pattern})?")

HOSTS = {
    ServiceName.SES: (_REGION, "a region of AWS"),
    ServiceName.SQS: (_REGION, "a region of AWS"),
    ServiceName.S3: (_ONE_REGION, "a region of AWS"),
    ServiceName.SMTP: (_MAIL_SERVER, "ssl://, smtps:// or tls:// and a server, at most with a port of mail servers"),
    ServiceName.STRIPE: (_URL_OR_NONE, "empty, or a URL with https"),
    ServiceName.TEST_STRIPE: (_URL_OR_NONE, "empty, or a URL with https"),
    ServiceName.WEBHOOK: (_URL, "a URL with https"),
    ServiceName.SUPABASE: (_URL, "a URL with https"),
    ServiceName.TESTDETAIL: (_URL, "a URL with https"),
}
"""The form of `host`, for services where it has one. On the own machine a URL needs no TLS."""


class ServiceInput(Entity):
    """What can be set of a service, apart from its password; what host, user and path are differs (domain 1.11).

    `transactional_email_budget`: mails that go through it as the transactional backend; None is as many as come.
    `rate`: mails that a mail server takes in a second; None is as many as there are. SES tells its own.
    """

    name: ServiceName
    host: Annotated[str, Field(max_length=500, validate_default=True)] = ""
    user: Annotated[str, Field(max_length=500)] = ""
    path: Annotated[str, Field(max_length=500)] | None = None
    sending_from: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = None
    transactional_email_budget: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    rate: Annotated[float, Field(gt=0, le=1_000)] | None = None

    @field_validator("host")
    @classmethod
    def _has_its_form(cls, host: str, others: ValidationInfo) -> str:
        name = others.data.get("name")
        form, said = HOSTS.get(name, (None, "")) if name is not None else (None, "")
        if form is not None and not form.fullmatch(host):
            raise ValueError(f"host of {name} must be {said}")
        return host


class Service(ServiceInput):
    """A stored service. `sealed_password`: None where it has none; `opened` gives the password."""

    id: Id
    org: Id
    updated: datetime
    sealed_password: Annotated[bytes | None, Field(repr=False)] = None

    @classmethod
    def beside(cls) -> set[str]:
        """The password is never part of the document."""
        return {"id", "org", "updated", "sealed_password"}


class ServiceItem(CatalogItem, discriminator="service"):
    """A service, in its org's item collection under `service#<name>#<id>`. `updated`: in ms since 1970."""

    id = NumberAttribute()
    document = UnicodeAttribute()
    updated = NumberAttribute()
    password = BinaryAttribute(null=True, legacy_encoding=False)


AlongService = Callable[[Transaction, Service], None]


def _alone(_: Transaction, __: Service) -> None:
    """Nothing else is written with it."""


def add(org: int, wanted: ServiceInput, password: str = "", along: AlongService = _alone) -> Service:
    """One more service of the org. Raises `NotFound` (org), `NotAllowed` (the instance can keep no passwords)."""
    number, sealed = names.next_number("service"), _sealed(password)
    service = Service(**wanted.model_dump(), id=number, org=org, updated=_now(), sealed_password=sealed)
    transaction = Transaction()
    transaction.put("service", _item(service), CatalogItem.pk.does_not_exist())
    transaction.check("org", store.OrgItem, store.org_key(org), CatalogItem.pk.exists())
    along(transaction, service)
    try:
        items.commit(transaction)
    except Cancelled:
        raise NotFound("org") from None
    return service


def replace(
    service: Service, wanted: ServiceInput, password: str | None = None, along: AlongService = _alone
) -> Service:
    """Change a service that is as it was read, which is the latest of its name from now on; None keeps the password, ""
    removes it.

    Raises `NotFound`, `Outdated`, and `NotAllowed` when it would get another name.
    """
    if wanted.name != service.name:
        raise NotAllowed("cannot be changed: name")
    sealed = service.sealed_password if password is None else _sealed(password)
    updated = max(_now(), service.updated + timedelta(milliseconds=1))
    changed = Service(**wanted.model_dump(), id=service.id, org=service.org, updated=updated, sealed_password=sealed)
    transaction = Transaction()
    transaction.put("service", _item(changed), ServiceItem.updated == version_of(service))
    along(transaction, changed)
    _commit(transaction, service)
    return changed


def version_of(service: Service) -> int:
    """When it was updated, in ms since 1970: another moment for each change of it."""
    return round(service.updated.timestamp() * 1000)


def remove(service: Service, along: Along = nothing) -> None:
    """Take it away from its org, if it is as it was read. Raises `NotFound`, `Outdated`."""
    transaction = Transaction()
    transaction.delete("service", _item(service), ServiceItem.updated == version_of(service))
    along(transaction)
    _commit(transaction, service)


def _commit(transaction: Transaction, service: Service) -> None:
    try:
        items.commit(transaction)
    except Cancelled:
        get(service.org, service.id)
        raise Outdated from None


def of_org(org: int) -> list[Service]:
    """All services of the org, in the order of their ids."""
    return sorted(_found(org, SK), key=lambda service: service.id)


def get(org: int, service: int) -> Service:
    """The org's service with this id; raises `NotFound`."""
    found = next((known for known in of_org(org) if known.id == service), None)
    if found is None:
        raise NotFound("service")
    return found


def latest(org: int, name: ServiceName) -> Service | None:
    """The org's service of this name that was updated last; None when it has none. One DynamoDB call (Query)."""
    return max(_found(org, f"{SK}{name}#"), key=lambda service: (service.updated, service.id), default=None)


def opened(service: Service, secret: bytes) -> str:
    """The service's password, "" where it has none. `secret`: the value of the entry `ServicePasswordsSecret`.

    Raises `NotAllowed` when the password was sealed with another secret.
    """
    if service.sealed_password is None:
        return ""
    try:
        return encryption.unseal(service.sealed_password, encryption.passwords_key(secret)).decode()
    except CryptoError:
        raise NotAllowed("the password of a service cannot be opened: set it again") from None


def _sealed(password: str) -> bytes | None:
    if not password:
        return None
    public = instance.get().passwords_public
    if public is None:
        raise NotAllowed(NO_KEY)
    return encryption.seal(password.encode(), public)


def _now() -> datetime:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC)


def _item(service: Service) -> ServiceItem:
    return ServiceItem(
        pk=store.org_key(service.org)[0],
        sk=f"{SK}{service.name}#{padded(service.id)}",
        id=service.id,
        document=service.document(),
        updated=version_of(service),
        password=service.sealed_password,
    )


def _found(org: int, prefix: str) -> list[Service]:
    condition = ServiceItem.sk.startswith(prefix)
    try:
        found = list(ServiceItem.query(store.org_key(org)[0], condition, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None
    return [
        Service.load(
            item.document,
            id=int(item.id),
            org=org,
            updated=datetime.fromtimestamp(int(item.updated) / 1000, UTC),
            sealed_password=item.password,
        )
        for item in found
    ]
