"""NaCl boxes for the orgs' personal data (domain 6.1 as design 7.2 changes it).

`crypto_box` with a sender key pair that each execution environment makes in memory at start and never stores: with the
private part gone, nobody but the org can open a stored contact. For an org without a key yet, `crypto_box_seal` to the
instance's sealing key.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import nacl.utils
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey, SealedBox

KEY_BYTES = 32


def to_text(raw: bytes) -> str:
    """Base64url without padding (domain 0.3.3)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes of base64url without padding; raises ValueError for anything else."""
    if len(text) % 4 == 1 or not all(char.isascii() and (char.isalnum() or char in "-_") for char in text):
        raise ValueError("not base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A ciphertext (16-byte MAC first) with its 24-byte nonce and the sender's public key."""

    payload: bytes
    nonce: bytes
    sender: bytes


class Encryptor:
    """Encrypts for orgs; a Box per recipient is kept, because making one costs ten times an encryption."""

    def __init__(self, private: PrivateKey | None = None) -> None:
        self._private = private or PrivateKey.generate()
        self._boxes: dict[bytes, Box] = {}
        self.public = bytes(self._private.public_key)

    def encrypt(self, clear: bytes, recipient: bytes, nonce: bytes | None = None) -> Encrypted:
        """`clear` for the 32-byte public key `recipient`; a nonce is only given by tests of the wire form."""
        box = self._boxes.get(recipient)
        if box is None:
            box = self._boxes[recipient] = Box(self._private, PublicKey(recipient))
        message = box.encrypt(clear, nonce or nacl.utils.random(Box.NONCE_SIZE))
        return Encrypted(message.ciphertext, message.nonce, self.public)


def decrypt(encrypted: Encrypted, private: bytes) -> bytes:
    """What an org does with its own private key; raises CryptoError when it is not the right one."""
    return Box(PrivateKey(private), PublicKey(encrypted.sender)).decrypt(encrypted.payload, encrypted.nonce)


def seal(clear: bytes, sealing_public: bytes) -> bytes:
    """`clear` for whoever has the instance's private sealing key; the sender cannot open it either."""
    return SealedBox(PublicKey(sealing_public)).encrypt(clear)


def unseal(sealed: bytes, sealing_private: PrivateKey) -> bytes:
    """The clear text of `seal`."""
    return SealedBox(sealing_private).decrypt(sealed)


def sealing_key(secret: bytes) -> PrivateKey:
    """The instance's sealing key pair, derived from the secret entry, which may be any text of enough entropy."""
    return PrivateKey(hashlib.sha256(b"proca sealing key\0" + secret).digest())


def passwords_key(secret: bytes) -> PrivateKey:
    """The instance's key pair for passwords of services, derived in the same way from a secret of its own."""
    return PrivateKey(hashlib.sha256(b"proca service passwords\0" + secret).digest())


def srs_key(secret: bytes) -> bytes:
    """What addresses that are rewritten for mails to targets are signed with, derived from the sealing key's secret."""
    return hashlib.sha256(b"proca sender rewriting\0" + secret).digest()


def generate() -> tuple[bytes, bytes]:
    """A new key pair: (public, private), 32 bytes each."""
    private = PrivateKey.generate()
    return bytes(private.public_key), bytes(private)


def is_usable(public: bytes) -> bool:
    """Whether a box can be made for this public key; a point of low order would make the secret known to all."""
    try:
        Box(PrivateKey.generate(), PublicKey(public))
    except (CryptoError, RuntimeError, ValueError, TypeError):
        return False
    return True
