"""Sees every AWS call of the process, whoever makes it: boto3, plain botocore or PynamoDB.

botocore makes a call in two layers, and both can be hooked:

- a *call* is what the program asks for (`BaseClient._make_api_call`, which PynamoDB calls directly);
- an *attempt* is one request on the wire (`Endpoint._do_get_response`). botocore's own retry loop stands between the
  two, so a hook on attempts meets the same retries as the network does.

Both are private in botocore; they are leaned on in this file only. moto answers inside an attempt, so everything
here works with it too.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import botocore.session
from botocore.client import BaseClient
from botocore.endpoint import Endpoint

Answer = dict[str, Any]
Attempt = tuple[Any, BaseException | None]
"""botocore's own form: ((http response, parsed answer), None) or (None, exception)."""


@dataclass(eq=False)
class Call:
    """One call of the program to AWS, with all its attempts."""

    number: int
    service: str  # as boto3 names it: "dynamodb", "sqs"
    operation: str  # as the API names it: "TransactWriteItems"
    params: dict[str, Any]
    attempts: int = 0
    answer: Answer | None = None
    error: BaseException | None = None
    consumed: list[dict[str, Any]] = field(default_factory=list)
    """`ConsumedCapacity`, one entry per table, where the answer carried it."""

    @property
    def keys(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What a DynamoDB call touches: (operation on the item, table, key); for a Query its key condition's values."""
        return _touched(self) if self.service == "dynamodb" else []

    def __str__(self) -> str:
        touched = ", ".join(f"{verb} {table} {_short(key)}" for verb, table, key in self.keys)
        return f"{self.service}:{self.operation}" + (f" [{touched}]" if touched else "")


class Hook:
    """What stands around calls and attempts. The base lets everything pass."""

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:  # noqa: ARG002  for those that use it
        """Runs in the thread of the caller; `proceed()` makes the call with `call.params`."""
        return proceed()

    def around_attempt(self, call: Call, send: Callable[[], Attempt]) -> Attempt:  # noqa: ARG002  likewise
        """`send()` puts the request on the wire; what is returned is what botocore's retry loop sees."""
        return send()


class Calls(Hook):
    """Records calls in the order in which they are made. A list, with the questions a test asks of it."""

    def __init__(self, *, capacity: bool = False) -> None:
        self.capacity = capacity
        self.all: list[Call] = []

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        self.all.append(call)
        asked = "ReturnConsumedCapacity" in call.params
        if self.capacity and _reports_capacity(call):
            call.params["ReturnConsumedCapacity"] = "INDEXES"
        answer = proceed()
        consumed = answer.get("ConsumedCapacity", [])
        call.consumed = consumed if isinstance(consumed, list) else [consumed]
        if self.capacity and not asked:
            answer.pop("ConsumedCapacity", None)  # the program did not ask: it must not see the difference
        return answer

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Call]:
        return iter(self.all)

    def __getitem__(self, index: int) -> Call:
        return self.all[index]

    def of(self, *operations: str) -> list[Call]:
        """The calls of these operations or services: `of("dynamodb")`, `of("SendMessageBatch", "SendMessage")`."""
        return [call for call in self.all if call.operation in operations or call.service in operations]

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.all]

    @property
    def units(self) -> dict[str, float]:
        """Consumed capacity units per operation, as far as answers carried them."""
        units: dict[str, float] = {}
        for call in self.all:
            for entry in call.consumed:
                units[call.operation] = units.get(call.operation, 0) + entry["CapacityUnits"]
        return units


_hooks: list[Hook] = []
_lock = threading.Lock()
_numbers = itertools.count(1)
_here = threading.local()  # .call: the call that this thread is making
_client: Any = BaseClient
_endpoint: Any = Endpoint
_real_call = _client._make_api_call
_real_attempt = _endpoint._do_get_response
_OURS = "_unseen_by_hooks"


@contextmanager
def hooked(*hooks: Hook) -> Iterator[None]:
    """Installs hooks for all clients of the process, old and new; the last one given stands nearest to the wire."""
    with _lock:
        if not _hooks:
            _client._make_api_call = _call
            _endpoint._do_get_response = _attempt
        _hooks.extend(hooks)
    try:
        yield
    finally:
        with _lock:
            for hook in hooks:
                _hooks.remove(hook)
            if not _hooks:
                _client._make_api_call = _real_call
                _endpoint._do_get_response = _real_attempt


