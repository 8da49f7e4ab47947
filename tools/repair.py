"""Puts right what MiniStack makes of a deployed stack; on AWS, deploying template.yaml has done all this.

It drops the API's answers to preflight requests and the gateway's own errors, and it wants a permission of their own
for batches, which on AWS are allowed by the action for one message.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tools.emulator import Emulator

Json = dict[str, Any]
BATCHES = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")


def repair(aws: Emulator, stack_name: str) -> None:
    """Makes the stack answer and allow what the deployed template says."""
    restore_answers(aws, stack_name)
    allow_batches(aws, stack_name)


def allow_batches(aws: Emulator, stack_name: str) -> None:
    """Lets the roles that may do something with a message do it with a batch of them."""
    iam = aws.client("iam")
    for resource in aws.client("cloudformation").describe_stack_resources(StackName=stack_name)["StackResources"]:
        if resource["ResourceType"] == "AWS::IAM::Role":
            role = {"RoleName": resource["PhysicalResourceId"]}
            for name in iam.list_role_policies(**role)["PolicyNames"]:
                document = iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"]
                for statement in document["Statement"]:
                    statement["Action"] += [f"{action}Batch" for action in BATCHES if action in statement["Action"]]
                iam.put_role_policy(**role, PolicyName=name, PolicyDocument=json.dumps(document))


def restore_answers(aws: Emulator, stack_name: str) -> None:
    """Puts the preflight and gateway responses of the stack's API into its live stage."""
    cloudformation, gateway = aws.client("cloudformation"), aws.client("apigateway")
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    parameters = {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack["Parameters"]}
    template = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    apis = (item for item in template["Resources"].items() if item[1]["Type"] == "AWS::ApiGateway::RestApi")
    name, api = next(apis)
    found = cloudformation.describe_stack_resource(StackName=stack_name, LogicalResourceId=name)
    api_id = found["StackResourceDetail"]["PhysicalResourceId"]
    definition = resolve(api["Properties"]["Body"], parameters)

    for kind, response in definition["x-amazon-apigateway-gateway-responses"].items():
        gateway.put_gateway_response(restApiId=api_id, responseType=kind, **response)
    resource_ids = {entry["path"]: entry["id"] for entry in gateway.get_resources(restApiId=api_id, limit=500)["items"]}
    for path, methods in definition["paths"].items():
        if "options" in methods:
            put_preflight(
                gateway,
                {"restApiId": api_id, "resourceId": resource_ids[path], "httpMethod": "OPTIONS"},
                methods["options"],
            )
    gateway.create_deployment(restApiId=api_id, stageName=parameters["Stage"])


def put_preflight(gateway: Any, method: Json, operation: Json) -> None:
    """Gives one OPTIONS method its answer with the Access-Control headers."""
    integration = operation["x-amazon-apigateway-integration"]
    response = integration["responses"]["default"]
    status = {"statusCode": str(response["statusCode"])}
    gateway.put_method_response(
        **method, **status, responseParameters=dict.fromkeys(response["responseParameters"], False)
    )
    gateway.put_integration(**method, type="MOCK", requestTemplates=integration["requestTemplates"])
    gateway.put_integration_response(
        **method,
        **status,
        responseParameters=response["responseParameters"],
        responseTemplates=response["responseTemplates"],
    )


def resolve(value: Any, parameters: dict[str, str]) -> Any:
    """The value with every reference to a parameter of the template replaced; other references are not needed here."""
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(\w+)\}", lambda found: parameters.get(found[1], found[0]), text)
        case {"Ref": str(name)}:
            return parameters.get(name, name)
        case dict():
            return {key: resolve(entry, parameters) for key, entry in value.items()}
        case list():
            return [resolve(entry, parameters) for entry in value]
    return value
