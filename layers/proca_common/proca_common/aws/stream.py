"""What functions that are called by a stream answer, and by when they must be done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import clock


def deadline_ms(context: LambdaContext) -> int:
    """When the function will be stopped, in ms since 1970."""
    return clock.now_ms() + context.get_remaining_time_in_millis()


def batch_answer(failed: Iterable[str]) -> dict[str, Any]:
    """The answer that makes Lambda send these records again (ReportBatchItemFailures)."""
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed]}
