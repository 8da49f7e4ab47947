"""The context object."""

import time

from tests.harness.context import LambdaContext


def test_the_time_left_runs_down_to_nothing() -> None:
    context = LambdaContext("deliver", timeout_s=60)
    first = context.get_remaining_time_in_millis()
    assert 0 < first <= 60_000
    time.sleep(0.01)
    assert context.get_remaining_time_in_millis() < first
    assert LambdaContext("deliver", timeout_s=0).get_remaining_time_in_millis() == 0
    assert LambdaContext("deliver", remaining_ms=7).get_remaining_time_in_millis() == 7


def test_every_invocation_has_an_id_of_its_own() -> None:
    first, second = LambdaContext("deliver"), LambdaContext("deliver")
    assert first.function_name == "deliver"
    assert first.aws_request_id != second.aws_request_id
    assert first.invoked_function_arn.endswith(":function:deliver")
