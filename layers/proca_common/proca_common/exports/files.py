"""Files in the bucket of exports: written in parts, read through a link that holds for minutes.

A file is there when it is complete, and not before. Whoever aborts its upload and then deletes it can be sure that it
is gone, whatever another writer still does: a part or the end of an aborted upload is refused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from proca_common.aws.clients import client
from proca_common.aws.errors import Unavailable
from proca_common.errors import NotFound

LEAST_PART = 5 * 1024 * 1024
"""S3 takes no smaller part, unless it is the last."""
LINK_S = 900
MISSING = ("NoSuchUpload", "NoSuchKey", "404", "403", "AccessDenied")
"""Without the right to list a bucket, S3 says 403 for what is not there."""


def begin(bucket: str, key: str, content_type: str) -> str:
    """A new upload, by its id. Raises `Unavailable`."""
    name = key.rpartition("/")[2]
    with _in_our_words():
        answer = client("s3").create_multipart_upload(
            Bucket=bucket, Key=key, ContentType=content_type, ContentDisposition=f'attachment; filename="{name}"'
        )
    return str(answer["UploadId"])


def put_part(bucket: str, key: str, upload: str, number: int, body: bytes) -> str:
    """One part of an upload; returns its ETag. Raises `NotFound` when the upload is no more, `Unavailable`."""
    with _in_our_words():
        answer = client("s3").upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, ContentMD5=_md5(body)
        )
    return str(answer["ETag"])


def complete(bucket: str, key: str, upload: str, parts: Sequence[tuple[int, str]]) -> None:
    """Make the file of its parts; done twice, it is done. Raises `NotFound` when there is neither upload nor file,
    `Unavailable`.
    """
    listed = {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]}
    try:
        with _in_our_words():
            client("s3").complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=listed)
    except NotFound:
        with _in_our_words():
            client("s3").head_object(Bucket=bucket, Key=key)


def abort(bucket: str, key: str, upload: str) -> None:
    """The end of an upload, and of what was uploaded. Raises `Unavailable`."""
    try:
        with _in_our_words():
            client("s3").abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    except NotFound:
        return


def keep(bucket: str, key: str, body: bytes) -> None:
    """Store something small as a whole. Raises `Unavailable`."""
    with _in_our_words():
        client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentMD5=_md5(body))


def kept(bucket: str, key: str) -> bytes:
    """What was kept. Raises `NotFound`, `Unavailable`."""
    with _in_our_words():
        body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def delete(bucket: str, *keys: str) -> None:
    """Remove these files, those that are there. Raises `Unavailable`."""
    for key in keys:
        with _in_our_words():
            client("s3").delete_object(Bucket=bucket, Key=key)


def link(bucket: str, key: str) -> str:
    """An address from which anybody may read the file for a quarter of an hour."""
    asked: Mapping[str, Any] = {"Bucket": bucket, "Key": key}
    return str(client("s3").generate_presigned_url("get_object", Params=asked, ExpiresIn=LINK_S))


def _md5(body: bytes) -> str:
    """What S3 compares with what came over."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "unknown")
        raise NotFound("file") if code in MISSING else Unavailable(code) from None
    except BotoCoreError as error:
        raise Unavailable(type(error).__name__) from None
