"""Users and their memberships in the Catalog table.

pk                  sk
user#<id>           user                        User
user#<id>           staffer#<org>               its membership in an org
org#<id>            staffer#<user>              the same, from the org's side
name#email#<email>  name                        the address is unique without regard to case
name#sso#<subject>  name                        so is the subject at the issuer of JWTs
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition

from proca_common.aws.dynamo import CatalogItem, Transaction, translated
from proca_common.catalog import items, names
from proca_common.catalog.changes import Along, commit, nothing
from proca_common.errors import NotFound
from proca_common.ids import padded
from proca_common.users.permissions import Permission
from proca_common.users.user import MAX_EMAIL, Caller, Profile, User

SK = "user"
PAGE = 100
NOBODY = 0
"""A number that no user has."""


class UserItem(CatalogItem, discriminator="user"):
    """A user; `version` counts changes."""

    email = UnicodeAttribute()
    password = UnicodeAttribute(null=True)
    perms = NumberAttribute(default=0)
    confirmed = BooleanAttribute(default=False)
    external_id = UnicodeAttribute(null=True)
    profile = UnicodeAttribute()
    tokens_since = NumberAttribute(default=0)
    version = NumberAttribute(default=1)


class StafferItem(CatalogItem, discriminator="staffer"):
    """What a user may do for an org. There are two, with the same content: under the user and under the org."""

    user = NumberAttribute()
    org = NumberAttribute()
    perms = NumberAttribute()


def user_key(user: int) -> tuple[str, str]:
    """Where a user stands."""
    return f"user#{user}", SK


def create(
    email: str,
    password: str | None,
    *,
    confirmed: bool = False,
    external_id: str | None = None,
    perms: int = 0,
    along: Callable[[Transaction, User], None] | None = None,
) -> User:
    """A new user; `password` is its hash, `along` adds what is written with it. Raises `Taken` (email, external_id)."""
    user = User(names.next_number("user"), email, Permission(perms), confirmed, external_id=external_id)
    transaction = Transaction()
    transaction.put("user", _item(user, password), CatalogItem.pk.does_not_exist())
    transaction.put("email", names.guard("email", email, user.id), CatalogItem.pk.does_not_exist())
    if external_id is not None:
        transaction.put("external_id", names.guard("sso", external_id, user.id), CatalogItem.pk.does_not_exist())
    if along is not None:
        along(transaction, user)
    commit(transaction)
    return user


def get(user: int) -> User:
    """The user with this id; raises `NotFound`."""
    item = items.read(UserItem, *user_key(user))
    if item is None:
        raise NotFound("user")
    return _user(item)


def get_many(numbers: Iterable[int]) -> list[User]:
    """The users with these ids, those that exist, in the order of ids. Raises `Unavailable`."""
    keys = [user_key(number) for number in numbers]
    found = items.read_many(keys) if keys else {}
    return sorted((_user(item) for item in found.values() if isinstance(item, UserItem)), key=lambda user: user.id)


def find(email: str) -> User:
    """The user with this address, in any case of letters; raises `NotFound`."""
    found = names.find("email", email) if len(email) <= MAX_EMAIL else None
    if found is None:
        raise NotFound("user")
    return get(found)


def find_external(external_id: str) -> User | None:
    """The user whom the issuer of JWTs knows by this subject."""
    found = names.find("sso", external_id)
    return None if found is None else get(found)


def caller(user: int) -> tuple[Caller, str | None]:
    """The user with all memberships, and the hash of the password; one consistent query. Raises `NotFound`."""
    found = _caller(user)
    if found is None:
        raise NotFound("user")
    return found


def caller_by_email(email: str) -> tuple[Caller | None, str | None]:
    """The same by the address, None where it has no user: two calls in either case."""
    number = names.find("email", email) if len(email) <= MAX_EMAIL else None
    return _caller(number or NOBODY) or (None, None)


def _caller(user: int) -> tuple[Caller, str | None] | None:
    try:
        found = list(CatalogItem.query(f"user#{user}", CatalogItem.sk.between("s", "v"), consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None
    item = next((each for each in found if isinstance(each, UserItem)), None)
    if item is None:
        return None
    staff = {int(each.org): Permission(int(each.perms)) for each in found if isinstance(each, StafferItem)}
    return Caller(_user(item), staff), item.password


def change(user: User, *, password: str | None = None, along: Along = nothing) -> User:
    """Store the changed user (address, profile, permissions, …) on condition that it is as it was read; `password` is a
    new hash. Raises `Taken` (email, external_id), `NotFound`, `Outdated`, and what a refusal of `along` is.
    """
    old = items.read(UserItem, *user_key(user.id))
    if old is None:
        raise NotFound("user")
    changed = replace(user, version=user.version + 1)
    transaction = Transaction()
    item = _item(changed, old.password if password is None else password)
    transaction.put("user", item, UserItem.version == user.version)
    if old.email.lower() != user.email.lower():
        transaction.put("email", names.guard("email", user.email, user.id), CatalogItem.pk.does_not_exist())
        transaction.delete("old email", names.guard("email", old.email, user.id))
    if user.external_id is not None and old.external_id != user.external_id:
        transaction.put("external_id", names.guard("sso", user.external_id, user.id), CatalogItem.pk.does_not_exist())
    if old.external_id is not None and old.external_id != user.external_id:
        transaction.delete("old external_id", names.guard("sso", old.external_id, user.id))
    along(transaction)
    commit(transaction)
    return changed


def every() -> list[User]:
    """All users by id (whoever manages users only)."""
    return sorted((_user(item) for item in items.every(UserItem)), key=lambda user: user.id)


def page(after: int, limit: int, email: str | None = None) -> list[User]:
    """Up to so many users with higher numbers than this, in their order; with `email` those whose address holds it, in
    any case of letters. Numbers are given out one after the other, so nothing is scanned.
    """
    last = names.last_number("user")
    found: list[User] = []
    while after < last and len(found) < limit:
        keys = [user_key(number) for number in range(after + 1, min(after + PAGE, last) + 1)]
        read = [_user(item) for item in items.read_many(keys).values() if isinstance(item, UserItem)]
        found += sorted((user for user in read if _holds(user, email)), key=lambda user: user.id)
        after += PAGE
    return found[:limit]


def _holds(user: User, email: str | None) -> bool:
    return email is None or email.lower() in user.email.lower()


# --- memberships


def put_staffer(
    transaction: Transaction, user: int, org: int, perms: Permission, had: Permission | None = None
) -> None:
    """Make the user a staffer of the org with exactly these permissions, in this transaction.

    Refused under the label `user` when the user is gone, under `staffer` unless the permissions were `had` until now;
    None: unless the user was no staffer.
    """
    condition = _staffer_had(had)
    for label, (pk, sk) in _staffer_keys(user, org).items():
        transaction.put(label, StafferItem(pk=pk, sk=sk, user=user, org=org, perms=int(perms)), condition)
    transaction.check("user", UserItem, user_key(user), CatalogItem.pk.exists())


def remove_staffer(transaction: Transaction, user: int, org: int, had: Permission | None = None) -> None:
    """End the user's membership in the org, in this transaction; refused under `staffer` unless the permissions were
    `had` until now, if that is given.
    """
    condition = None if had is None else _staffer_had(had)
    for label, key in _staffer_keys(user, org).items():
        transaction.delete(label, StafferItem(*key), condition)


def check_staffer(transaction: Transaction, user: int, org: int, has: Permission) -> None:
    """Go through only if the user is staff of the org with these permissions; else refused under `other staffer`."""
    key = _staffer_keys(user, org)["org staffer"]
    transaction.check("other staffer", StafferItem, key, _staffer_had(has))


def _staffer_had(perms: Permission | None) -> Condition:
    return CatalogItem.pk.does_not_exist() if perms is None else StafferItem.perms == int(perms)


def staff_of(org: int) -> dict[int, Permission]:
    """The users who are staffers of the org, and what they may do."""
    condition = StafferItem.sk.startswith("staffer#")
    try:
        found = list(StafferItem.query(f"org#{org}", condition, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None
    return {int(item.user): Permission(int(item.perms)) for item in found}


def _staffer_keys(user: int, org: int) -> dict[str, tuple[str, str]]:
    return {
        "staffer": (f"user#{user}", f"staffer#{padded(org)}"),
        "org staffer": (f"org#{org}", f"staffer#{padded(user)}"),
    }


def _item(user: User, password: str | None) -> UserItem:
    pk, sk = user_key(user.id)
    return UserItem(
        pk=pk,
        sk=sk,
        email=user.email,
        password=password,
        perms=int(user.perms),
        confirmed=user.confirmed,
        external_id=user.external_id,
        profile=user.profile.document(),
        tokens_since=user.tokens_since_ms,
        version=user.version,
    )


def _user(item: UserItem) -> User:
    return User(
        id=int(item.pk.removeprefix("user#")),
        email=item.email,
        perms=Permission(int(item.perms)),
        confirmed=item.confirmed,
        profile=Profile.load(item.profile),
        external_id=item.external_id,
        tokens_since_ms=int(item.tokens_since),
        version=int(item.version),
    )
