"""Writes a file: rows into parts, parts into the bucket, until time is over; then an order for the next turn goes out.

An order is sent before the record is stored, so that no record is without one. Orders may come twice or too late: who
takes a file last is the one who writes it (`store.take`), and every other finds out with its next write.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws import clock
from proca_common.aws.clients import client
from proca_common.aws.errors import Cancelled, Unavailable
from proca_common.aws.logs import logger
from proca_common.errors import NotFound
from proca_common.exports import files, store
from proca_common.exports.formats import CONTENT_TYPE, Format, head, lines
from proca_common.exports.rows import Filters, Kind
from proca_common.exports.store import UNDER_WAY, ExportItem, State
from proca_common.exports.walk import Span, last_id, walk

PART = 8 * 1024 * 1024
GRACE_MS = 60_000
"""Longer than whoever asks for a file takes to store its record."""


class Outcome(StrEnum):
    """What became of an order."""

    READY = "ready"
    GOES_ON = "goes_on"
    DROPPED = "dropped"
    FAILED = "failed"


class NotYet(Exception):
    """There is no record yet."""


def order(queue_url: str, item: ExportItem) -> None:
    """Have the file written, or written on. Raises `Unavailable`."""
    body = json.dumps({"org": int(item.org), "export": int(item.id), "at": clock.now_ms()})
    try:
        client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(type(error).__name__) from None


def work(body: str, queue_url: str, has_time: Callable[[], bool]) -> Outcome:
    """Do what an order says, as long as there is time. Raises `NotYet`, `Unavailable`."""
    asked = json.loads(body)
    item = store.find(asked["org"], asked["export"])
    if item is None:
        if clock.now_ms() - asked["at"] < GRACE_MS:
            raise NotYet
        return Outcome.DROPPED
    if item.state not in UNDER_WAY:
        return Outcome.DROPPED
    try:
        store.take(item)
        return _Writer(item).write(queue_url, has_time)
    except Cancelled:
        logger.info("another writes the file", extra={"export": int(item.id)})
        return Outcome.DROPPED
    except NotFound:  # what was uploaded is gone: the file was removed, or took longer than the bucket keeps parts
        return Outcome.FAILED if give_up(body) else Outcome.DROPPED


def give_up(body: str) -> bool:
    """The file of this order cannot be written; whether anybody waited for it. Raises `Unavailable`."""
    asked = json.loads(body)
    item = store.find(asked["org"], asked["export"])
    if item is None or item.state not in UNDER_WAY:
        return False
    return store.remove(int(item.org), int(item.id), State.FAILED)


def filters_of(item: ExportItem) -> Filters:
    """What the rows of the file were to be."""
    asked = item.asked
    return Filters(
        kind=Kind(asked["kind"]),
        only_opt_in=asked["onlyOptIn"],
        only_double_opt_in=asked["onlyDoubleOptIn"],
        include_testing=asked["includeTesting"],
        accepted_after_ms=asked["acceptedAfterMs"],
    )


class _Writer:
    """Writes one file for one turn. `buffer`: rows that were looked at and are in no part yet, at most one part."""

    def __init__(self, item: ExportItem) -> None:
        self.item = item
        self.format = Format(item.asked["format"])
        self.position = None if item.position is None else int(item.position)
        self.rows = int(item.rows)
        self.buffer = bytearray()

    def write(self, queue_url: str, has_time: Callable[[], bool]) -> Outcome:
        """Go on from where it is. Raises `Cancelled` when it is somebody else's, or was removed."""
        item = self.item
        if not item.walked:
            self._begin()
            span = Span(int(item.org), item.campaigns, self._following(), int(item.until))
            for step in walk(span, filters_of(item)):
                self.buffer += lines(step.rows, self.format)
                self.rows += len(step.rows)
                self.position = step.ids[-1]
                if item.first is None:
                    store.advance(item, first=step.ids[0], last=last_id(span))
                if len(self.buffer) >= PART:
                    self._upload()
                if not has_time():
                    return self._pause(queue_url)
            self._upload(walked=True)
        files.complete(item.bucket, item.key, str(item.upload), [(number, etag) for number, etag in item.parts])
        store.forget_rests(item)
        store.finish(item)
        return Outcome.READY

    def _begin(self) -> None:
        item = self.item
        if item.rest is not None:
            self.buffer += files.kept(item.bucket, item.rest)
        elif self.position is None:
            self.buffer += head(self.format)
        if item.upload is None:
            upload = files.begin(item.bucket, item.key, CONTENT_TYPE[self.format])
            try:
                store.advance(item, upload=upload)  # before anything is in it: what is removed has to be known
            except Cancelled:
                files.abort(item.bucket, item.key, upload)
                raise

    def _following(self) -> int:
        """The id to go on with: the record says from which on there may be any."""
        return int(self.item.asked["start"]) if self.position is None else self.position + 1

    def _upload(self, *, walked: bool = False) -> None:
        """Put the buffer into the bucket as a part. The last one may be small, and even empty if it is the only one."""
        item, number, body = self.item, int(self.item.part), bytes(self.buffer)
        if not (walked and not body and item.parts):
            etag = files.put_part(item.bucket, item.key, str(item.upload), number, body)
            item.parts = [*item.parts, [number, etag]]
        self._advance(parts=item.parts, part=number + 1, bytes=int(item.bytes) + len(body), rest=None, walked=walked)
        self.buffer.clear()

    def _pause(self, queue_url: str) -> Outcome:
        item = self.item
        if len(self.buffer) >= files.LEAST_PART:
            self._upload()
        else:
            self._keep_rest()
        order(queue_url, item)
        return Outcome.GOES_ON

    def _keep_rest(self) -> None:
        item, key = self.item, None
        if self.buffer:
            key = item.key_of_rest(int(item.turn))
            files.keep(item.bucket, key, bytes(self.buffer))
        try:
            self._advance(rest=key)
        except Cancelled:
            if key is not None:
                files.delete(item.bucket, key)
            raise

    def _advance(self, **changes: object) -> None:
        store.advance(self.item, position=self.position, rows=self.rows, **changes)
