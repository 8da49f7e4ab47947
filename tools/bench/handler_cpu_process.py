"""Run by `handler_cpu` in a process that has nothing but the built function and its layer.

Job: `path`; `events`, lists of API events by variant, all different; `calls`, how many make one measurement, which is
the fastest of them: what interrupted the others is not ours. The handler and its floors take turns. A floor does with
the same event what cannot be left out: JSON in, a NaCl box of the contact, one transaction of as many and as large
items by a plain botocore client, JSON out.

Answer: by variant and contender, lists of milliseconds of CPU.
"""

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

_numbers = count(1)


class Context:
    """What the handler reads of Lambda's context."""

    function_name = "AddActionContactFunction"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:AddActionContactFunction"
    aws_request_id = "00000000-0000-0000-0000-000000000000"


class Recorder:
    """Keeps the last transaction that a client was asked for."""

    def __init__(self, client: Any) -> None:
        self.items: list[dict[str, Any]] = []
        client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", self._see)

    def _see(self, params: dict[str, Any], **_: Any) -> None:
        self.items = params["TransactItems"]


class Floor:
    """The least that takes a signature in: the transaction of `items`, of somebody else at each call."""

    def __init__(self, items: list[dict[str, Any]], **settings: Any) -> None:
        session, config = importlib.import_module("botocore.session"), importlib.import_module("botocore.config")
        public = importlib.import_module("nacl.public")
        self.client = session.get_session().create_client("dynamodb", config=config.Config(**settings))
        self.box = public.Box(public.PrivateKey.generate(), public.PrivateKey.generate().public_key)
        puts = [entry["Put"]["Item"] for entry in items]
        [action] = [put for put in puts if put["kind"]["S"] == "action"]
        [contact] = [put for put in puts if put["kind"]["S"] == "contact"]
        self.items = items
        self.id = action["id"]["N"]
        self.refs = {put["ref"]["S"] for put in puts if put["kind"]["S"] != "id"}
        self.payload = bytes(len(contact["payload"]["B"]) - 16)

    def prepare(self) -> list[dict[str, Any]]:
        """The items with an id and a ref that were not used before, of the same length."""
        action = str(int(self.id) - next(_numbers))
        items: list[dict[str, Any]] = _replaced(
            self.items, {self.id: action} | {ref: ref[: -len(action)] + action for ref in self.refs}
        )
        return items

    def __call__(self, event: dict[str, Any], items: list[dict[str, Any]]) -> str:
        contact = json.loads(event["body"])["contact"]
        self.box.encrypt(self.payload)
        self.client.transact_write_items(TransactItems=items)
        return json.dumps(
            {"actionId": self.id, "contactRef": self.payload.hex()[:43], "firstName": contact["firstName"]}
        )


def main() -> None:
    job = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w")
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the handler's log lines, as long as the process
    sys.path[:0] = job["path"]
    app = importlib.import_module("app")
    recorder = Recorder(importlib.import_module("proca_common.aws.dynamo").connection().client)
    measured = {
        name: _measure(app.lambda_handler, recorder, events, job["calls"]) for name, events in job["events"].items()
    }
    json.dump(measured, answer)
    answer.flush()


def _measure(handler: Any, recorder: Recorder, events: list[dict[str, Any]], calls: int) -> dict[str, list[float]]:
    left = iter(events)
    for _ in range(calls):
        _sign(handler, next(left))
    floors = {"floor": Floor(recorder.items), "lean floor": Floor(recorder.items, parameter_validation=False)}
    for floor in floors.values():
        for _ in range(calls):
            floor(events[0], floor.prepare())
    took: dict[str, list[float]] = {"handler": [], **{name: [] for name in floors}}
    for number in range((len(events) - calls) // calls):
        turns: list[tuple[str, list[Callable[[], Any]]]] = [
            ("handler", [_bound(_sign, handler, next(left)) for _ in range(calls)]),
            *(
                (name, [_bound(floor, events[0], floor.prepare()) for _ in range(calls)])
                for name, floor in floors.items()
            ),
        ]
        gc.collect()
        for name, work in turns if number % 2 else reversed(turns):
            took[name].append(min(map(_cpu_ms, work)))
    return took


def _cpu_ms(call: Callable[[], Any]) -> float:
    started = time.process_time_ns()
    call()
    return (time.process_time_ns() - started) / 1_000_000


def _sign(handler: Any, event: dict[str, Any]) -> None:
    answer = handler(event, Context)
    if answer["statusCode"] != 201:
        raise RuntimeError(f"a signature was answered with {answer['statusCode']}: {answer['body']}")


def _bound(work: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: work(*arguments)


def _replaced(value: Any, texts: dict[str, str]) -> Any:
    match value:
        case dict():
            return {name: _replaced(entry, texts) for name, entry in value.items()}
        case list():
            return [_replaced(entry, texts) for entry in value]
        case str():
            for old, new in texts.items():
                value = value.replace(old, new)
    return value


if __name__ == "__main__":
    main()
