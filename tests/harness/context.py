"""The context object of a Lambda invocation."""

import time
import uuid


class LambdaContext:
    """What the Python runtime hands to a handler: names, the request's id, and the time that is left.

    `remaining_ms` pins the time left, for tests of what a function does when it runs out of it.
    """

    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    identity = None
    client_context = None

    def __init__(self, function_name: str, timeout_s: float = 3, *, remaining_ms: int | None = None) -> None:
        self.function_name = function_name
        self.invoked_function_arn = f"arn:aws:lambda:eu-central-1:000000000000:function:{function_name}"
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = "harness"
        self._deadline = time.monotonic() + timeout_s
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end the invocation."""
        if self._remaining_ms is not None:
            return self._remaining_ms
        return max(0, round((self._deadline - time.monotonic()) * 1000))
