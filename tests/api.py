"""The API as its document describes it, on the handlers of this process: examples are sent, operations found."""

from __future__ import annotations

import json
from typing import Any

from tests.harness.template import project_template
from tests.world import Answer, api_event, call
from tools.openapi.examples import BY_CHANCE, Example

JSON = {"Content-Type": "application/json"}


def endpoints_of_template() -> dict[tuple[str, str], str]:
    """The functions of the template by the method and path of their events."""
    template = project_template()
    return {
        (event["Properties"]["Method"], event["Properties"]["Path"]): name
        for name, function in template.resources("AWS::Serverless::Function").items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api"
    }


def send(example: Example) -> Answer:
    """The answer of the example's function."""
    endpoint = example.endpoint
    body = example.body if isinstance(example.body, str | None) else json.dumps(example.body)
    headers = {**({} if body is None else JSON), "Origin": "https://campaign.example.org", **example.headers}
    event = api_event(endpoint.method, example.url_path, body, headers, dict(example.query) or None)
    return call(endpoints_of_template()[endpoint.method, endpoint.path], event)


def without_chance(body: Any) -> Any:
    """The body without the values that no two answers share."""
    if isinstance(body, list):
        return [without_chance(each) for each in body]
    if not isinstance(body, dict):
        return body
    return {key: None if key in BY_CHANCE else without_chance(value) for key, value in body.items()}
