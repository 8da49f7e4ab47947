"""Amazon SES, version 2 of its API, with our own raw mail."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Final, Self

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)
from botocore.parsers import ResponseParserError

from proca_common.aws import clock
from proca_common.aws.clients import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, session
from proca_common.aws.logs import log_fault
from proca_common.mails.backends import Broken, Busy, NotSent, Unanswered, Undeliverable
from proca_common.mails.letter import Letter

ACTION_TAG: Final = "action"
MAIL_TAG: Final = "mail"
TARGET_MAIL_TAG: Final = "target_mail"
QUOTA_FRESH_MS: Final = 10 * 60_000
SANDBOX_RATE: Final = 1.0
BUSY: Final = frozenset(
    {"TooManyRequestsException", "LimitExceededException", "ThrottlingException", "Throttling", "ServiceUnavailable"}
)
OUR_FAULT: Final = frozenset({"BadRequestException", "MessageRejected"})
BAD_RECIPIENT: Final = re.compile(
    r"illegal address|invalid domain|missing (final|domain|local)|domain (starts|ends|contains)|local address",
    re.IGNORECASE,
)
"""How it speaks of addresses; ours are well-formed by then, so it can only be the recipient's domain or mailbox."""

UNREACHED: Final = (ConnectTimeoutError, EndpointConnectionError)
_NOT_IN_TAG: Final = re.compile(r"[^A-Za-z0-9_-]")


class Ses:
    """SES with the credentials of a service; without any, with the function's own role.

    One request per mail and never a second by the client itself: after a lost answer it could go out twice unseen.
    """

    def __init__(
        self, region: str | None, credentials: tuple[str, str] | None = None, configuration_set: str | None = None
    ) -> None:
        given: dict[str, Any] = {}
        if region:
            given["region_name"] = region
        if credentials is not None:
            given["aws_access_key_id"], given["aws_secret_access_key"] = credentials
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"total_max_attempts": 1, "mode": "standard"},
            parameter_validation=False,
        )
        self._client: Any = session().create_client("sesv2", config=config, **given)
        self._configuration_set = configuration_set
        self._rate: tuple[float, int] | None = None

    def send(self, letter: Letter) -> None:
        """See `Backend`. The tags say what the mail was for, because SES gives it a Message-ID of its own."""
        request: dict[str, Any] = {
            "FromEmailAddress": letter.sender,
            "Destination": {"ToAddresses": [letter.recipient]},
            "Content": {"Raw": {"Data": letter.raw}},
            "EmailTags": [{"Name": MAIL_TAG, "Value": _NOT_IN_TAG.sub("-", letter.key)}],
        }
        if letter.cc:
            request["Destination"]["CcAddresses"] = list(letter.cc)
        if letter.action is not None:
            request["EmailTags"].insert(0, {"Name": ACTION_TAG, "Value": str(letter.action)})
        if letter.target_mail is not None:
            request["EmailTags"].append({"Name": TARGET_MAIL_TAG, "Value": letter.target_mail})
        if self._configuration_set is not None:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            self._client.send_email(**request)
        except ClientError as error:
            raise _refusal(error) from None
        except UNREACHED as error:
            raise Broken(type(error).__name__) from None
        except (HTTPClientError, ResponseParserError) as error:
            raise Unanswered(type(error).__name__) from None
        except BotoCoreError as error:
            raise Broken(type(error).__name__) from None

    def rate(self) -> float:
        """What the account may send in a second, at most ten minutes old; that of the sandbox where it is not told."""
        now = clock.now_ms()
        if self._rate is None or now - self._rate[1] >= QUOTA_FRESH_MS:
            try:
                rate = float(self._client.get_account()["SendQuota"]["MaxSendRate"])
            except (ClientError, BotoCoreError, KeyError) as error:
                log_fault("the sending quota is not known", error)
                rate = SANDBOX_RATE if self._rate is None else self._rate[0]
            self._rate = (rate if rate > 0 else SANDBOX_RATE, now)
        return self._rate[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open: connections are kept by the client."""


def _refusal(error: ClientError) -> NotSent | Unanswered:
    """What an error of SES means; only its code is kept, because its text may hold the address."""
    code = error.response["Error"].get("Code", "unknown")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in BUSY:
        return Busy(code)
    if code in OUR_FAULT:
        said = error.response["Error"].get("Message", "")
        return Undeliverable(code) if BAD_RECIPIENT.search(said) else NotSent(code)
    return Unanswered(code) if status >= 500 else Broken(code)
