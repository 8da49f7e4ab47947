"""Many at once, in real threads: nothing is left waiting, everything is counted once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from proca_common.action_pages.context import page_context
from proca_common.actions.input import AddActionInput
from proca_common.aws.errors import CloudError
from proca_common.errors import NotAllowed
from proca_common.intake.add import add_action
from proca_common.stages import decide
from tests.coalition import Coalition, message_ids
from tests.harness.context import LambdaContext
from tests.recount import assert_sound, entitled
from tests.world import World

THREADS = 20
SHARE = AddActionInput.model_validate({"action": {"actionType": "share"}})


def at_once(*operations: Callable[[], Any]) -> list[Any]:
    """All begin together, each in a thread of its own; what one raises is raised here."""
    gate = threading.Barrier(len(operations))

    def one(operation: Callable[[], Any]) -> Any:
        gate.wait()
        return operation()

    with ThreadPoolExecutor(len(operations)) as pool:
        return [*pool.map(one, operations)]


def insist(operation: Callable[..., Any], *given: Any) -> Any:
    """What a caller does: try again when told to, and be content when the rules forbid it by now."""
    for _ in range(20):
        try:
            return operation(*given)
        except CloudError:
            continue
        except NotAllowed:
            return None
    raise AssertionError("twenty tries did not help")


def test_shares_are_added_while_their_supporters_are_accepted(world: World) -> None:
    coalition = Coalition(world, {"custom_supporter_confirm": True})
    petition = coalition.petition()
    signatures = [petition.sign(f"person{number}") for number in range(THREADS // 2)]
    world.run()
    context = page_context(petition.page.id)

    def share(ref: str) -> None:
        for _ in range(5):
            insist(add_action, context, SHARE, ref, None, None)

    accepting = [partial(insist, decide.accept_supporter, signature.action) for signature in signatures]
    sharing = [partial(share, signature.contact_ref) for signature in signatures]
    at_once(*accepting, *sharing)
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert len(stored.actions) == 6 * len(signatures)
    assert {action["status"] for action in stored.bound} == {"delivered"}
    assert entitled(stored) <= message_ids(world, coalition.lead).keys()
    assert world.numbers(petition.campaign)["type:share"] == 5 * len(signatures)


def test_many_decide_about_one_supporter(world: World) -> None:
    coalition = Coalition(world, {"custom_supporter_confirm": True})
    petition = coalition.petition()
    signature = petition.sign("ida")
    shares = [petition.share(signature).action for _ in range(3)]
    world.run()
    decisions = [decide.accept_supporter, decide.reject_supporter] * (THREADS // 2)
    done = at_once(*(partial(insist, decision, signature.action) for decision in decisions))
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert done.count(True) in (1, 2)  # rejected at once, or first accepted
    assert {stored.actions[action]["status"] for action in (signature.action, *shares)} == {"rejected"}
    assert not world.numbers(petition.campaign)


def test_a_batch_is_delivered_by_many_at_once(world: World) -> None:
    """Lambda may invoke twice for the same records, and an invocation that timed out may still be at work."""
    coalition = Coalition(world)
    petition = coalition.petition()
    petition.crowd()
    records = [record for record in world.streams.records() if "stage" in record["dynamodb"]["NewImage"]]

    def deliver() -> Any:
        return world.deliver.handler({"Records": records}, LambdaContext("DeliverFunction", 60))

    at_once(*[deliver] * 6)
    world.run()
    stored = assert_sound(world, petition.campaign)
    assert entitled(stored) <= coalition.received().keys()
