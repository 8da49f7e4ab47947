"""Least privilege (design 7.6): what each function's role may do is exactly what it needs; all else is denied.

Every probe is made with every role, as the function itself would make it. A probe that is allowed changes nothing:
keys that nothing has, conditions that nothing meets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.e2e.site import Site
from tools.client import Client
from tools.emulator import REGION, Emulator
from tools.stack import STACK_NAME, Stack

Probe = Callable[[Callable[[str], Any]], object]

CATALOG = {"GetItem Catalog", "BatchGetItem Catalog"}
SECRETS = {"read FINGERPRINT_SEED", "read GUARD_KEY"}
ORG_QUEUES = ("deliver", "confirm-supporter", "confirm-action", "event", "deliver-dlq")
MANAGED = {
    *CATALOG,
    *(f"{action} Catalog" for action in ("Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")),
    "UpdateItem Actions",
    "read GUARD_KEY",
}
REMOVES_TESTS = {
    *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "Query", "DeleteItem")),
    "Query by_campaign",
}
"""Testing actions go with their page or campaign."""
ASKS = {"UpdateItem Actions", "read GUARD_KEY"}
"""What everybody needs who is called by those who run campaigns: wrong passwords are counted."""
READS_CATALOG = {f"{what} Catalog" for what in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")}
"""A token notes its use, a JWT may bring a user or another subject for one; what was done is in the audit trail."""
ERASES = {
    *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")),
    *(f"{action} Stats" for action in ("UpdateItem", "DeleteItem")),
}
MAY = {
    "AddActionContact": {
        "PutItem Actions",
        "UpdateItem Actions",
        *CATALOG,
        "Query Catalog",
        *SECRETS,
    },
    "AddAction": {
        "Query Actions",
        "PutItem Actions",
        "UpdateItem Actions",
        *CATALOG,
        *SECRETS,
    },
    "LinkActions": {"Query Actions", "UpdateItem Actions", *CATALOG, "read GUARD_KEY"},
    "CreateStripeObject": {
        "UpdateItem Actions",
        *CATALOG,
        "Query Catalog",
        "read SERVICE_PASSWORDS",
        "read GUARD_KEY",
    },
    "ConfirmLink": {
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")),
        *MANAGED,
        *(f"{action} Stats" for action in ("GetItem", "UpdateItem", "DeleteItem")),
        "read LINK_KEYS",
    },
    "GetChallenge": {*CATALOG, "read GUARD_KEY"},
    "Graphql": {
        *MANAGED,
        *ERASES,
        *(f"{action} Stats" for action in ("GetItem", "BatchGetItem", "Query", "PutItem")),
        "Query by_campaign",
        *(f"{action} Erasures" for action in ("GetItem", "Query", "PutItem", "UpdateItem")),
        *(f"read {secret}" for secret in ("FINGERPRINT_SEED", "LINK_KEYS", "SERVICE_PASSWORDS", "ERASURE_KEY")),
        *(f"{what} a file" for what in ("remove", "break off")),
        *(f"{what} {queue}" for what in ("change", "delete", "send") for queue in ORG_QUEUES),
    },
    "GetOpenapi": set(),
    "GetPage": {*CATALOG, "BatchGetItem Stats", "Query Stats"},
    "GetTargets": {*CATALOG, "Query Catalog", "BatchGetItem Stats"},
    "GetCampaign": {*CATALOG, "BatchGetItem Stats", "Query Stats"},
    "Health": {"GetItem Catalog"},
    "CheckHealth": {
        *READS_CATALOG,
        *ASKS,
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem")),
        "Query pending",
        "GetItem Stats",
        "GetItem Erasures",
    },
    "Account": MANAGED - {"ConditionCheckItem Catalog"},
    "ManageStaff": MANAGED,
    "ManageConfirms": {
        *MANAGED,
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "Query", "PutItem")),
        *(f"{action} Stats" for action in ("GetItem", "UpdateItem", "DeleteItem")),
    },
    "ManageOrgs": {*MANAGED, *(f"{what} {queue}" for what in ("change", "delete") for queue in ORG_QUEUES)},
    "ManageKeys": MANAGED,
    "EncryptContacts": {
        *(f"{action} Actions" for action in ("Scan", "Query", "PutItem", "UpdateItem")),
        "GetItem Catalog",
        "read SEALING_KEY",
    },
    "ManageQueues": {
        *READS_CATALOG,
        "BatchGetItem Catalog",
        *ASKS,
        *(f"change {queue}" for queue in ORG_QUEUES),
    },
    "ReadQueues": {*READS_CATALOG, *ASKS, *(f"receive {queue}" for queue in ORG_QUEUES)},
    "SendAgain": {
        *READS_CATALOG,
        "BatchGetItem Catalog",
        *ASKS,
        "BatchGetItem Actions",
        "Query by_campaign",
        "read LINK_KEYS",
        *(f"send {queue}" for queue in ORG_QUEUES if not queue.endswith("-dlq")),
        "receive deliver-dlq",
    },
    "ManageExports": {
        *READS_CATALOG,
        "BatchGetItem Catalog",
        *ASKS,
        "BatchGetItem Actions",
        "Query Actions",
        "Query by_campaign",
        "read FINGERPRINT_SEED",
        *(f"{what} a file" for what in ("read", "remove", "break off")),
    },
    "ManageErasures": {
        *READS_CATALOG,
        "BatchGetItem Catalog",
        *ASKS,
        *ERASES,
        "Query by_campaign",
        *(f"{action} Erasures" for action in ("GetItem", "Query", "PutItem", "UpdateItem")),
        *(f"read {secret}" for secret in ("FINGERPRINT_SEED", "ERASURE_KEY")),
        *(f"{what} a file" for what in ("remove", "break off")),
    },
    "Erase": {
        *(f"{action} Catalog" for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")),
        *ERASES,
        *(f"{action} Erasures" for action in ("GetItem", "UpdateItem")),
        *(f"{what} a file" for what in ("remove", "break off")),
    },
    "Retain": {
        *(f"{action} Catalog" for action in ("GetItem", "BatchGetItem", "Query")),
        *ERASES,
        "UpdateItem Catalog",
        "Query by_campaign",
        "Query pending",
        *(f"{action} Erasures" for action in ("GetItem", "PutItem")),
        *(f"{what} a file" for what in ("remove", "break off")),
        "send failures of the sweep",
    },
    "ExportFile": {
        *CATALOG,
        "UpdateItem Catalog",
        "BatchGetItem Actions",
        "Query by_campaign",
        *(f"{what} a file" for what in ("read", "write", "remove", "break off")),
    },
    "LendQueueCredentials": {*READS_CATALOG, *ASKS, "lend the queue reader"},
    "ManageCampaigns": {*MANAGED, *REMOVES_TESTS, "BatchGetItem Stats", "UpdateItem Stats"},
    "ManageTargets": {*MANAGED, "BatchGetItem Actions", "ConditionCheckItem Actions"},
    "ManageMessages": {
        *READS_CATALOG,
        "BatchGetItem Catalog",
        *ASKS,
        "BatchGetItem Actions",
        "Query by_campaign",
        "Query pending",
        "read SEALING_KEY",
    },
    "ManagePages": {*MANAGED, *REMOVES_TESTS, "BatchGetItem Stats", "UpdateItem Stats"},
    "ManageAudits": {*MANAGED, *(f"{action} Stats" for action in ("GetItem", "Query", "PutItem"))},
    "AuditCounts": {
        *(f"{action} Actions" for action in ("BatchGetItem", "Query", "PutItem")),
        "Query by_campaign",
        *(f"{action} Stats" for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")),
        "ConditionCheckItem Stats",
        "BatchGetItem Catalog",
        "Query Catalog",
        "send failures of the sweep",
    },
    "ReadStatistics": {*READS_CATALOG, "BatchGetItem Catalog", *ASKS, "Query Stats"},
    "ManageServices": MANAGED,
    "ManageTemplates": MANAGED,
    "Confirm": {
        "GetItem Actions",
        "BatchGetItem Actions",
        "UpdateItem Actions",
        *CATALOG,
        "UpdateItem Stats",
        "send confirm-supporter",
        "send confirm-action",
        "send failures of the stream",
        "read LINK_KEYS",
    },
    "Deliver": {
        *(
            f"{action} Actions"
            for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
        ),
        *CATALOG,
        *(f"{action} Stats" for action in ("GetItem", "BatchGetItem", "UpdateItem", "PutItem")),
        "send deliver",
        "send event",
        "send failures of the stream",
    },
    "EmitEvents": {
        *CATALOG,
        "UpdateItem Catalog",
        "DeleteItem Catalog",
        "send deliver",
        "send event",
        "send failures of the stream",
    },
    "MailEvents": {
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")),
        *CATALOG,
        "UpdateItem Catalog",
        *(f"{action} Stats" for action in ("GetItem", "BatchGetItem", "UpdateItem", "DeleteItem")),
    },
    "SendEmail": {
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "UpdateItem")),
        *(f"{action} Stats" for action in ("GetItem", "BatchGetItem", "UpdateItem")),
        *CATALOG,
        "Query Catalog",
        "PutItem Catalog",
        *(f"read {secret}" for secret in ("LINK_KEYS", "SEALING_KEY", "SERVICE_PASSWORDS", "GUARD_KEY")),
    },
    "SendTargetMails": {
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "PutItem", "UpdateItem")),
        *(f"{action} Stats" for action in ("BatchGetItem", "UpdateItem")),
        *CATALOG,
        "Query Catalog",
        "UpdateItem Catalog",
        "read SEALING_KEY",
        "read SERVICE_PASSWORDS",
    },
    "ScheduleTargetMails": {
        "Query pending",
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "UpdateItem")),
        "GetItem Catalog",
        "Query Catalog",
        "send failures of the sweep",
    },
    "Push": {*CATALOG, "Query Catalog", "read SERVICE_PASSWORDS"},
    "LookUpDetails": {
        *(f"{action} Actions" for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")),
        *CATALOG,
        "Query Catalog",
        "read SEALING_KEY",
        "read SERVICE_PASSWORDS",
    },
    "Remind": {"Query pending", "BatchGetItem Actions", "UpdateItem Actions", *CATALOG, "send failures of the sweep"},
    "CloseCampaigns": {
        *CATALOG,
        *(f"{action} Catalog" for action in ("Query", "PutItem", "UpdateItem")),
        "send failures of the sweep",
    },
    "Watch": {*CATALOG, "Query Catalog", "PutItem Catalog", "send failures of the sweep"},
    "Sweep": {
        "Query pending",
        "BatchGetItem Actions",
        "UpdateItem Actions",
        "Query Catalog",
        "UpdateItem Catalog",
        "send failures of the sweep",
    },
}
"""What each role may do of all that is probed. Streams are not: the local stack knows none by its ARN."""


def table_probes(name: str, table: str, keys: tuple[str, str]) -> Iterator[tuple[str, Probe]]:
    """Everything that can be done with a table."""
    key = {name: {"S": "no such item"} for name in keys}
    there = {"ConditionExpression": f"attribute_exists({keys[0]})"}
    query = {"KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": keys[0]}}
    query["ExpressionAttributeValues"] = {":k": key[keys[0]]}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "GetItem": ("get_item", {"Key": key}),
        "Query": ("query", query),
        "Scan": ("scan", {"Limit": 1}),
        "PutItem": ("put_item", {"Item": key, **there}),
        "UpdateItem": ("update_item", {"Key": key, **there}),
        "DeleteItem": ("delete_item", {"Key": key, **there}),
        "DeleteTable": ("delete_table", {}),
        "UpdateTable": ("update_table", {"DeletionProtectionEnabled": False}),
        "DescribeTable": ("describe_table", {}),
    }
    for action, (method, given) in calls.items():
        yield (
            f"{action} {name}",
            lambda of, method=method, given=given: getattr(of("dynamodb"), method)(TableName=table, **given),
        )
    yield f"BatchGetItem {name}", lambda of: of("dynamodb").batch_get_item(RequestItems={table: {"Keys": [key]}})
    delete = [{"DeleteRequest": {"Key": key}}]
    yield f"BatchWriteItem {name}", lambda of: of("dynamodb").batch_write_item(RequestItems={table: delete})
    check = [{"ConditionCheck": {"TableName": table, "Key": key, **there}}]
    yield f"ConditionCheckItem {name}", lambda of: of("dynamodb").transact_write_items(TransactItems=check)


def index_probe(table: str, index: str, key: str) -> tuple[str, Probe]:
    """Reading an index."""
    asked = {"KeyConditionExpression": f"{key} = :k", "ExpressionAttributeValues": {":k": {"S": "no such item"}}}
    return f"Query {index}", lambda of: of("dynamodb").query(TableName=table, IndexName=index, **asked)


def queue_probes(name: str, url: str) -> Iterator[tuple[str, Probe]]:
    """Everything that could be done with a queue."""
    yield f"send {name}", lambda of: of("sqs").send_message(QueueUrl=url, MessageBody="probe")
    yield f"receive {name}", lambda of: of("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=0)
    yield f"purge {name}", lambda of: of("sqs").purge_queue(QueueUrl=url)
    yield f"change {name}", lambda of: of("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    yield f"delete {name}", lambda of: of("sqs").delete_queue(QueueUrl=url)


def account_probes(stack: Stack, roles: dict[str, str]) -> Iterator[tuple[str, Probe]]:
    """What has nothing to do with any function."""
    secrets = {name.removesuffix("_SECRET"): arn for name, arn in stack.environ.items() if name.endswith("_SECRET")}
    for secret, arn in secrets.items():
        yield f"read {secret}", lambda of, arn=arn: of("secretsmanager").get_secret_value(SecretId=arn)
        yield (
            f"write {secret}",
            lambda of, arn=arn: of("secretsmanager").put_secret_value(SecretId=arn, SecretString="x"),
        )
    files = {"Bucket": stack.environ["EXPORT_BUCKET"], "Key": "probe"}
    yield "make a queue", lambda of: of("sqs").create_queue(QueueName="probe")
    yield "list queues", lambda of: of("sqs").list_queues()
    yield "list tables", lambda of: of("dynamodb").list_tables()
    yield "list functions", lambda of: of("lambda").list_functions()
    yield "list roles", lambda of: of("iam").list_roles()
    yield "list buckets", lambda of: of("s3").list_buckets()
    yield "list files", lambda of: of("s3").list_objects_v2(Bucket=files["Bucket"])
    yield "read a file", lambda of: of("s3").get_object(**files)
    yield "write a file", lambda of: of("s3").put_object(**files, Body=b"probe")
    yield "remove a file", lambda of: of("s3").delete_object(**files)
    yield "break off a file", lambda of: of("s3").abort_multipart_upload(**files, UploadId="none")
    yield "read logs", lambda of: of("logs").describe_log_groups()
    lent = {"RoleArn": roles["QueueReader"], "RoleSessionName": "probe"}
    yield "lend the queue reader", lambda of: of("sts").assume_role(**lent)
    yield "become another", lambda of: of("sts").assume_role(RoleArn=roles["Deliver"], RoleSessionName="probe")


def is_allowed(probe: Probe, client_of: Callable[[str], Any]) -> bool:
    """Whether the answer is anything but a denial."""
    try:
        probe(client_of)
    except ClientError as error:
        return not error.response["Error"]["Code"].startswith("AccessDenied")
    return True


@pytest.fixture(scope="module")
def roles(local: Emulator) -> dict[str, str]:
    """The ARN of each function's role, by the function's name, and of the role that is lent."""
    found = local.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
    iam = local.client("iam")
    return {name: iam.get_role(RoleName=names[f"{name}Role"])["Role"]["Arn"] for name in (*MAY, "QueueReader")}


@pytest.fixture(scope="module")
def probes(client: Client, roles: dict[str, str]) -> dict[str, Probe]:
    """All probes, by what they do."""
    stack, environ = client.stack, client.stack.environ
    org = Site(client).org("custom_supporter_confirm=true", "custom_action_confirm=true", "event_queue=true")
    sqs = stack.client("sqs")
    found = sqs.list_queues(QueueNamePrefix=f"{STACK_NAME}-SweepFailures")["QueueUrls"]
    queues = {
        name: client.queue_url(org.id, name) for name in ("deliver", "confirm-supporter", "confirm-action", "event")
    }
    queues |= {"deliver-dlq": client.queue_url(org.id, "deliver-dlq")}
    queues |= {"failures of the stream": environ["STREAM_FAILURES_QUEUE"], "failures of the sweep": found[0]}
    queues["somebody else's queue"] = sqs.create_queue(QueueName="another-stack-org-1-deliver")["QueueUrl"]
    tables = {"Actions": ("ref", "sk"), **dict.fromkeys(("Catalog", "Stats", "Erasures"), ("pk", "sk"))}
    return dict(
        (
            *(
                probe
                for name, keys in tables.items()
                for probe in table_probes(name, environ[f"{name.upper()}_TABLE"], keys)
            ),
            index_probe(environ["ACTIONS_TABLE"], "pending", "pending"),
            index_probe(environ["ACTIONS_TABLE"], "by_campaign", "campaign_bucket"),
            *(probe for name, url in queues.items() for probe in queue_probes(name, url)),
            *account_probes(stack, roles),
        )
    )


def test_every_function_is_in_the_table(local: Emulator) -> None:
    found = local.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    functions = {each["LogicalResourceId"] for each in found if each["ResourceType"] == "AWS::Lambda::Function"}

    assert {name.removesuffix("Function") for name in functions} == MAY.keys()


@pytest.mark.parametrize("function", MAY)
def test_a_function_may_do_what_it_needs_and_nothing_else(
    local: Emulator, roles: dict[str, str], probes: dict[str, Probe], function: str
) -> None:
    assumed = local.client("sts").assume_role(RoleArn=roles[function], RoleSessionName="probe")["Credentials"]
    session = boto3.Session(
        assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"], region_name=REGION
    )
    clients: dict[str, Any] = {}

    def client_of(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(
                service, endpoint_url=local.tls_endpoint, verify=str(local.certificate), region_name=REGION
            )
        return clients[service]

    allowed = {what for what, probe in probes.items() if is_allowed(probe, client_of)}

    assert allowed == MAY[function]
    assert allowed <= probes.keys()
