"""The API's own description (OpenAPI 3.1), made of the models and tables that its functions use.

To add an endpoint: one entry in `endpoints`, and in `examples` one request that succeeds and one that is refused.
"""

from tools.openapi.document import document, text

__all__ = ["document", "text"]
