"""One botocore session for the process, and clients with limits (design 8: connect 2 s, read 5 s, 3 tries)."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 5
TRIES = 3
REGIONAL: Any = {"us_east_1_regional_endpoint": "regional"}
"""Else botocore looks for an endpoint outside of all regions, which its list does not have."""


@cache
def session() -> botocore.session.Session:
    """The session that every client of this process is made from (a second one would cost 75 ms)."""
    made = botocore.session.get_session()
    made.set_default_client_config(Config(user_agent="proca"))  # else it is put together twice for each request
    return made


@cache
def client(service: str, read_timeout_s: int = READ_TIMEOUT_S) -> Any:
    """A client of `service`; typed as Any because botocore makes its methods at run time.

    `read_timeout_s`: longer only for calls that wait on purpose.
    """
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=read_timeout_s,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
        parameter_validation=False,
        s3=REGIONAL,
        signature_version="s3v4" if service == "s3" else None,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session().create_client(service, config=config)
