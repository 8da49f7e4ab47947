"""Uses a deployed stack from outside: HTTP as widgets do, the admin command as operators do.

with Client(stack) as client:
    client.admin("org", "create", "ngo", "--encryption", "encrypted")
    client.post("/v1/pages/1/actions", body)
    client.wait_until_delivered()
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import IO, Any, Self, cast

import urllib3

from tools.stack import Stack

CONNECTIONS = 20
ANSWER_SECONDS = 120.0  # twenty cold starts at once take the local stack a minute on a busy machine
SETTLE_SECONDS = 60.0

SHELL = """
import contextlib, io, json, sys
from proca_common.admin.__main__ import main
for line in sys.stdin:
    command, typed = json.loads(line)
    sys.stdin = io.StringIO(typed)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(["--json", *command])
        except SystemExit as error:
            status = error.code
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""
"""The admin command over and over in one process, because starting it takes most of a second."""


class Refused(Exception):
    """The admin command refused; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API; `headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)


class Client:
    """See the module. HTTP may be used by up to 20 threads at once."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._http = urllib3.PoolManager(maxsize=CONNECTIONS, block=True, retries=False, timeout=ANSWER_SECONDS)
        self._shell: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.clear()
        if self._shell is not None:
            self._shell.communicate()  # its input ends, and so does it

    # --- what widgets do

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to a request, whatever its status; `path` begins after the stage."""
        answer = self._http.request(method, self.stack.api_url + path, body=body, headers=headers)
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, found, answer.data.decode())

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a POST of JSON."""
        return self.call(
            "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    # --- what operators do

    def admin(self, *command: str, typed: str = "") -> Any:
        """What `python -m proca_common.admin --json COMMAND` shows; `typed` is its standard input. Raises Refused."""
        if self._shell is None:
            environ = {**os.environ, **self.stack.environ}
            pipe = subprocess.PIPE
            self._shell = subprocess.Popen(
                [sys.executable, "-c", SHELL], env=environ, stdin=pipe, stdout=pipe, text=True
            )
        asked, answers = cast("IO[str]", self._shell.stdin), cast("IO[str]", self._shell.stdout)
        asked.write(json.dumps([command, typed]) + "\n")
        asked.flush()
        status, shown, said = json.loads(answers.readline())
        if status:
            raise Refused(f"admin {' '.join(command)}: {said.strip()}")
        return json.loads(shown)

    def queue_url(self, org: int, queue: str) -> str:
        """The URL of an org's queue."""
        return f"{self.stack.environ['QUEUE_URL_PREFIX']}{org}-{queue}"

    @cached_property
    def _dynamodb(self) -> Any:
        return self.stack.client("dynamodb")

    def pending(self) -> int:
        """How many items of the Actions table have something left to do now; not whom to remind, what to wipe later."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self.stack.environ["ACTIONS_TABLE"],
            IndexName="pending",
            Select="COUNT",
            FilterExpression="begins_with(pending, :emit) OR begins_with(pending, :link)",
            ExpressionAttributeValues={":emit": {"S": "emit#"}, ":link": {"S": "link#"}},
        )
        return sum(page["Count"] for page in pages)

    def wait_until_delivered(self, seconds: float = SETTLE_SECONDS) -> None:
        """Return when nothing is left to do; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while left := self.pending():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} items still have something to do after {seconds:.0f} s")
            time.sleep(0.1)
