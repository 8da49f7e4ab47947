"""Files that go with mails to targets, from the store of the org that sends them (domain 9.6.7): S3 of its own account.

They are taken from one folder, `path` of the org's service. What cannot be had is left out, and the mail goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws import clock
from proca_common.aws.clients import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, session
from proca_common.aws.logs import logger
from proca_common.errors import NotAllowed
from proca_common.mails.letter import File
from proca_common.mtt.file_keys import allowed
from proca_common.orgs import services
from proca_common.orgs.org import Org
from proca_common.orgs.services import Service, ServiceName

MAX_BYTES: Final = 5_000_000
"""Of all files of a mail together."""
FRESH_MS: Final = 60_000
_Known = tuple[tuple[int, tuple[str, ...]], int, tuple[File, ...]]


class Files:
    """Fetches files, for one environment. The last ones are kept for a minute: many mails have the same.

    `passwords_secret`: the value of the entry `ServicePasswordsSecret`.
    """

    def __init__(self, passwords_secret: Callable[[], bytes]) -> None:
        self._secret = passwords_secret
        self._last: _Known | None = None

    def fetch(self, org: Org, keys: Sequence[str]) -> tuple[File, ...]:
        """The files of these keys, `bucket/path`, as far as they can be had. Raises `Unavailable` (our own store)."""
        if not keys or org.storage_backend is None:
            return ()
        wanted = org.id, tuple(keys)
        now_ms = clock.now_ms()
        if self._last is None or self._last[0] != wanted or now_ms - self._last[1] >= FRESH_MS:
            service = services.latest(org.id, ServiceName(org.storage_backend))
            self._last = wanted, now_ms, () if service is None else tuple(self._found(service, keys))
        return self._last[2]

    def _found(self, service: Service, keys: Sequence[str]) -> Iterator[File]:
        left = MAX_BYTES
        try:
            client = _client(service.host, service.user, services.opened(service, self._secret()))
        except NotAllowed:
            logger.error("the password of a store of files cannot be opened", extra={"service": service.id})
            return
        for key in allowed(keys, service.path or ""):
            try:
                content = _read(client, key, left)
            except ClientError as error:
                _left_out(service, str(error.response["Error"].get("Code")))
            except BotoCoreError as error:  # the store does not answer: nor would it for the others, in time
                _left_out(service, type(error).__name__)
                return
            else:
                if len(content) > left:
                    _left_out(service, "TooLarge")
                    continue
                left -= len(content)
                yield File(key.rpartition("/")[2], content)


def _left_out(service: Service, code: str) -> None:
    logger.warning("a file of a mail to targets is left out", extra={"code": code, "service": service.id})


def _read(client: Any, key: str, most: int) -> bytes:
    """The file, or a byte more than so many of it."""
    bucket, _, path = key.partition("/")
    with client.get_object(Bucket=bucket, Key=path)["Body"] as body:
        content: bytes = body.read(most + 1)
    return content


@lru_cache(maxsize=16)
def _client(region: str, user: str, password: str) -> Any:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": 2, "mode": "standard"},
        parameter_validation=False,
        proxies={},
        signature_version="s3v4",
        response_checksum_validation="when_required",
    )
    return session().create_client(
        "s3", region_name=region, aws_access_key_id=user, aws_secret_access_key=password, config=config
    )
