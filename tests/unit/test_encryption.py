"""NaCl boxes: the vectors of domain 16.2, the wire form, and who can open what (domain 6.1; design 7.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from proca_common.orgs.encryption import (
    Encrypted,
    Encryptor,
    decrypt,
    from_text,
    generate,
    is_usable,
    seal,
    sealing_key,
    to_text,
    unseal,
)

INSTANCE_PRIVATE = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
INSTANCE_PUBLIC = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9_AsrhtHHw"
ORG_PRIVATE = "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A"
ORG_PUBLIC = "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns"
NONCE = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
PLAIN = b'{"firstName":"Jane","email":"jane@example.org"}'
PAYLOAD = "jYY9tgIdBI5JuUHwXV16pWnXvTAoTgmcmJ8kIcVgW9wbbzYqQdbCVIf2aaKAPmwtTAxSS0UCND2buxGuIHJM"


class TestVectors:
    def test_keys(self) -> None:
        assert from_text(INSTANCE_PRIVATE) == bytes(range(1, 33))
        assert from_text(ORG_PRIVATE) == bytes(range(0x21, 0x41))
        assert to_text(bytes(PrivateKey(from_text(ORG_PRIVATE)).public_key)) == ORG_PUBLIC

    def test_encrypting(self) -> None:
        sender = Encryptor(PrivateKey(from_text(INSTANCE_PRIVATE)))
        box = sender.encrypt(PLAIN, from_text(ORG_PUBLIC), nonce=from_text(NONCE))
        assert (len(PLAIN), len(box.payload)) == (47, 63)
        assert (to_text(box.payload), to_text(box.nonce), to_text(box.sender)) == (PAYLOAD, NONCE, INSTANCE_PUBLIC)

    def test_decrypting(self) -> None:
        box = Encrypted(from_text(PAYLOAD), from_text(NONCE), from_text(INSTANCE_PUBLIC))
        assert decrypt(box, from_text(ORG_PRIVATE)) == PLAIN


class TestBoxes:
    def test_each_encryption_has_a_nonce_of_its_own(self) -> None:
        sender, (public, private) = Encryptor(), generate()
        boxes = [sender.encrypt(PLAIN, public) for _ in range(100)]
        assert len({box.nonce for box in boxes}) == len({box.payload for box in boxes}) == 100
        assert {len(box.nonce) for box in boxes} == {24}
        assert {decrypt(box, private) for box in boxes} == {PLAIN}

    def test_each_encryptor_has_a_key_pair_of_its_own(self) -> None:
        one, other = Encryptor(), Encryptor()
        assert one.public != other.public
        assert one.encrypt(PLAIN, from_text(ORG_PUBLIC)).sender == one.public

    def test_nobody_else_can_open_it(self) -> None:
        public, _ = generate()
        _, stranger = generate()
        with pytest.raises(CryptoError):
            decrypt(Encryptor().encrypt(PLAIN, public), stranger)

    def test_a_box_that_was_changed_does_not_open(self) -> None:
        public, private = generate()
        box = Encryptor().encrypt(PLAIN, public)
        changed = Encrypted(bytes([box.payload[0] ^ 1]) + box.payload[1:], box.nonce, box.sender)
        with pytest.raises(CryptoError):
            decrypt(changed, private)

    def test_one_encryptor_serves_many_recipients(self) -> None:
        sender, pairs = Encryptor(), [generate() for _ in range(3)]
        for public, private in pairs * 2:
            assert decrypt(sender.encrypt(public, public), private) == public


class TestSealing:
    def test_only_the_private_sealing_key_opens_it(self) -> None:
        key = sealing_key(b"secret")
        sealed = seal(PLAIN, bytes(key.public_key))
        assert unseal(sealed, key) == PLAIN
        assert PLAIN not in sealed
        assert seal(PLAIN, bytes(key.public_key)) != sealed
        with pytest.raises(CryptoError):
            unseal(sealed, sealing_key(b"other secret"))

    def test_the_key_pair_follows_from_the_secret(self) -> None:
        assert bytes(sealing_key(b"secret")) == bytes(sealing_key(b"secret"))
        assert bytes(sealing_key(b"secret")) != bytes(sealing_key(b"secret "))


class TestText:
    """Base64url without padding (domain 0.3.3)."""

    @given(st.binary(max_size=100))
    def test_there_and_back(self, raw: bytes) -> None:
        text = to_text(raw)
        assert from_text(text) == raw
        assert "=" not in text
        assert not set(text) & set("+/")

    @pytest.mark.parametrize(
        "text", ["A", "AAAAA", "AA==", "AAA=", "A+A_", "A/A_", "AA A", "AAAÄ", "AA\n", "A\u0661AA"]
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="base64url"):
            from_text(text)


class TestUsable:
    def test_a_generated_key(self) -> None:
        public, private = generate()
        assert (len(public), len(private)) == (32, 32)
        assert is_usable(public)

    @pytest.mark.parametrize(
        "public",
        [
            bytes(32),
            b"\x01" + bytes(31),
            bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
            b"\xec" + b"\xff" * 30 + b"\x7f",
            b"\xed" + b"\xff" * 30 + b"\x7f",
            b"\xee" + b"\xff" * 30 + b"\x7f",
            b"x" * 31,
            b"x" * 33,
            b"",
        ],
        ids=lambda public: f"{public[:4].hex()} {len(public)}",
    )
    def test_points_of_low_order_and_wrong_sizes_are_not(self, public: bytes) -> None:
        assert not is_usable(public)