@contextmanager
def calls(*, capacity: bool = False) -> Iterator[Calls]:
    """Records every AWS call made inside. With `capacity`, each DynamoDB call is asked for
    `ReturnConsumedCapacity=INDEXES`, and an answer to a program that had not asked is given without it."""
    recorder = Calls(capacity=capacity)
    with hooked(recorder):
        yield recorder


def unseen_client(service: str) -> Any:
    """A client for the tools themselves: no hook sees its calls, so no fault hits them and no recorder counts them."""
    with _clients_lock:
        if service not in _clients:
            client = botocore.session.get_session().create_client(service)
            setattr(client, _OURS, True)
            _clients[service] = client
        return _clients[service]


def forget_clients() -> None:
    """Drops the tools' clients and what they learnt: call it when the endpoint changes."""
    with _clients_lock:
        _clients.clear()
        _key_names.clear()


_clients: dict[str, Any] = {}
_clients_lock = threading.Lock()
_key_names: dict[str, list[str]] = {}


def _call(client: Any, operation: str, params: dict[str, Any]) -> Answer:
    outer = getattr(_here, "call", None)
    if getattr(client, _OURS, False):
        _here.call = None
        try:
            return cast(Answer, _real_call(client, operation, params))
        finally:
            _here.call = outer
    call = Call(next(_numbers), client.meta.service_model.service_name, operation, dict(params))

    def proceed() -> Answer:
        return cast(Answer, _real_call(client, operation, call.params))

    for hook in reversed(_hooks.copy()):
        proceed = _around_call(hook, call, proceed)
    _here.call = call
    try:
        call.answer = proceed()
    except BaseException as error:
        call.error = error
        raise
    finally:
        _here.call = outer
    return call.answer


def _attempt(endpoint: Any, request: Any, operation_model: Any, context: Any) -> Attempt:
    def send() -> Attempt:
        return cast(Attempt, _real_attempt(endpoint, request, operation_model, context))

    call = getattr(_here, "call", None)
    if call is None:
        return send()
    call.attempts += 1
    for hook in reversed(_hooks.copy()):
        send = _around_attempt(hook, call, send)
    return send()


def _around_call(hook: Hook, call: Call, proceed: Callable[[], Answer]) -> Callable[[], Answer]:
    return lambda: hook.around_call(call, proceed)


def _around_attempt(hook: Hook, call: Call, send: Callable[[], Attempt]) -> Callable[[], Attempt]:
    return lambda: hook.around_attempt(call, send)


def _reports_capacity(call: Call) -> bool:
    if call.service != "dynamodb":
        return False
    model = unseen_client("dynamodb").meta.service_model.operation_model(call.operation)
    return model.input_shape is not None and "ReturnConsumedCapacity" in model.input_shape.members


def _touched(call: Call) -> list[tuple[str, str, dict[str, Any]]]:
    params = call.params
    if "TransactItems" in params:
        return [_one(verb, item) for entry in params["TransactItems"] for verb, item in entry.items()]
    if call.operation == "BatchGetItem":
        tables = params["RequestItems"].items()
        return [("Get", table, _plain(key)) for table, asked in tables for key in asked["Keys"]]
    if call.operation == "BatchWriteItem":
        return [
            _one(verb.removesuffix("Request"), {"TableName": table, **item})
            for table, requests in params["RequestItems"].items()
            for request in requests
            for verb, item in request.items()
        ]
    if "TableName" not in params:
        return []
    if call.operation in ("Query", "Scan"):
        index = params.get("IndexName")
        name = params["TableName"] + (f"/{index}" if index else "")
        return [(call.operation, name, _plain(params.get("ExpressionAttributeValues", {})))]
    return [_one(call.operation.removesuffix("Item"), params)]


def _one(verb: str, item: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    table = item["TableName"]
    if "Item" in item:
        return verb, table, _plain({name: item["Item"][name] for name in key_names(table) if name in item["Item"]})
    return verb, table, _plain(item.get("Key", {}))


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: next(iter(value.values())) for name, value in attributes.items()}


def _short(key: dict[str, Any]) -> str:
    return "/".join(str(value) for value in key.values())


def key_names(table: str) -> list[str]:
    """The names of a table's key attributes, partition key first."""
    if table not in _key_names:
        schema = unseen_client("dynamodb").describe_table(TableName=table)["Table"]["KeySchema"]
        _key_names[table] = [key["AttributeName"] for key in sorted(schema, key=lambda key: key["KeyType"] != "HASH")]
    return _key_names[table]
