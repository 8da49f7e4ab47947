"""Whatever the document allows or refuses, the answer is one that it knows, and what was taken gets delivered."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from proca_common.action_pages.context import UNKNOWN_MS
from tests.e2e.fuzz import OPERATIONS, Fuzzer
from tests.e2e.site import Site
from tests.stripe import stripe_stub
from tools.client import Client
from tools.emulator import ROOT

EXAMPLES = 12
SOAK_REQUESTS = 10_000
SOAK_EXAMPLES = 100


@pytest.fixture(scope="module")
def fuzzer(client: Client) -> Iterator[Fuzzer]:
    made = Fuzzer(Site(client))
    with stripe_stub() as stub:
        if client.stack.emulator is not None:  # nobody else could reach it
            client.admin("service", "add", made.org.name, "stripe", "--host", stub.url, typed=stub.key)
        yield made
    time.sleep(UNKNOWN_MS / 1000)  # the next page may get a number that was made up here, and is known not to be there


def test_the_stack_serves_the_document(client: Client) -> None:
    answer = client.call("GET", "/v1/openapi.json")
    assert (answer.status, answer.text) == (200, (ROOT / "schemas" / "openapi.json").read_text())
    assert client.call("GET", "/v1/openapi.json", headers={"If-None-Match": answer.headers["etag"]}).status == 304


@pytest.mark.parametrize("operation", OPERATIONS)
def test_requests_made_from_the_document_get_answers_that_it_knows(fuzzer: Fuzzer, operation: str) -> None:
    assert fuzzer.fuzz(operation, examples=EXAMPLES, seed=1)


def test_they_got_beyond_the_first_checks_and_what_was_taken_is_delivered(fuzzer: Fuzzer) -> None:
    fuzzer.fuzz("addActionContact", examples=EXAMPLES, seed=2)
    statuses = {status for _, status in fuzzer.answers}
    assert {200, 201, 202, 304, 404, 422} <= statuses
    fuzzer.site.client.wait_until_delivered()
    assert len(fuzzer.site.messages(fuzzer.org)) > 1


@pytest.mark.soak
def test_ten_thousand_requests(fuzzer: Fuzzer) -> None:
    before, start = fuzzer.answers.copy(), time.monotonic()
    for seed in itertools.count(100):
        for operation in OPERATIONS:
            fuzzer.fuzz(operation, examples=SOAK_EXAMPLES, seed=seed)
        if (fuzzer.answers - before).total() >= SOAK_REQUESTS:
            break
    fuzzer.site.client.wait_until_delivered(300)
    delivered = len(fuzzer.site.messages(fuzzer.org))
    answers = fuzzer.answers - before
    figures = [f"{answers.total()} requests made from the document in {time.monotonic() - start:.0f} s"]
    figures += [f"  {operation:<18}{status}{number:>7}" for (operation, status), number in sorted(answers.items())]
    print("", *figures, f"{delivered} actions delivered", sep="\n")  # noqa: T201  the figures of `make soak`
