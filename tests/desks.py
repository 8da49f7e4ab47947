"""People who run campaigns, asking the management API on the handlers of this process.

ida = desk("ida@example.org", bees=Role.OWNER)
ida.patch("/v1/orgs/bees", {"title": "Bees"}).status == 200
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from proca_common.aws.dynamo import Transaction
from proca_common.orgs import store as orgs
from proca_common.users import store as users
from proca_common.users import tokens
from proca_common.users.permissions import NOTHING, ROLES, Permission, Role
from tests.api import JSON, endpoints_of_template
from tests.world import Answer, api_event, call


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody with an API token; without one: nobody."""

    user: int = 0
    token: str | None = None

    def get(self, path: str, headers: dict[str, str] | None = None, **query: str) -> Answer:
        return self.ask("GET", path, None, headers, query)

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("POST", path, {} if body is None else body, headers)

    def put(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("PUT", path, body, headers)

    def patch(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("PATCH", path, body, headers)

    def delete(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("DELETE", path, body, headers)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        """The answer of the function that the path belongs to."""
        text = None if body is None else json.dumps(body)
        return self.send(method, path, text, {**({} if text is None else JSON), **(headers or {})}, query)

    def send(
        self, method: str, path: str, text: str | None, headers: dict[str, str], query: dict[str, str] | None = None
    ) -> Answer:
        """The same, for a body that is as it is."""
        said = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return call(_function(method, path), api_event(method, path, text, {**said, **headers}, query or None))

    def everything(self, path: str, **query: str) -> list[Any]:
        """All things of a list, asked for part by part."""
        found, cursor = [], None
        while True:
            asked = query if cursor is None else {**query, "cursor": cursor}
            answer = self.get(path, **asked)
            assert answer.status == 200, answer.body
            found += answer.body["items"]
            cursor = answer.body["next"]
            if cursor is None:
                return found


NOBODY = Desk()


def desk(email: str, *, perms: Permission = NOTHING, confirmed: bool = True, **orgs_and_roles: Role) -> Desk:
    """A new user, with these roles in the orgs with these names."""
    user = users.create(email, None, confirmed=confirmed, perms=int(perms))
    for name, role in orgs_and_roles.items():
        join(user.id, name, role)
    secret = tokens.new_api_secret()
    tokens.add(user.id, tokens.API, secret, tokens.API_VALID_MS)
    return Desk(user.id, tokens.text_of(secret))


def join(user: int, org: str, role: Role) -> None:
    """Make a user a staffer."""
    transaction = Transaction()
    users.put_staffer(transaction, user, orgs.find(org).id, ROLES[role])
    transaction.commit()


@cache
def _endpoints() -> list[tuple[str, re.Pattern[str], str]]:
    by_path = sorted(endpoints_of_template().items(), key=lambda found: "{" in found[0][1].rpartition("/")[2])
    return [(method, re.compile(re.sub(r"\{\w+}", "[^/]+", path)), name) for (method, path), name in by_path]


def _function(method: str, path: str) -> str:
    return next(name for known, pattern, name in _endpoints() if known == method and pattern.fullmatch(path))
