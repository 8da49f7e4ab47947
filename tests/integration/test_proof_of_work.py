"""A campaign that asks for proof of work: from the challenge to the signature, and every way to cheat (domain 3.8)."""

from __future__ import annotations

import base64
import json
from typing import Any

import altcha
import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.aws.logs import logger
from proca_common.campaigns import store as campaigns
from proca_common.orgs import instance as instances
from tests.harness.calls import calls
from tests.harness.faults import faults, throttle
from tests.harness.interleave import probe, run_all, schedules
from tests.world import Answer, World, signature

EASY = {"proof_of_work": {"memory_mib": 1, "digits": 1}}
UNKNOWN = "dW5rbm93bg"


@pytest.fixture
def page(world: World) -> ActionPage:
    """A page whose campaign asks for little work."""
    org = world.org("ngo")
    made = world.page(org, world.campaign(org, guards=EASY))
    world.get(f"/v1/pages/{made.id}")
    return made


def challenge(world: World, page: ActionPage) -> dict[str, Any]:
    answer = world.get("/v1/challenge", page=str(page.id))
    assert answer.status == 200, answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.body


def solve(asked: dict[str, Any]) -> str:
    """What the widget puts into its hidden field."""
    made = altcha.Challenge.from_dict(asked)
    solution = altcha.solve_challenge(made)
    assert solution is not None
    return altcha.Payload(made, solution).to_base64()


def captcha_of(answer: Answer) -> list[tuple[str, str, str]]:
    assert answer.status == 422
    return [(failed["pointer"], failed["code"], failed["message"]) for failed in answer.body["errors"]]


def test_a_solved_challenge_lets_a_signature_in_with_one_call(world: World, page: ActionPage) -> None:
    world.sign(page, email="warm@example.org", captcha=solve(challenge(world, page)))
    captcha = solve(challenge(world, page))

    with calls() as recorded:
        answer = world.sign(page, captcha=captcha)

    assert answer.status == 201
    assert recorded.operations == ["TransactWriteItems"]
    world.run()
    assert world.numbers(page.campaign)["persons:total"] == 2


def test_what_is_kept_of_a_challenge_goes_with_its_time(world: World, page: ActionPage) -> None:
    asked = challenge(world, page)

    world.sign(page, captcha=solve(asked))

    [used] = world.items("challenge")
    assert used["ref"] == f"challenge#{asked['parameters']['nonce']}"
    assert used.keys() == {"ref", "sk", "kind", "expires"}
    assert 0 < int(used["expires"]) - asked["parameters"]["expiresAt"] <= 3600


def test_a_signature_without_a_solution_is_refused(world: World, page: ActionPage) -> None:
    for given in ({}, {"captcha": None}, {"captcha": ""}):
        said = captcha_of(world.sign(page, **given))
        assert said == [("/captcha", "unauthorized", "Captcha code is required for this API call")]
    assert not world.items()


def test_a_solution_is_good_for_one_signature(world: World, page: ActionPage) -> None:
    captcha = solve(challenge(world, page))
    world.sign(page, captcha=captcha)

    again = world.sign(page, email="bo.berg@example.org", captcha=captcha)

    assert captcha_of(again) == [("/captcha", "bad_captcha", "captcha: challenge already solved")]
    assert len(world.items("A#")) == 1


def test_a_solution_for_another_page_is_refused(world: World, page: ActionPage) -> None:
    other = world.page(world.org("other"), campaigns.get(page.campaign))

    said = captcha_of(world.sign(page, captcha=solve(challenge(world, other))))

    assert said == [("/captcha", "bad_captcha", "captcha: challenge solution invalid")]


def test_an_expired_solution_is_refused(world: World, page: ActionPage) -> None:
    captcha = solve(challenge(world, page))
    world.ahead_ms += 601_000

    assert captcha_of(world.sign(page, captcha=captcha)) == [("/captcha", "bad_captcha", "captcha: challenge expired")]
    assert not world.items()


def test_a_made_up_solution_is_refused(world: World, page: ActionPage) -> None:
    asked = challenge(world, page)
    asked["parameters"]["keyPrefix"] = ""

    assert captcha_of(world.sign(page, captcha=solve(asked)))[0][1] == "bad_captcha"
    assert captcha_of(world.sign(page, captcha="made up"))[0][1] == "bad_captcha"
    assert captcha_of(world.sign(page, captcha="x" * 8193))[0][1] == "bad_captcha"


def test_a_service_that_is_not_enabled_is_refused(world: World, page: ActionPage) -> None:
    captcha = solve(challenge(world, page))

    said = captcha_of(world.sign(page, captcha=captcha, captchaService="hcaptcha"))

    assert said == [("/captchaService", "bad_arg", "not enabled")]
    assert world.sign(page, captcha=captcha, captchaService="altcha").status == 201


