"""After each kind of failure, at DEBUG, nothing of a person is in a log, an error, a table, a stream or a queue."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.aws.logs import LIBRARIES, logger
from proca_common.confirms.links import links as links_to
from proca_common.contacts import contact_ref
from proca_common.intake import add
from proca_common.orgs.org import Org
from proca_common.pipes import topology
from proca_common.stages import decide, emit
from tests.harness.calls import unseen_client
from tests.harness.context import LambdaContext
from tests.harness.faults import conflict, fail_entries, faults, lose_answer, refuse, throttle
from tests.links import API, KEYS, look, press
from tests.world import SEED, Answer, World, api_event, call, function

EMAIL = "zq.vera@example.org"
REF = contact_ref(SEED, EMAIL)
CLIENT_REF = "enEtY2xpZW50LXJlZg"
KEY = {"Idempotency-Key": "zq-token-1"}
PERSON: dict[str, Any] = {
    "firstName": "Zqvera",
    "lastName": "Zqholm",
    "email": EMAIL,
    "phone": "+46 99 887766",
    "address": {"country": "SE", "street": "Zqgatan", "locality": "Zqstad", "postcode": "99 887"},
}
PERSONAL = ("zq.vera", "zqvera", "zqholm", "99 887766", "zqgatan", "zqstad", "99 887")
PRIVATE = (*PERSONAL, REF.lower(), CLIENT_REF.lower(), "zq-token-1", "192.0.2.1")
"""What must not be in a log or an error: all that is personal, refs, tokens and the client's address."""

EVERYTHING = f"{json.dumps(PERSON)} {REF} {CLIENT_REF} 192.0.2.1"
"""What an error of a library could have in its text."""


