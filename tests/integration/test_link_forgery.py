"""Who has no right to a link learns nothing: not from the answer, nor from its calls or its time (design 7.4, 7.7)."""

from __future__ import annotations

import hmac
import statistics
import time as real_time
from typing import Any

import pytest

from proca_common.actions import store
from proca_common.approvals.texts import LANGUAGES
from proca_common.confirms import tokens
from proca_common.confirms.links import Links
from tests.harness.calls import calls, unseen_client
from tests.links import PEOPLE, PROGRAMS, everything, links_of, request
from tests.world import Answer, World

UNKNOWN_ACTION = 3_700_000_000_000_000


class Case:
    """Links of two people, and what somebody may make of them."""

    def __init__(self, world: World) -> None:
        self.org = world.org("ngo", custom_supporter_confirm=True)
        page = world.page(self.org)
        self.own, self.other, self.erased = (
            world.sign(page, email=f"{name}@example.org") for name in ("ida", "per", "liv")
        )
        waiting = world.act(page, "somebody-unknown")
        world.run()
        self.erase(world)
        ref = store.unbound_ref(self.org.id, "somebody-unknown")
        self.unbound = Answer(201, {"actionId": waiting.action, "contactRef": ref})
        self.links = links_of(self.own)

    def erase(self, world: World) -> None:
        """What an operator does when somebody wants to be forgotten."""
        for item in world.tables.all_items("ActionsTable"):
            if item["ref"]["S"] in {self.erased.contact_ref, f"id#{self.erased.action}"}:
                key = {"ref": item["ref"], "sk": item["sk"]}
                unseen_client("dynamodb").delete_item(TableName=world.tables["ActionsTable"], Key=key)

    @staticmethod
    def parts(link: str) -> tuple[str, str]:
        """What stands before the token, and the token."""
        before, _, token = link.rpartition("/")
        return before, token

    def forged(self, name: str) -> dict[str, str]:
        """Links of this kind that nobody was sent, by what is wrong with them."""
        before, token = self.parts(getattr(self.links, name))
        others = [self.parts(getattr(self.links, other))[1] for other in Links._fields if other != name]
        wrong = {f"of another purpose {n}": f"{before}/{other}" for n, other in enumerate(others)}
        wrong["of another action"] = f"{before}/{self.parts(getattr(links_of(self.other), name))[1]}"
        wrong["forged"] = f"{before}/{'A' * 22}"
        wrong["one letter changed"] = f"{before}/{'B' if token[0] != 'B' else 'C'}{token[1:]}"
        wrong["the contact ref"] = f"{before}/{self.own.contact_ref}"
        wrong["too long"] = f"{before}/{token}A"
        wrong["of nobody"] = before.replace(str(self.own.action), str(UNKNOWN_ACTION)) + f"/{token}"
        wrong["of somebody erased"] = getattr(links_of(self.erased), name)
        return wrong


@pytest.mark.parametrize("accept", [PEOPLE, PROGRAMS], ids=["page", "json"])
@pytest.mark.parametrize("name", Links._fields)
def test_every_wrong_link_gets_the_same_answer_after_the_same_calls(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, accept: str
) -> None:
    case = Case(world)
    digests: list[Any] = []
    real = hmac.digest

    def digest(*given: Any) -> bytes:
        digests.append(given)
        return real(*given)

    monkeypatch.setattr(tokens.hmac, "digest", digest)
    before = everything(world)
    seen = set()
    for wrong, link in case.forged(name).items():
        for method in ("GET", "POST"):
            digests.clear()
            with calls() as recorded:
                shown = request(method, link, accept=accept, redir="https://evil.example.net/")
            assert (shown.status, "Location" in shown.headers) == (404, False), wrong
            signed = [len(message) for _, message, *_ in digests]
            seen.add((shown.text, *sorted(shown.headers.items()), *recorded.operations, *map(_blocks, signed)))
    assert len(seen) == 1
    assert everything(world) == before
    if accept == PEOPLE:
        assert LANGUAGES["en"].unknown in shown.text


def test_an_action_that_waits_for_a_signature_has_no_links(world: World) -> None:
    case = Case(world)
    for link in links_of(case.unbound):
        assert request("POST", link).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "s/{action}/agree/{token}",
        "s/{action}x/accept/{token}",
        "s/-1/accept/{token}",
        "s/{action}/accept/{token}=",
        "s/{action}/accept/a+b",
        "s/12345678901234567/accept/{token}",
        "s/٣/accept/{token}",
        "d/x/{token}",
        "u/1.5/{token}",
    ],
)
def test_a_malformed_link_is_told_so_without_a_call(world: World, path: str) -> None:
    case = Case(world)
    _, token = case.parts(case.links.accept)
    link = f"https://api.example.org/link/{path.format(action=case.own.action, token=token)}"
    for method in ("GET", "POST"):
        with calls() as recorded:
            shown = request(method, link)
        assert (shown.status, recorded.operations) == (400, [])
        assert LANGUAGES["en"].unknown in shown.text


def test_the_time_of_an_answer_does_not_tell_who_is_known(world: World) -> None:
    """Forged links of somebody known and of nobody take the same time, as far as a few hundred tries can tell."""
    case = Case(world)
    wrong = case.forged("accept")
    asked = {kind: wrong[kind] for kind in ("forged", "of nobody", "of another purpose 0")}
    took: dict[str, list[float]] = {kind: [] for kind in asked}

    def once(link: str) -> float:
        start = real_time.perf_counter()
        request("POST", link)
        return real_time.perf_counter() - start

    for turn in range(150):
        order = list(asked) if turn % 2 else list(reversed(asked))
        for kind in order:
            took[kind].append(once(asked[kind]))
    typical = {kind: statistics.median(times) for kind, times in took.items()}
    spread = statistics.median(map(_spread, took.values()))
    assert max(typical.values()) - min(typical.values()) < max(spread, 0.1 * min(typical.values())), typical


def _spread(times: list[float]) -> float:
    low, _, high = statistics.quantiles(times, n=4)
    return high - low


def _blocks(length: int) -> int:
    """How many blocks of SHA-256 a message of this length takes inside an HMAC."""
    return (length + 9 + 63) // 64
