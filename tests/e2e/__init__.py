"""HTTP in, queue out, nothing mocked: tests of a deployed stack (conftest.py), which ends with the last of them."""
