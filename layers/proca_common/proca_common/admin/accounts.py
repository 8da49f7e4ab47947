"""What the admin command does about users: the first one, who issues JWTs, and where links in their mails lead to."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace

from proca_common.admin.environment import AdminSettings, given_settings
from proca_common.aws.secrets import secret
from proca_common.errors import NotFound
from proca_common.failures import Failure, Refused
from proca_common.orgs import instance as instances
from proca_common.users import store
from proca_common.users.passwords import generated, hashed
from proca_common.users.permissions import ADMIN, NOTHING, Permission, names_of
from proca_common.users.user import User, email_failures

Shown = Mapping[str, object]
FRONTEND = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)[:/])[^\s?#]+")


def user_create(args: Namespace, _: AdminSettings) -> Shown:
    """A user whose address counts as proven; the password is shown once."""
    if failures := email_failures(args.email):
        raise Refused(failures)
    password = generated()
    user = store.create(args.email, hashed(password), confirmed=True, perms=_perms(admin=args.admin))
    return {**_shown(user), "password": password}


def user_admin(args: Namespace, _: AdminSettings) -> Shown:
    """Let a user do everything in the whole instance, or no longer."""
    return _shown(store.change(replace(store.find(args.email), perms=_perms(admin=not args.off))))


def jwt_set(args: Namespace, settings: AdminSettings) -> Shown:
    """Believe JWTs of an issuer: jwks_url=https://id.example.org/jwks email=email. Without any, of none."""
    from proca_common.users.jwt import JwtSettings, seal_secret  # noqa: PLC0415 - a library that nothing else needs

    given = given_settings(args)
    if args.secret:
        if settings.guard_key_secret is None:
            raise NotFound("GUARD_KEY_SECRET")
        given["secret"] = seal_secret(sys.stdin.readline().strip(), secret(settings.guard_key_secret))
    known = JwtSettings.model_validate(given).model_dump(exclude_defaults=True)
    instances.put(replace(instances.get(), jwt=known))
    return {**known, "secret": "secret" in known}


def frontend_set(args: Namespace, _: AdminSettings) -> Shown:
    """Where links in mails to users lead to, such as https://app.example.org; without one, to the API."""
    if args.url and not FRONTEND.fullmatch(args.url):
        raise Refused([Failure.bad_format("/url")])
    instances.put(replace(instances.get(), frontend_url=args.url or None))
    return {"frontend": args.url or None}


def _perms(*, admin: bool) -> Permission:
    return ADMIN if admin else NOTHING


def _shown(user: User) -> Shown:
    return {"id": user.id, "email": user.email, "permissions": names_of(user.perms)}
