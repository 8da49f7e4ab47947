"""List prices, in US dollars without tax, of the first tier and without any free tier. A snapshot: prices change.

Region eu-central-1 (Frankfurt), read from AWS's regional price lists
(https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/<service>/current/eu-central-1/index.json) in August and
September 2026; that of API Gateway is usage type EUC1-ApiGatewayRequest. What Lambda reads of a DynamoDB stream is
free.
"""

from __future__ import annotations

AS_OF = "2026-09-11"
REGION = "eu-central-1"

API_REQUEST = 3.70e-6
LAMBDA_REQUEST = 0.20e-6
LAMBDA_ARM_GB_SECOND = 0.0000133334
DYNAMODB_WRITE_UNIT = 0.7625e-6
DYNAMODB_READ_UNIT = 0.1525e-6
SQS_REQUEST = 0.40e-6
LOGS_GB = 0.63
STORAGE_GB_MONTH = 0.306
RESTORABLE_GB_MONTH = 0.2448
"""Continuous backups (point-in-time recovery)."""
