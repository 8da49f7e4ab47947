"""Unit tests reach nothing outside their process."""

import socket
import urllib.request

import pytest


def test_no_connection_can_be_opened() -> None:
    with pytest.raises(AssertionError, match="a unit test opens no connection"):
        socket.create_connection(("127.0.0.1", 9))
    with pytest.raises(AssertionError, match="a unit test opens no connection"), socket.socket() as plain:
        plain.connect(("127.0.0.1", 9))
    with pytest.raises(AssertionError, match="a unit test opens no connection"):
        urllib.request.urlopen("http://example.org")