def test_a_solution_used_twice_at_once_is_good_for_one(world: World, page: ActionPage) -> None:
    rounds = 0
    for number, schedule in enumerate(schedules(1, 1)):
        captcha = solve(challenge(world, page))

        def sign(name: str, captcha: str = captcha, number: int = number) -> int:
            return world.sign(page, email=f"{name}{number}@example.org", captcha=captcha).status

        done = run_all({"A": lambda: sign("a"), "B": lambda: sign("b")}, schedule)
        assert sorted([done.a.value, done.b.value]) == [201, 422], str(done)
        rounds += 1
    assert len(world.items("A#")) == rounds == 2


def test_a_repeated_request_gets_its_answer_again(world: World, page: ActionPage) -> None:
    body = signature(captcha=solve(challenge(world, page)))
    path, headers = f"/v1/pages/{page.id}/actions", {"Idempotency-Key": "once"}
    first = world.post(path, body, headers)

    for ahead_ms in (0, 3_600_000):
        world.ahead_ms += ahead_ms
        again = world.post(path, body, headers)
        assert again.body == first.body
        assert again.headers["Idempotent-Replay"] == "true"

    world.ahead_ms += 86_400_000
    assert captcha_of(world.post(path, body, headers))[0][2] == "captcha: challenge expired"
    assert len(world.items("A#")) == 1


def test_a_used_key_does_not_let_another_request_in(world: World, page: ActionPage) -> None:
    path, headers = f"/v1/pages/{page.id}/actions", {"Idempotency-Key": "once"}
    world.post(path, signature(captcha=solve(challenge(world, page))), headers)

    assert world.post(path, signature(captcha="made up"), headers).codes == [("", "idempotency_key")]
    new = {"Idempotency-Key": "new"}
    assert world.post(path, signature(captcha="made up"), new).codes == [("/captcha", "bad_captcha")]
    assert [item["ref"] for item in world.items("I")] == [f"I#{page.id}#once"]


def test_a_store_in_trouble_leaves_the_solution_good(world: World, page: ActionPage) -> None:
    captcha = solve(challenge(world, page))
    with faults(throttle("TransactWriteItems", nth=None)):
        assert world.sign(page, captcha=captcha).status == 503

    assert world.sign(page, captcha=captcha).status == 201


def test_answers_and_calls_are_the_same_for_known_and_unknown_people(world: World, page: ActionPage) -> None:
    world.sign(page, captcha=solve(challenge(world, page)))
    seen = []
    for email in ("ida.holm@example.org", "new@example.org"):
        for captcha in (solve(challenge(world, page)), "made up", None):
            with calls() as recorded:
                answer = world.sign(page, email=email, captcha=captcha)
            body = answer.body if answer.status != 201 else sorted(answer.body)
            seen.append((answer.status, body, recorded.operations))
    assert seen[:3] == seen[3:]


def test_a_further_action_needs_no_solution(world: World, page: ActionPage) -> None:
    signed = world.sign(page, captcha=solve(challenge(world, page)))

    assert world.act(page, signed.contact_ref).status == 201
    assert world.act(page, UNKNOWN).status == 201


def test_a_campaign_without_proof_of_work_has_no_challenge_and_ignores_solutions(world: World) -> None:
    page = world.page(world.org("ngo"))

    assert world.get("/v1/challenge", page=str(page.id)).status == 404
    assert world.get("/v1/challenge", page=str(page.id + 1)).status == 404
    assert world.get("/v1/challenge", page="x").status == 404
    assert world.get("/v1/challenge").codes == [("/page", "blank")]
    assert world.sign(page, captcha="made up", captchaService="altcha").status == 201
    assert not world.items("challenge")


def test_a_challenge_costs_no_call_once_the_page_is_known(world: World, page: ActionPage) -> None:
    challenge(world, page)
    assert len(probe(lambda: challenge(world, page))) == 0


def test_the_instance_switches_it_on_for_all_and_a_campaign_off_for_itself(world: World) -> None:
    org = world.org("ngo")
    asked, spared = world.page(org), world.page(org, world.campaign(org, "birds", guards={"proof_of_work": False}))
    assert world.sign(asked).status == 201

    instances.put(instances.Instance(world.instance.org, world.instance.key_id, world.instance.sealing_public, EASY))
    world.ahead_ms += 30_000

    assert world.sign(asked).status == 422
    assert world.sign(asked, captcha=solve(challenge(world, asked))).status == 201
    assert world.sign(spared).status == 201


def test_no_log_line_has_anything_of_a_solution(
    world: World, page: ActionPage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    captcha = solve(challenge(world, page))
    for given in (captcha, captcha, "made up"):
        world.sign(page, captcha=given)

    logged = [str(vars(record)) for record in caplog.records if record.name == logger.name]
    assert len(logged) >= 4
    payload = json.loads(base64.b64decode(captcha))
    for secret in (captcha, "made up", payload["challenge"]["signature"], payload["challenge"]["parameters"]["nonce"]):
        assert secret not in " ".join(logged)
