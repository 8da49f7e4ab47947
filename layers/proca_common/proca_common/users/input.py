"""What is given about accounts, and every rule that it breaks, at once (domain 12.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, StringConstraints

from proca_common.catalog.entity import Entity
from proca_common.catalog.given import checked
from proca_common.failures import Failure, Refused
from proca_common.users.passwords import MAX_BYTES, password_failures
from proca_common.users.user import email_failures

Email = Annotated[str, StringConstraints(strip_whitespace=True)]
Guess = Annotated[str, Field(max_length=MAX_BYTES)]
Given = TypeVar("Given", bound=Entity)


class _Secretive(Entity):
    """Blanks around a password are part of it."""

    model_config = ConfigDict(str_strip_whitespace=False)


class AddressInput(_Secretive):
    """Whose account it is."""

    email: Email


class PasswordInput(_Secretive):
    """A new password; where `passwordConfirmation` is sent, it must be the same."""

    password: str
    password_confirmation: str | None = None


class RegistrationInput(PasswordInput):
    """A new account."""

    email: Email


class PasswordChangeInput(PasswordInput):
    """A new password for who knows the one until now."""

    current_password: Guess


class EmailChangeInput(_Secretive):
    """A new address."""

    email: Email
    current_password: Guess


class ApiTokenInput(Entity):
    """What the token is for, in words of the user."""

    name: Annotated[str, Field(min_length=1, max_length=100)]


RULES: Mapping[str, Callable[[str, str], list[Failure]]] = {"email": email_failures, "password": password_failures}


def account_input(model: type[Given], given: Mapping[str, Any]) -> Given:
    """What was given. Raises `Refused` with every failed rule."""
    failures: list[Failure] = []
    wanted = None
    try:
        wanted = checked(model, given)
    except Refused as refused:
        failures += refused.failures
    fields = model.model_fields
    for name, rule in RULES.items():
        text = given.get(name)
        if name in fields and isinstance(text, str):
            failures += rule(text.strip() if name == "email" else text, f"/{name}")
    repeated = given.get("passwordConfirmation")
    if "password_confirmation" in fields and isinstance(repeated, str) and repeated != given.get("password"):
        failures.append(Failure("/passwordConfirmation", "mismatch", "does not match password"))
    if wanted is None or failures:
        raise Refused(failures)
    return wanted
