"""What a signature costs and how long it takes, measured against the budgets of design 10: `make bench`.

| module | measures |
| --- | --- |
| units | DynamoDB calls and units of a signature, and what the rest of its price is made of |
| hot_keys | the partition key that would be full first |
| handler_cpu | CPU of the warm intake handler against the least that the same work can cost |
| imports | CPU of the intake function's start against that of boto3 with a DynamoDB client |
| delivery | time from the signature to the org's queue under load, and that nothing is lost or wrong |
| cost | the price of a million signatures |

`capacity` holds DynamoDB's rules, `meter` applies them to recorded calls, `prices` is the list of prices and `table`
prints. What a figure means is in docs/performance.md.
"""
