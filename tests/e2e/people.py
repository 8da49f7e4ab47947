"""People who run campaigns, asking the management API of a deployed stack.

with people(client) as meet:
    ida = meet(f"ida@{RUN}.example.org", {"ngo": "owner"})
    ida.get("/v1/orgs/ngo").status == 200
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

from tools.client import Answer, Client
from tools.emulator import ROOT

DESK = """
import json, sys
from proca_common.aws import dynamo
from proca_common.aws.settings import TableSettings, read
from proca_common.users.permissions import Permission, Role
from tests.desks import desk
dynamo.connect(read(TableSettings))
for line in sys.stdin:
    email, roles, perms = json.loads(line)
    made = desk(email, perms=Permission(perms), **{org: Role(role) for org, role in roles.items()})
    print(json.dumps([made.user, made.token]), flush=True)
"""
"""Makes users, as somebody does who may write into the stack's tables."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user with an API token."""

    client: Client
    user: int
    token: str

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer of the API."""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if body is None:
            return self.client.call(method, path, None, sent)
        return self.client.call(method, path, json.dumps(body).encode(), {"Content-Type": "application/json", **sent})

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", path, {} if body is None else body)

    def put(self, path: str, body: Any) -> Answer:
        return self.ask("PUT", path, body)


@contextlib.contextmanager
def people(client: Client) -> Iterator[Callable[..., Person]]:
    """Makes users by address, their roles by the names of orgs, and permissions in the whole instance."""
    environ = {**os.environ, **client.stack.environ}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", DESK], env=environ, cwd=ROOT, stdin=pipe, stdout=pipe, text=True
    ) as desk:
        asked, answers = cast("IO[str]", desk.stdin), cast("IO[str]", desk.stdout)

        def meet(email: str, roles: Mapping[str, str] | None = None, perms: int = 0) -> Person:
            asked.write(json.dumps([email, dict(roles or {}), perms]) + "\n")
            asked.flush()
            return Person(client, *json.loads(answers.readline()))

        yield meet
