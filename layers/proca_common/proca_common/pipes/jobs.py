"""Ids of what is sent again: each message of a job carries its id in the attribute `Replay`."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from proca_common.aws import clock

JOB = re.compile(r"[A-Za-z0-9_-]{1,32}")


def new_job() -> str:
    """The id of a job that begins now: its moment, and some chance."""
    begun = datetime.fromtimestamp(clock.now_ms() // 1000, UTC)
    return f"{begun:%Y%m%d%H%M%S}-{secrets.token_hex(3)}"
