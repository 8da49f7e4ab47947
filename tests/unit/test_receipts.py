"""Receipts of messages that were taken over HTTPS: good for one queue, and made by us alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.pipes.receipts import handle_of, receipt, receipt_key

KEY = receipt_key(b"a secret")
QUEUE = "8-deliver"


@given(st.text(min_size=1, max_size=1_024, alphabet=st.characters(codec="ascii")))
def test_a_receipt_is_the_handle_of_its_queue(handle: str) -> None:
    assert handle_of(KEY, QUEUE, receipt(KEY, QUEUE, handle)) == handle


@pytest.mark.parametrize("queue", ["8-deliver-dlq", "8-event", "88-deliver", "-deliver", "8-deliver\0", ""])
def test_of_another_queue_it_is_none(queue: str) -> None:
    assert handle_of(KEY, queue, receipt(KEY, QUEUE, "AQEB")) is None
    assert handle_of(KEY, QUEUE, receipt(KEY, queue, "AQEB")) is None


def test_with_another_secret_it_is_none() -> None:
    assert handle_of(receipt_key(b"another"), QUEUE, receipt(KEY, QUEUE, "AQEB")) is None
    assert receipt_key(b"a secret") != b"a secret"


@given(st.data())
def test_no_character_of_it_may_be_changed(data: st.DataObject) -> None:
    made = receipt(KEY, QUEUE, "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a==")
    place = data.draw(st.integers(0, len(made) - 2))  # the last character may hold bits that say nothing
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    changed = made[:place] + other + made[place + 1 :]
    assert (handle_of(KEY, QUEUE, changed) is None) is (changed != made)


@given(st.one_of(st.text(max_size=100), st.text("Aa0-_=", max_size=100)))
def test_any_other_text_is_none(text: str) -> None:
    assert handle_of(KEY, QUEUE, text) is None


def test_what_is_longer_than_any_handle_of_sqs_is_not_even_decoded() -> None:
    assert handle_of(KEY, QUEUE, receipt(KEY, QUEUE, "A" * 1_024)) is not None
    assert handle_of(KEY, QUEUE, receipt(KEY, QUEUE, "A" * 2_000)) is None