class Said(logging.Handler):
    """Everything that any logger of the process says, as the layer's own formatter writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        facts = {name: repr(value) for name, value in record.__dict__.items() if name not in ("pathname", "path")}
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.texts.append(f"{record.getMessage()} {facts} {trace}")

    def found(self, words: tuple[str, ...]) -> list[str]:
        return [text for text in self.texts if any(word in text.lower() for word in words)]


@pytest.fixture
def said() -> Iterator[Said]:
    """Root logger and layer at DEBUG, libraries as they are set."""
    handler, root, powertools = Said(), logging.getLogger(), logging.getLogger("aws_lambda_powertools")
    levels = root.level, logger.log_level
    for heard in (root, powertools):  # the second one hands nothing on to the root
        heard.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logger.setLevel(logging.DEBUG)
    yield handler
    for heard in (root, powertools):
        heard.removeHandler(handler)
    root.setLevel(levels[0])
    logger.setLevel(levels[1])


@pytest.fixture
def org(world: World) -> Org:
    return world.org("ngo")


@pytest.fixture
def page(world: World, org: Org) -> ActionPage:
    return world.page(org)


def sign(world: World, page: ActionPage, **more: Any) -> Answer:
    return world.sign(page, contact=PERSON, contactRef=CLIENT_REF, headers=KEY, **more)


def in_clear(value: Any) -> list[str]:
    """The words of the person that stand in something that was stored or sent."""
    text = repr(value).lower()
    return [word for word in PERSONAL if word in text]


def show_nothing(world: World, org: Org, said: Said, *answers: Answer) -> None:
    assert said.texts
    assert not said.found(PRIVATE)
    for answer in answers:
        text = json.dumps(answer.body).lower()
        assert not [word for word in PRIVATE if word in text], answer
    assert not in_clear([world.tables.all_items(table) for table in world.tables])
    assert not in_clear(world.streams.records())
    assert not in_clear(world.bodies(org))


def test_what_is_said_is_heard(said: Said) -> None:
    """The net would catch something: of the layer, of a library, in an extra, and in a traceback."""
    logger.debug("a", extra={"contact": PERSON})
    logging.getLogger("some.library").debug("for %s", EMAIL)
    try:
        int(EMAIL)
    except ValueError:
        logger.exception("b")
    assert len(said.found(PRIVATE)) == 3


def test_a_signature_that_goes_well(world: World, org: Org, page: ActionPage, said: Said) -> None:
    answer = sign(world, page)
    world.act(page, REF, headers={"Idempotency-Key": "zq-token-1b"})
    world.act(page, CLIENT_REF)
    world.run()
    assert answer.status == 201
    show_nothing(world, org, said)


NOT_SOUND: dict[str, Any] = {
    "rules broken everywhere": {
        "contact": PERSON | {"firstName": "Zqvera1", "email": "zq.vera", "phone": "99 887766!", EMAIL: 1},
        "action": {"actionType": EMAIL, "customFields": {EMAIL: None}},
        "privacy": {"optIn": EMAIL},
        "contactRef": f"{CLIENT_REF}==",
    },
    "types wrong everywhere": {"contact": {"firstName": [PERSON], "email": PERSON}, "action": EMAIL, "privacy": [REF]},
    "unknown fields": {EMAIL: PERSON, "contact": {"Zqvera Zqholm": 1}, "action": {REF: 1}, "privacy": {EMAIL: EMAIL}},
    "a list": [PERSON],
    "too deep": {"contact": [[[[[[[[[PERSON]]]]]]]]]},
}


@pytest.mark.parametrize("body", NOT_SOUND.values(), ids=NOT_SOUND.keys())
def test_a_body_that_is_refused(world: World, org: Org, page: ActionPage, said: Said, body: Any) -> None:
    answers = [
        world.post(f"/v1/pages/{page.id}/actions", body, KEY),
        world.post(f"/v1/pages/{page.id}/contacts/{REF}/actions", body, KEY),
    ]
    assert all(answer.status in (400, 422) for answer in answers)
    show_nothing(world, org, said, *answers)


def test_a_request_that_is_refused_before_its_body_is_read(
    world: World, org: Org, page: ActionPage, said: Said
) -> None:
    path, text = f"/v1/pages/{page.id}/actions", json.dumps(PERSON)
    answers = [
        world.post(path, text[:-1]),
        world.post(path, text, {"Content-Type": "text/plain"}),
        world.post(path, text * 1_000),
        world.post(path, text, {"Idempotency-Key": EMAIL}),
        world.post(f"/v1/pages/{EMAIL}/actions", PERSON),
        world.post("/v1/pages/999999999/actions", PERSON),
        world.post(f"/v1/pages/{page.id}/contacts/{EMAIL}/actions", {"action": {"actionType": "x"}}),
        call("AddActionFunction", api_event("POST", f"/v1/{REF}/{EMAIL}", text)),
        world.get(f"/v1/pages/{EMAIL}"),
        world.get("/v1/pages", name=EMAIL),
    ]
    assert [answer.status for answer in answers] == [400, 415, 413, 422, 404, 404, 422, 404, 404, 404]
    show_nothing(world, org, said, *answers)


def test_a_key_that_was_used_for_another_request(world: World, org: Org, page: ActionPage, said: Said) -> None:
    sign(world, page)
    refused = sign(world, page, action_type="other")
    assert refused.status == 422
    show_nothing(world, org, said, refused)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (lambda: throttle("TransactWriteItems", nth=None), 503),
        (lambda: lose_answer("TransactWriteItems", nth=None), 503),
        (lambda: conflict(nth=None), 503),
        (lambda: refuse("ValidationException", "TransactWriteItems", message=EVERYTHING, nth=None), 500),
        (lambda: refuse("AccessDeniedException", "TransactWriteItems", message=EVERYTHING, nth=None), 500),
    ],
    ids=["throttled", "answer lost", "conflict", "invalid", "denied"],
)
def test_a_store_that_fails(
    world: World,
    org: Org,
    page: ActionPage,
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[], Any],
    status: int,
) -> None:
    monkeypatch.setattr(clock, "sleep_ms", lambda _: None)
    with faults(fault()):
        answers = [sign(world, page), world.act(page, REF, headers=KEY)]
    assert [answer.status for answer in answers] == [status, status]
    show_nothing(world, org, said, *answers)


def raising(*_: Any, **__: Any) -> Any:
    raise ValueError(EVERYTHING)


def test_a_bug_in_intake(world: World, org: Org, page: ActionPage, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add, "split_consents", raising)
    answer = sign(world, page)
    assert (answer.status, set(answer.body)) == (500, {"type", "title", "status"})
    assert [text for text in said.texts if "ValueError" in text]
    show_nothing(world, org, said, answer)


@pytest.mark.parametrize("broken", ["action_message", "send"])
def test_a_bug_in_deliver(
    world: World, org: Org, page: ActionPage, said: Said, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    sign(world, page)
    monkeypatch.setattr(emit, broken, raising)
    world.streams.step(world.deliver)
    show_nothing(world, org, said)


def test_a_poison_record(world: World, org: Org, page: ActionPage, said: Said) -> None:
    sign(world, page)
    [record] = [one for one in world.streams.records() if one["dynamodb"]["NewImage"].get("stage") == {"S": "deliver"}]
    image = record["dynamodb"]["NewImage"] | {"supporter": {"S": EVERYTHING}, "fields": {"S": "{" + EVERYTHING}}
    poison = {**record, "dynamodb": {**record["dynamodb"], "NewImage": image}}
    answer = function("DeliverFunction")({"Records": [poison]}, LambdaContext("DeliverFunction", 60))
    assert len(answer["batchItemFailures"]) == 1
    show_nothing(world, org, said)


@pytest.mark.parametrize(
    "fault",
    [
        lambda: refuse("AccessDenied", "SendMessageBatch", message=EVERYTHING, status=403, nth=None),
        lambda: refuse("AWS.SimpleQueueService.NonExistentQueue", "SendMessageBatch", message=EVERYTHING, nth=None),
        lambda: throttle("SendMessageBatch", nth=None),
        lambda: fail_entries(code="InternalError", nth=None),
        lambda: lose_answer("SendMessageBatch", nth=None),
    ],
    ids=["denied", "gone", "throttled", "entries failed", "answer lost"],
)
def test_a_queue_that_takes_nothing(
    world: World, org: Org, page: ActionPage, said: Said, fault: Callable[[], Any]
) -> None:
    signed = sign(world, page)
    with faults(fault()):
        world.run()
    assert world.action(signed.action)["owed"]
    show_nothing(world, org, said)


def test_a_batch_that_cannot_be_stored(
    world: World, org: Org, page: ActionPage, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "sleep_ms", lambda _: None)
    sign(world, page)
    with faults(refuse("ValidationException", "TransactWriteItems", message=EVERYTHING, nth=None)):
        world.streams.step(world.deliver)
    show_nothing(world, org, said)


def test_stuck_actions_are_named_by_their_ids_alone(world: World, org: Org, page: ActionPage, said: Said) -> None:
    signed = sign(world, page)
    topology.remove(world.prefix, org.id)
    world.run()
    [stuck] = world.items("A#")
    unseen_client("dynamodb").update_item(
        TableName=world.tables["ActionsTable"],
        Key={"ref": {"S": stuck["ref"]}, "sk": {"S": stuck["sk"]}},
        UpdateExpression="SET attempt = :five",
        ExpressionAttributeValues={":five": {"N": "5"}},
    )
    world.ahead_ms = 7 * 3_600_000
    world.sweep()
    assert [text for text in said.texts if "stuck" in text and str(signed.action) in text]
    topology.sync(world.prefix, org)
    show_nothing(world, org, said)


def test_decisions_and_their_refusals(world: World, org: Org, page: ActionPage, said: Said) -> None:
    signed = sign(world, page)
    world.run()
    decide.reject_supporter(signed.action)
    logger.info("decided")
    for decision in (decide.accept_supporter, decide.accept_action):
        with pytest.raises(Exception, match="already rejected") as refusal:
            decision(signed.action)
        assert not [word for word in PRIVATE if word in str(refusal.value).lower()]
    show_nothing(world, org, said)


def test_an_org_that_has_no_key_yet_keeps_nothing_in_clear_either(world: World, said: Said) -> None:
    org = world.org("later", key=False, encryption="encrypted", custom_action_confirm=True)
    sign(world, world.page(org))
    world.run()
    show_nothing(world, org, said)


def test_a_clear_partner_does_not_open_the_lead_s_copy(world: World, said: Said) -> None:
    lead, partner = world.org("lead"), world.org("partner", key=False)
    page = world.page(partner, world.campaign(lead, force_delivery=True))
    sign(world, page)
    world.run()
    assert not said.found(PRIVATE)
    assert not in_clear(world.bodies(lead))
    [of_lead] = [item for item in world.items("C#") if int(item["org"]) == lead.id]
    assert not in_clear(of_lead)


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_that_log_requests_stay_at_warning(library: str, said: Said) -> None:
    logging.getLogger(library).debug(EVERYTHING)
    logging.getLogger(f"{library}.part").info(EVERYTHING)
    assert not said.found(PRIVATE)


def test_links_that_do_their_work_and_links_that_do_not(world: World, said: Said) -> None:
    waiting = world.page(world.org("waiting", custom_supporter_confirm=True, redirect_hosts=["good.example.org"]))
    signature = sign(world, waiting)
    links = links_to(API, KEYS, REF, signature.action)
    told = {"redir": f"https://good.example.org/{REF}?email={EMAIL}", "reminder": "1", "doi": "1"}
    for disaster in (throttle("TransactWriteItems", nth=None), throttle("GetItem"), None):
        with faults(*filter(None, [disaster])):
            for link in links:
                for wanted in (link, link + "A", f"https://api.example.org/link/accept/12345678?email={EMAIL}"):
                    look(wanted, **told)
                    press(wanted, **told)
    assert world.action(signature.action)["status"] == "rejected"
    tokens = [link.rpartition("/")[2].lower() for link in links]
    assert said.texts
    assert not said.found((*PRIVATE, *tokens, "12345678"))
