"""CPU of a signature by GraphQL against the same one by REST, in warm handlers that take turns in one process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.world import api_event
from tools.bench import signature, units
from tools.bench.lambda_process import FUNCTION, LAYER, run
from tools.bench.pairs import Pairs

PROGRAM = "graphql_cpu_process"
CALLS = 5
SIGN = (
    "mutation addActionContact($action: ActionInput!, $contact: ContactInput!, $privacy: ConsentInput!,"
    " $contactRef: ID, $actionPage: Int!, $tracking: TrackingInput) { addActionContact(actionPageId: $actionPage,"
    " action: $action, contactRef: $contactRef, contact: $contact, privacy: $privacy, tracking: $tracking)"
    " { contactRef firstName } }"
)


def measure(build: Path, environ: Mapping[str, str], page: int, pairs: int) -> Pairs:
    """`pairs` measurements, for signatures of this page."""
    count = (pairs + 1) * CALLS
    job = {
        "layer": str(build / LAYER),
        "functions": {"rest": str(build / FUNCTION), "graphql": str(build / "GraphqlFunction")},
        "events": {
            "rest": [_event(f"/v1/pages/{page}/actions", units.body()) for _ in range(count)],
            "graphql": [_event("/api", _query(page, units.body())) for _ in range(count)],
        },
        "calls": CALLS,
    }
    took = run(PROGRAM, job, environ)
    return Pairs.of(took["graphql"], took["rest"])


def _query(page: int, body: dict[str, Any]) -> dict[str, Any]:
    action = {**body["action"], "customFields": json.dumps(body["action"]["customFields"])}
    return {"query": SIGN, "variables": {**body, "action": action, "actionPage": page}}


def _event(path: str, body: dict[str, Any]) -> dict[str, Any]:
    return api_event("POST", path, json.dumps(body), dict(signature.HEADERS))
