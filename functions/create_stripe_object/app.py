"""POST /v1/pages/{page}/stripe/…: what a widget needs of Stripe and only the org's secret key may create."""

from __future__ import annotations

from proca_common.aws import init_phase

# isort: split
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from proca_common.aws import dynamo
from proca_common.aws.logs import logger
from proca_common.aws.settings import read
from proca_common.aws.settings.widgets import PaymentSettings
from proca_common.http.answers import created
from proca_common.http.requests import idempotency_key, json_body, numeric_id
from proca_common.http.resolver import make_resolver
from proca_common.payments.create import shown
from proca_common.payments.input import StripeObjectInput, StripePaymentIntentInput, StripeSubscriptionInput
from proca_common.payments.requests import Model, Wish, fulfil

settings = read(PaymentSettings)
dynamo.connect(settings)
app = make_resolver()
init_phase.over()


@app.post("/v1/pages/<page>/stripe/payment-intents")
def payment_intent(page: str) -> Response[str]:
    """A single payment."""
    return answered(page, StripePaymentIntentInput)


@app.post("/v1/pages/<page>/stripe/subscriptions")
def subscription(page: str) -> Response[str]:
    """A payment that comes again and again."""
    return answered(page, StripeSubscriptionInput)


@app.post("/v1/pages/<page>/stripe/objects")
def objects(page: str) -> Response[str]:
    """Objects in Stripe's own names."""
    return answered(page, StripeObjectInput)


def answered(page: str, model: Model) -> Response[str]:
    """What was created, as far as a widget may see it."""
    event, left_ms = app.current_event, app.lambda_context.get_remaining_time_in_millis
    wish = Wish(json_body(event), event.request_context.identity.source_ip, idempotency_key(event), left_ms)
    number = numeric_id(page, "action page")
    made = fulfil(number, model, wish, settings.guard_key_secret, settings.service_passwords_secret)
    return created(shown(made.made), replayed=made.replayed)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point of API Gateway."""
    return app.resolve(event, context)
