"""What a reader over HTTPS gives back to say which message it has done: SQS's receipt handle, bound to its queue.

An HMAC over the queue's name, which begins with the org's id, stands before the handle. So nothing reaches SQS that we
did not hand out for this very queue. Pure.
"""

from __future__ import annotations

import hmac

from proca_common.orgs.encryption import from_text, to_text

MAC_BYTES = 16
MAX_RECEIPT = 2_000


def receipt_key(secret: bytes) -> bytes:
    """The key of receipts: not that of anything else that is made of the same secret."""
    return hmac.digest(secret, b"queue receipts", "sha256")


def receipt(key: bytes, queue: str, handle: str) -> str:
    """The receipt of a message of the queue with this name (`<org id>-<queue>`): base64url."""
    return to_text(_mac(key, queue, handle.encode()) + handle.encode())


def handle_of(key: bytes, queue: str, text: str) -> str | None:
    """SQS's handle; None for what is no receipt of this queue."""
    try:
        given = from_text(text) if len(text) <= MAX_RECEIPT else b""
    except ValueError:
        return None
    mac, handle = given[:MAC_BYTES], given[MAC_BYTES:]
    if not handle or not hmac.compare_digest(mac, _mac(key, queue, handle)):
        return None
    return handle.decode()


def _mac(key: bytes, queue: str, handle: bytes) -> bytes:
    return hmac.digest(key, queue.encode() + b"\0" + handle, "sha256")[:MAC_BYTES]
