"""The logger. No body, address, name, contact ref, token or client address is ever given to it (design 7.9)."""

from __future__ import annotations

import logging
import traceback

from aws_lambda_powertools import Logger

LIBRARIES = ("aws_lambda_powertools", "botocore", "urllib3", "pynamodb")

logger = Logger()
for library in LIBRARIES:
    logging.getLogger(library).setLevel(logging.WARNING)


def log_fault(message: str, error: BaseException, **facts: object) -> None:
    """Log a fault by its type and the frame it came from; its text may hold input, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown"
    logger.error(message, extra={"fault": type(error).__name__, "where": where, **facts})
