"""`make invoke`: a built function answers a recorded event as on Lambda, and what it raises is told."""

import json

import pytest

from tools.emulator import ROOT
from tools.invoke import BuiltFunction, FunctionError
from tools.stack import Stack


@pytest.mark.usefixtures("local")  # whose build it is
def test_a_built_function_answers_a_recorded_event_and_goes_on_after_a_failure(stack: Stack) -> None:
    event = json.loads((ROOT / "events" / "health.json").read_text())

    with BuiltFunction("health", stack) as health:
        with pytest.raises(FunctionError, match="errorType"):
            health.invoke("no event of the API")
        answer = health.invoke(event)

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})
