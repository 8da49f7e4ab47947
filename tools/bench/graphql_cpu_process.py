"""Run by `graphql_cpu` in a process that has nothing but the built functions and their layer.

Job: `layer`; `functions`, folders by name; `events`, by the same names, lists of API events, all different; `calls`,
how many make one measurement, which is the fastest of them. The functions take turns.

Answer: by name, lists of milliseconds of CPU.
"""

import gc
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


class Context:
    """What handlers read of Lambda's context."""

    function_name = "function"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:function"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 28_000


def main() -> None:
    job = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w")
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the handlers' log lines, as long as the process
    sys.path.insert(0, job["layer"])
    handlers = {name: _handler(name, Path(folder)) for name, folder in job["functions"].items()}
    calls = job["calls"]
    left = {name: iter(events) for name, events in job["events"].items()}
    for name, handler in handlers.items():
        for _ in range(calls):
            _sign(handler, next(left[name]))
    took: dict[str, list[float]] = {name: [] for name in handlers}
    for number in range(len(next(iter(job["events"].values()))) // calls - 1):
        gc.collect()
        for name in sorted(handlers, reverse=bool(number % 2)):
            took[name].append(min(_cpu_ms(handlers[name], next(left[name])) for _ in range(calls)))
    json.dump(took, answer)
    answer.flush()


def _handler(name: str, folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"app_{name}", folder / "app.py")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"no function in {folder}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.lambda_handler


def _cpu_ms(handler: Any, event: dict[str, Any]) -> float:
    started = time.process_time_ns()
    _sign(handler, event)
    return (time.process_time_ns() - started) / 1_000_000


def _sign(handler: Any, event: dict[str, Any]) -> None:
    answer = handler(event, Context)
    if answer["statusCode"] not in (200, 201) or '"errors"' in answer["body"]:
        raise RuntimeError(f"a signature was answered with {answer['statusCode']}: {answer['body']}")


if __name__ == "__main__":
    main()
