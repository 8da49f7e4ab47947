"""Rules that the infrastructure keeps to, tested on the template as CloudFormation sees it (design 9)."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.http.problems import TITLES
from proca_common.pipes.topology import READER_ACTIONS
from tests.harness.template import project_template
from tools.emulator import LOCAL, REGION, ROOT
from tools.invoke import logical_id

FUNCTIONS = {
    "add_action_contact": (512, 28),
    "add_action": (512, 28),
    "link_actions": (512, 28),
    "create_stripe_object": (512, 28),
    "get_challenge": (512, 28),
    "graphql": (512, 28),
    "confirm_link": (512, 28),
    "get_page": (512, 28),
    "get_campaign": (512, 28),
    "get_targets": (512, 28),
    "get_openapi": (256, 28),
    "health": (256, 28),
    "check_health": (512, 28),
    "manage_queues": (512, 28),
    "read_queues": (512, 28),
    "send_again": (512, 28),
    "lend_queue_credentials": (512, 28),
    "manage_exports": (512, 28),
    "manage_erasures": (512, 28),
    "account": (512, 28),
    "manage_orgs": (512, 28),
    "manage_staff": (512, 28),
    "manage_confirms": (512, 28),
    "manage_keys": (512, 28),
    "manage_campaigns": (512, 28),
    "manage_audits": (512, 28),
    "manage_targets": (512, 28),
    "manage_messages": (512, 28),
    "read_statistics": (512, 28),
    "manage_pages": (512, 28),
    "manage_services": (512, 28),
    "manage_templates": (512, 28),
    "confirm": (512, 60),
    "deliver": (512, 60),
    "send_email": (512, 60),
    "send_target_mails": (512, 60),
    "push": (512, 60),
    "look_up_details": (512, 60),
    "encrypt_contacts": (256, 300),
    "audit_counts": (256, 300),
    "export_file": (512, 300),
    "erase": (512, 300),
    "mail_events": (512, 28),
    "remind": (256, 300),
    "schedule_target_mails": (512, 110),
    "emit_events": (512, 60),
    "close_campaigns": (256, 300),
    "retain": (512, 300),
    "watch": (256, 280),
    "sweep": (256, 50),
}
"""Memory (MB) and timeout (s) of each function: what it needs, and no more."""

WILDCARDS = {
    # Queues of an org are made at run time, so their names are not known here.
    r"arn:\$\{AWS::Partition\}:sqs:.*:\$\{AWS::StackName\}-org-\*-(deliver|event|confirm-supporter|confirm-action)(-dlq)?\"",
    # Whoever makes them makes dead-letter queues with them.
    r"arn:\$\{AWS::Partition\}:sqs:.*:\$\{AWS::StackName\}-org-\*\"",
    # An org's mails come from an identity of its own.
    r"arn:\$\{AWS::Partition\}:ses:.*:identity/\*",
    # GetAccount, GetMetricData and ListEventSourceMappings take no resource.
    r'^"\*"$',
    # Files have names that they get when they are asked for.
    r"\$\{ExportBucket\.Arn\}/\*",
    # ListStreams takes no single stream.
    r"\$\{(Actions|Catalog)Table\.Arn\}/stream/\*",
}
"""The only resources of a role that may be named by a pattern."""

ON_CATALOG = {"CatalogTable": "GetItem BatchGetItem"}
ON_MANAGED = {
    "ActionsTable": "UpdateItem",
    "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem ConditionCheckItem",
    "GuardKeySecret": "GetSecretValue",
}
REMOVES_TESTS = {
    "ActionsTable": "GetItem BatchGetItem Query UpdateItem DeleteItem",
    "ActionsTable.Arn/index/by_campaign": "Query",
}
"""Testing actions go with their page or campaign."""
ON_STREAM = {
    "ActionsTable.StreamArn": "DescribeStream GetRecords GetShardIterator",
    "ActionsTable.Arn/stream/*": "ListStreams",
    "StreamFailuresQueue": "SendMessage",
}
RECEIVE = "ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes"
MANAGES = {"ActionsTable": "UpdateItem", "GuardKeySecret": "GetSecretValue"}
"""Who calls the management API is slowed after wrong passwords."""
ERASES = {
    "ActionsTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
    "StatsTable": "UpdateItem DeleteItem",
}


def of_org_queues(actions: str, *suffixes: str) -> dict[str, str]:
    """The same for the queues of all orgs: those with these ends of their names."""
    queues = ("deliver", "confirm-supporter", "confirm-action", "event")
    return {f"AWS::StackName-org-*-{queue}{suffix}": actions for queue in queues for suffix in suffixes}


SECRETS = project_template().resources("AWS::SecretsManager::Secret").keys() - {"GuardKeySecret"}

RIGHTS = {
    "add_action_contact": {
        "ActionsTable": "PutItem UpdateItem",
        "CatalogTable": "GetItem BatchGetItem Query",
        "FingerprintSeedSecret": "GetSecretValue",
        "GuardKeySecret": "GetSecretValue",
    },
    "add_action": {
        "ActionsTable": "Query PutItem UpdateItem",
        **ON_CATALOG,
        "FingerprintSeedSecret": "GetSecretValue",
        "GuardKeySecret": "GetSecretValue",
    },
    "get_challenge": {**ON_CATALOG, "GuardKeySecret": "GetSecretValue"},
    "graphql": {
        "ActionsTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "ActionsTable.Arn/index/by_campaign": "Query",
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem ConditionCheckItem",
        "StatsTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "ErasuresTable": "GetItem Query PutItem UpdateItem",
        "ExportBucket.Arn/*": "DeleteObject AbortMultipartUpload",
        "FingerprintSeedSecret": "GetSecretValue",
        "GuardKeySecret": "GetSecretValue",
        "LinkKeysSecret": "GetSecretValue",
        "ServicePasswordsSecret": "GetSecretValue",
        "ErasureKeySecret": "GetSecretValue",
        "MailQueue": "SendMessage",
        "PushQueue": "SendMessage",
        "EncryptContactsQueue": "SendMessage",
        "ErasureQueue": "SendMessage",
        "AWS::StackName-org-*": "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl SetQueueAttributes SendMessage",
    },
    "link_actions": {"ActionsTable": "Query UpdateItem", **ON_CATALOG, "GuardKeySecret": "GetSecretValue"},
    "create_stripe_object": {
        "ActionsTable": "UpdateItem",
        "CatalogTable": "GetItem BatchGetItem Query",
        "ServicePasswordsSecret": "GetSecretValue",
        "GuardKeySecret": "GetSecretValue",
    },
    "confirm_link": {
        "ActionsTable": "GetItem BatchGetItem Query PutItem UpdateItem",
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem ConditionCheckItem",
        "StatsTable": "GetItem UpdateItem DeleteItem",
        "LinkKeysSecret": "GetSecretValue",
        "GuardKeySecret": "GetSecretValue",
    },
    "get_page": {**ON_CATALOG, "StatsTable": "BatchGetItem Query"},
    "get_campaign": {**ON_CATALOG, "StatsTable": "BatchGetItem Query"},
    "get_targets": {"CatalogTable": "GetItem BatchGetItem Query", "StatsTable": "BatchGetItem"},
    "get_openapi": {},
    "health": {"CatalogTable": "GetItem"},
    "check_health": {
        "ActionsTable": "GetItem BatchGetItem UpdateItem",
        "ActionsTable.Arn/index/pending": "Query",
        "CatalogTable": "GetItem Query PutItem UpdateItem DeleteItem",
        "StatsTable": "GetItem",
        "ErasuresTable": "GetItem",
        "GuardKeySecret": "GetSecretValue DescribeSecret",
        **dict.fromkeys(SECRETS, "DescribeSecret"),
        **dict.fromkeys(project_template().resources("AWS::SQS::Queue"), "GetQueueAttributes"),
        "*": "ListEventSourceMappings GetAccount",
    },
    "manage_queues": {
        **MANAGES,
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        **of_org_queues("GetQueueAttributes SetQueueAttributes", "", "-dlq"),
        "*": "GetMetricData",
    },
    "read_queues": {
        **MANAGES,
        "CatalogTable": "GetItem Query PutItem UpdateItem DeleteItem",
        **of_org_queues("ReceiveMessage DeleteMessage ChangeMessageVisibility", "", "-dlq"),
    },
    "send_again": {
        **MANAGES,
        "ActionsTable": "BatchGetItem UpdateItem",
        "ActionsTable.Arn/index/by_campaign": "Query",
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "LinkKeysSecret": "GetSecretValue",
        "MailQueue": "SendMessage",
        "PushQueue": "SendMessage",
        **of_org_queues("SendMessage", ""),
        **of_org_queues("ReceiveMessage DeleteMessage GetQueueAttributes", "-dlq"),
    },
    "manage_exports": {
        **MANAGES,
        "ActionsTable": "BatchGetItem Query UpdateItem",
        "ActionsTable.Arn/index/by_campaign": "Query",
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "FingerprintSeedSecret": "GetSecretValue",
        "ExportQueue": "SendMessage",
        "ExportBucket.Arn/*": "GetObject DeleteObject AbortMultipartUpload",
    },
    "export_file": {
        "ExportQueue": f"{RECEIVE} SendMessage",
        "ActionsTable": "BatchGetItem",
        "ActionsTable.Arn/index/by_campaign": "Query",
        "CatalogTable": "GetItem BatchGetItem UpdateItem",
        "ExportBucket.Arn/*": "GetObject PutObject DeleteObject AbortMultipartUpload",
    },
    "manage_erasures": {
        **ERASES,
        "ActionsTable.Arn/index/by_campaign": "Query",
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "ErasuresTable": "GetItem Query PutItem UpdateItem",
        "FingerprintSeedSecret": "GetSecretValue",
        "GuardKeySecret": "GetSecretValue",
        "ErasureKeySecret": "GetSecretValue",
        "ErasureQueue": "SendMessage",
        "ExportBucket.Arn/*": "DeleteObject AbortMultipartUpload",
    },
    "erase": {
        **ERASES,
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem",
        "ErasuresTable": "GetItem UpdateItem",
        "ErasureQueue": f"{RECEIVE} SendMessage",
        "ExportBucket.Arn/*": "DeleteObject AbortMultipartUpload",
    },
    "retain": {
        **ERASES,
        "ActionsTable.Arn/index/by_campaign": "Query",
        "ActionsTable.Arn/index/pending": "Query",
        "CatalogTable": "GetItem BatchGetItem Query UpdateItem",
        "ErasuresTable": "GetItem PutItem",
        "ExportBucket.Arn/*": "DeleteObject AbortMultipartUpload",
        "SweepFailuresQueue": "SendMessage",
    },
    "lend_queue_credentials": {
        **MANAGES,
        "CatalogTable": "GetItem Query PutItem UpdateItem DeleteItem",
        "QueueReaderRole": "AssumeRole",
    },
    "account": {
        "ActionsTable": "UpdateItem",
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "GuardKeySecret": "GetSecretValue",
        "MailQueue": "SendMessage",
    },
    "manage_staff": {**ON_MANAGED, "MailQueue": "SendMessage"},
    "manage_confirms": {
        **ON_MANAGED,
        "MailQueue": "SendMessage",
        "ActionsTable": "GetItem BatchGetItem Query PutItem UpdateItem",
        "StatsTable": "GetItem UpdateItem DeleteItem",
    },
    "manage_orgs": {
        **ON_MANAGED,
        "AWS::StackName-org-*": "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl SetQueueAttributes",
    },
    "manage_keys": {
        **ON_MANAGED,
        "EncryptContactsQueue": "SendMessage",
    },
    "encrypt_contacts": {
        "EncryptContactsQueue": "ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes SendMessage",
        "ActionsTable": "Scan Query PutItem UpdateItem",
        "CatalogTable": "GetItem",
        "SealingKeySecret": "GetSecretValue",
    },
    "manage_campaigns": {
        **ON_MANAGED,
        **REMOVES_TESTS,
        "StatsTable": "BatchGetItem UpdateItem",
    },
    "manage_targets": {**ON_MANAGED, "ActionsTable": "BatchGetItem UpdateItem ConditionCheckItem"},
    "manage_messages": {
        **MANAGES,
        "ActionsTable": "BatchGetItem UpdateItem",
        "ActionsTable.Arn/index/by_campaign": "Query",
        "ActionsTable.Arn/index/pending": "Query",
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "SealingKeySecret": "GetSecretValue",
    },
    "read_statistics": {
        **MANAGES,
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        "StatsTable": "Query",
    },
    "manage_pages": {
        **ON_MANAGED,
        **REMOVES_TESTS,
        "StatsTable": "BatchGetItem UpdateItem",
        "MailQueue": "SendMessage",
    },
    "manage_audits": {**ON_MANAGED, "StatsTable": "GetItem Query PutItem", "AuditQueue": "SendMessage"},
    "audit_counts": {
        "AuditQueue": "ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes SendMessage",
        "ActionsTable": "BatchGetItem Query PutItem",
        "ActionsTable.Arn/index/by_campaign": "Query",
        "StatsTable": "GetItem BatchGetItem Query PutItem UpdateItem ConditionCheckItem",
        "CatalogTable": "BatchGetItem Query",
        "SweepFailuresQueue": "SendMessage",
    },
    "manage_services": ON_MANAGED,
    "manage_templates": ON_MANAGED,
    "confirm": {
        **ON_STREAM,
        "ActionsTable": "GetItem BatchGetItem UpdateItem",
        **ON_CATALOG,
        "StatsTable": "UpdateItem",
        "MailQueue": "SendMessage",
        "LinkKeysSecret": "GetSecretValue",
        "AWS::StackName-org-*-confirm-supporter": "SendMessage",
        "AWS::StackName-org-*-confirm-action": "SendMessage",
    },
    "deliver": {
        **ON_STREAM,
        "ActionsTable": "GetItem BatchGetItem Query PutItem UpdateItem DeleteItem",
        **ON_CATALOG,
        "StatsTable": "GetItem BatchGetItem UpdateItem PutItem",
        "MailQueue": "SendMessage",
        "PushQueue": "SendMessage",
        "DetailQueue": "SendMessage",
        "TargetMailQueue": "SendMessage",
        "AWS::StackName-org-*-deliver": "SendMessage",
        "AWS::StackName-org-*-event": "SendMessage",
    },
    "send_email": {
        "MailQueue": RECEIVE,
        "ActionsTable": "GetItem BatchGetItem UpdateItem",
        "CatalogTable": "GetItem BatchGetItem Query PutItem",
        "StatsTable": "GetItem BatchGetItem UpdateItem",
        "LinkKeysSecret": "GetSecretValue",
        "SealingKeySecret": "GetSecretValue",
        "ServicePasswordsSecret": "GetSecretValue",
        "GuardKeySecret": "GetSecretValue",
        "identity/*": "SendEmail SendRawEmail",
        "configuration-set/MailConfiguration": "SendEmail SendRawEmail",
        "*": "GetAccount",
    },
    "send_target_mails": {
        "TargetMailQueue": RECEIVE,
        "ActionsTable": "GetItem BatchGetItem PutItem UpdateItem",
        "CatalogTable": "GetItem BatchGetItem Query UpdateItem",
        "StatsTable": "BatchGetItem UpdateItem",
        "SealingKeySecret": "GetSecretValue",
        "ServicePasswordsSecret": "GetSecretValue",
        "identity/*": "SendEmail SendRawEmail",
        "configuration-set/MailConfiguration": "SendEmail SendRawEmail",
        "*": "GetAccount",
    },
    "schedule_target_mails": {
        "ActionsTable.Arn/index/pending": "Query",
        "ActionsTable": "GetItem BatchGetItem UpdateItem",
        "CatalogTable": "GetItem Query",
        "TargetMailQueue": "SendMessage",
        "SweepFailuresQueue": "SendMessage",
    },
    "push": {
        "PushQueue": RECEIVE,
        "PushFailuresQueue": "SendMessage",
        "CatalogTable": "GetItem BatchGetItem Query",
        "ServicePasswordsSecret": "GetSecretValue",
    },
    "emit_events": {
        "CatalogTable.StreamArn": "DescribeStream GetRecords GetShardIterator",
        "CatalogTable.Arn/stream/*": "ListStreams",
        "StreamFailuresQueue": "SendMessage",
        "PushQueue": "SendMessage",
        "CatalogTable": "GetItem BatchGetItem UpdateItem DeleteItem",
        "AWS::StackName-org-*-event": "SendMessage",
        "AWS::StackName-org-*-deliver": "SendMessage",
    },
    "remind": {
        "ActionsTable.Arn/index/pending": "Query",
        "ActionsTable": "BatchGetItem UpdateItem",
        **ON_CATALOG,
        "MailQueue": "SendMessage",
        "SweepFailuresQueue": "SendMessage",
    },
    "mail_events": {
        "ActionsTable": "GetItem BatchGetItem Query PutItem UpdateItem",
        "CatalogTable": "GetItem BatchGetItem UpdateItem",
        "StatsTable": "GetItem BatchGetItem UpdateItem DeleteItem",
        "MailEventsFailuresQueue": "SendMessage",
    },
    "look_up_details": {
        "DetailQueue": RECEIVE,
        "ActionsTable": "GetItem BatchGetItem Query PutItem UpdateItem",
        "CatalogTable": "GetItem BatchGetItem Query",
        "SealingKeySecret": "GetSecretValue",
        "ServicePasswordsSecret": "GetSecretValue",
    },
    "close_campaigns": {
        "CatalogTable": "GetItem BatchGetItem Query PutItem UpdateItem",
        "SweepFailuresQueue": "SendMessage",
    },
    "watch": {
        "CatalogTable": "GetItem BatchGetItem Query PutItem",
        **of_org_queues("GetQueueAttributes", ""),
        "*": "GetMetricData",
        "MailQueue": "SendMessage",
        "SweepFailuresQueue": "SendMessage",
    },
    "sweep": {
        "ActionsTable.Arn/index/pending": "Query",
        "ActionsTable": "BatchGetItem UpdateItem",
        "CatalogTable": "Query UpdateItem",
        "SweepFailuresQueue": "SendMessage",
    },
}
"""All that each function may do, apart from writing its log, by resource."""

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    transformed = subprocess.run(
        [LOCAL / "venv-sam" / "bin" / "python", ROOT / "tools" / "transform.py"],
        env={"AWS_DEFAULT_REGION": REGION},
        capture_output=True,
        text=True,
        check=False,
    )
    assert transformed.returncode == 0, transformed.stderr
    found: dict[str, Resource] = json.loads(transformed.stdout)["Resources"]
    return found


def of_type(resources: dict[str, Resource], kind: str) -> dict[str, Resource]:
    found = {name: entry["Properties"] for name, entry in resources.items() if entry["Type"] == kind}
    assert found, f"no {kind}"
    return found


def statements(role: Resource) -> Iterator[Resource]:
    for policy in role["Policies"]:
        listed = policy["PolicyDocument"]["Statement"]
        yield from listed if isinstance(listed, list) else [listed]


def statements_of(resources: dict[str, Resource], role: str) -> Iterator[Resource]:
    """What a role allows, also by policies that stand beside it."""
    yield from statements(of_type(resources, "AWS::IAM::Role")[role])
    for policy in of_type(resources, "AWS::IAM::Policy").values():
        if {"Ref": role} in policy["Roles"]:
            yield from statements({"Policies": [policy]})


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_every_folder_of_functions_is_a_function_and_vice_versa(resources: dict[str, Resource]) -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}

    assert folders == FUNCTIONS.keys()
    assert of_type(resources, "AWS::Lambda::Function").keys() == {logical_id(folder) for folder in folders}


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_function_has_the_memory_and_time_that_it_needs(resources: dict[str, Resource], folder: str) -> None:
    function = of_type(resources, "AWS::Lambda::Function")[logical_id(folder)]

    assert (function["MemorySize"], function["Timeout"]) == FUNCTIONS[folder]


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_function_logs_to_a_group_of_its_own_that_forgets(resources: dict[str, Resource], folder: str) -> None:
    function = of_type(resources, "AWS::Lambda::Function")[logical_id(folder)]

    group = function["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == logical_id(folder).removesuffix("Function") + "Logs"
    assert of_type(resources, "AWS::Logs::LogGroup")[group]["RetentionInDays"]


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_function_has_a_role_of_its_own_without_wildcards(resources: dict[str, Resource], folder: str) -> None:
    function = of_type(resources, "AWS::Lambda::Function")[logical_id(folder)]

    name = function["Role"]["Fn::GetAtt"][0]
    assert name == logical_id(folder).removesuffix("Function") + "Role"
    role = of_type(resources, "AWS::IAM::Role")[name]
    assert "ManagedPolicyArns" not in role
    for statement in statements_of(resources, name):
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        for resource in as_list(statement["Resource"]):
            text = json.dumps(resource)
            assert "*" not in text or any(re.search(pattern, text) for pattern in WILDCARDS), text


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_function_may_do_what_it_has_to_and_nothing_else(resources: dict[str, Resource], folder: str) -> None:
    name = logical_id(folder).removesuffix("Function")

    rights: dict[str, str] = {}
    for statement in statements_of(resources, name + "Role"):
        actions = " ".join(action.partition(":")[2] for action in statement["Action"])
        rights |= {short(resource): actions for resource in as_list(statement["Resource"])}
    assert rights == {**RIGHTS[folder], name + "Logs": "CreateLogStream PutLogEvents"}


def short(resource: Resource) -> str:
    """What a reference names: a resource of the template (`Name`, else `Name.Attribute`), or the end of a name."""
    match resource:
        case {"Fn::GetAtt": [name, "Arn" | "Id"]}:
            return str(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": text}:
            return re.sub(r"[${}]", "", str(text)).rpartition(":AWS::AccountId:")[2]
        case {"Fn::If": ["IsLocal", _, elsewhere]}:
            return short(elsewhere)
        case "*":
            return "*"
    raise AssertionError(f"an unusual reference: {resource}")


def test_no_two_functions_share_what_the_transform_made(resources: dict[str, Resource]) -> None:
    # A function without a role of the template would get one that may write to every log.
    made = set(of_type(resources, "AWS::IAM::Role")) - {"QueueReaderRole"}

    assert made == {logical_id(folder).removesuffix("Function") + "Role" for folder in FUNCTIONS}


def test_the_role_that_is_lent_reads_queues_over_tls_and_one_function_may_lend_it(
    resources: dict[str, Resource],
) -> None:
    role = of_type(resources, "AWS::IAM::Role")["QueueReaderRole"]
    lender = {"AWS": {"Fn::GetAtt": ["LendQueueCredentialsRole", "Arn"]}}
    trust = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {"Effect": "Allow", "Principal": lender, "Action": "sts:AssumeRole"}
    assert role["MaxSessionDuration"] == 3600
    [statement] = statements_of(resources, "QueueReaderRole")
    assert sorted(statement["Action"]) == READER_ACTIONS
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "true"}}
    assert {short(resource) for resource in statement["Resource"]} == of_org_queues("", "", "-dlq").keys()
    lenders = [name for name in FUNCTIONS if "QueueReaderRole" in RIGHTS[name]]
    assert lenders == ["lend_queue_credentials"]


def of_streams(resources: dict[str, Resource], table: str = "") -> dict[str, Resource]:
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    streams = {name: mapping for name, mapping in mappings.items() if "StartingPosition" in mapping}
    return {name: found for name, found in streams.items() if table in found["EventSourceArn"]["Fn::GetAtt"][0]}


def test_health_knows_how_many_functions_read_each_stream(resources: dict[str, Resource]) -> None:
    known = resources["CheckHealthFunction"]["Properties"]["Environment"]["Variables"]["CHECKED_STREAMS"]["Fn::Sub"]
    readers = Counter(found["EventSourceArn"]["Fn::GetAtt"][0] for found in of_streams(resources).values())
    assert known == ",".join(f"{number} ${{{table}.StreamArn}}" for table, number in sorted(readers.items()))


def test_mappings_of_queues_give_back_what_failed_and_keep_to_their_number(resources: dict[str, Resource]) -> None:
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    queues = of_type(resources, "AWS::SQS::Queue")
    functions = of_type(resources, "AWS::Lambda::Function")

    for name in mappings.keys() - of_streams(resources).keys():
        mapping = mappings[name]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2
        queue = queues[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        assert queue["VisibilityTimeout"] >= 6 * functions[mapping["FunctionName"]["Ref"]]["Timeout"]


def test_mappings_of_streams_lose_nothing(resources: dict[str, Resource]) -> None:
    assert len(of_streams(resources, "Actions")) == 2, "exactly two functions read the actions' stream (design 5)"
    assert len(of_streams(resources, "Catalog")) == 1
    for mapping in of_streams(resources).values():
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["MaximumRetryAttempts"] >= 0
        assert mapping["MaximumRecordAgeInSeconds"] >= 0
        assert mapping["ParallelizationFactor"] == 1
        assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {
            "Fn::GetAtt": ["StreamFailuresQueue", "Arn"]
        }


def test_schedules_lose_nothing(resources: dict[str, Resource]) -> None:
    # A call that never began is given up by its rule, one that failed by its function.
    rules = of_type(resources, "AWS::Events::Rule")
    kept = {rule: target["DeadLetterConfig"]["Arn"] for rule in rules for target in rules[rule]["Targets"]}
    [policy] = [
        statement
        for found in of_type(resources, "AWS::SQS::QueuePolicy").values()
        for statement in found["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"}
    ]
    allowed = [arn["Fn::GetAtt"][0] for arn in policy["Condition"]["ArnEquals"]["aws:SourceArn"]]
    called = {target["Arn"]["Fn::GetAtt"][0] for rule in rules.values() for target in rule["Targets"]}
    given_up = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()

    assert all(queue == policy["Resource"] for queue in kept.values())
    assert sorted(allowed) == sorted(rules)
    assert called <= {each["FunctionName"]["Ref"] for each in given_up if each["DestinationConfig"]["OnFailure"]}


def test_the_stack_has_room_to_grow(resources: dict[str, Resource]) -> None:
    assert len(resources) <= 470, "CloudFormation takes 500 in a stack: think of a second one in time"


def test_mappings_share_the_stages_out_between_them(resources: dict[str, Resource]) -> None:
    handled = []
    for mapping in of_streams(resources, "Actions").values():
        for listed in mapping["FilterCriteria"]["Filters"]:
            handled += json.loads(listed["Pattern"])["dynamodb"]["NewImage"]["stage"]["S"]

    assert sorted(handled) == ["action_confirm", "deliver", "detail", "event", "link", "supporter_confirm"]


def test_queues_are_encrypted_and_raise_an_alarm(resources: dict[str, Resource]) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in alarms
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }

    queues = of_type(resources, "AWS::SQS::Queue")
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True
        assert name in watched, f"nobody learns of what is in {name}"
        # Our own orders have a queue for what was given up; the others are such queues. Orgs' are made at run time.
        if name.removesuffix("Queue") + "FailuresQueue" in queues:
            given_up = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            assert given_up == name.removesuffix("Queue") + "FailuresQueue"
            assert queue.get("FifoQueue") == queues[given_up].get("FifoQueue")
        else:
            assert "RedrivePolicy" not in queue
            assert queue["MessageRetentionPeriod"] == 14 * 86_400


def test_alarms_notify_the_topic(resources: dict[str, Resource]) -> None:
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == {
            "Fn::If": ["NotifyAlarms", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]
        }
        assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_alarms_watch_every_function(resources: dict[str, Resource], metric: str) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    watched = []
    for name in (name for name in alarms if name.endswith(f"Function{metric}Alarm")):
        listed = [found["MetricStat"]["Metric"] for found in alarms[name]["Metrics"] if "MetricStat" in found]
        assert len(listed) <= 10, "more than CloudWatch takes"
        assert {found["MetricName"] for found in listed} == {metric}
        watched += [found["Dimensions"][0]["Value"]["Ref"] for found in listed]

    assert sorted(watched) == sorted(logical_id(folder) for folder in FUNCTIONS)


def test_tables_are_on_demand_encrypted_and_restorable(resources: dict[str, Resource]) -> None:
    tables = of_type(resources, "AWS::DynamoDB::Table")

    assert tables.keys() == {"ActionsTable", "CatalogTable", "StatsTable", "ErasuresTable"}
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True,
            "RecoveryPeriodInDays": 7,
        }
        assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}


def test_what_cannot_be_made_again_outlives_the_stack(resources: dict[str, Resource]) -> None:
    kept = [
        entry
        for entry in resources.values()
        if entry["Type"] in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret")
    ]

    assert len(kept) == 10
    for entry in kept:
        assert entry["DeletionPolicy"] == "RetainExceptOnCreate"
        assert entry["UpdateReplacePolicy"] == "Retain"


def test_logs_of_the_api_name_no_path_and_no_address(resources: dict[str, Resource]) -> None:
    stage = of_type(resources, "AWS::ApiGateway::Stage")["ApiStage"]

    logged = set(re.findall(r"\$context\.([\w.]+)", json.dumps(stage["AccessLogSetting"])))
    assert logged == {
        "requestId",
        "requestTimeEpoch",
        "httpMethod",
        "resourcePath",
        "status",
        "responseLatency",
        "integrationLatency",
    }
    assert stage.get("TracingEnabled") is False
    assert [entry["DataTraceEnabled"] for entry in stage["MethodSettings"]] == [False]


def test_errors_of_the_gateway_are_problems_that_a_page_may_read(resources: dict[str, Resource]) -> None:
    definition = of_type(resources, "AWS::ApiGateway::RestApi")["Api"]["Body"]

    for kind, response in definition["x-amazon-apigateway-gateway-responses"].items():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == {"Fn::Sub": "'${CorsAllowOrigin}'"}
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        body = response["responseTemplates"]["application/json"].replace("$context.error.messageString", '"said"')
        problem = json.loads(body)
        assert str(problem.get("status", "")) == response.get("statusCode", ""), kind
        if "status" in problem:
            assert problem["title"] == TITLES[problem["status"]], "the functions say it in other words"
    for path, methods in definition["paths"].items():
        assert "options" in methods, f"no answer to a preflight request for {path}"


def test_the_firewall_is_there_when_asked_for_and_stands_before_the_api(resources: dict[str, Resource]) -> None:
    for name in ("WebAcl", "WebAclAssociation"):
        assert resources[name]["Condition"] == "HasWebAcl"
    assert project_template().condition("HasWebAcl") is False, "off by default: the local stack knows no association"
    association = resources["WebAclAssociation"]["Properties"]
    assert association["WebACLArn"] == {"Fn::GetAtt": ["WebAcl", "Arn"]}
    arn = association["ResourceArn"]["Fn::Sub"]
    assert arn == "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${ApiStage}"


def test_the_firewall_limits_addresses_lets_long_bodies_in_and_samples_nobody(resources: dict[str, Resource]) -> None:
    acl = resources["WebAcl"]["Properties"]
    rate, common = acl["Rules"]

    assert acl["DefaultAction"] == {"Allow": {}}
    assert rate["Statement"]["RateBasedStatement"] == {"Limit": {"Ref": "WebAclRate"}, "AggregateKeyType": "IP"}
    assert rate["Action"] == {"Block": {}}
    group = common["Statement"]["ManagedRuleGroupStatement"]
    assert (group["VendorName"], group["Name"]) == ("AWS", "AWSManagedRulesCommonRuleSet")
    assert group["RuleActionOverrides"] == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    for part in (acl, rate, common):
        assert part["VisibilityConfig"]["SampledRequestsEnabled"] is False
