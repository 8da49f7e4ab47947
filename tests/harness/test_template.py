"""Reading templates: a small one, for the rules, and the project's own."""

from pathlib import Path

import pytest

from tests.harness.mappings import Mapping
from tests.harness.template import Resource, parse, project_template

TEXT = """
Parameters:
  Size: {Type: Number, Default: '7'}
  Stage: {Type: String, Default: dev}
Mappings:
  Limits: {dev: {retries: 4}}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Careful: !And [!Not [Condition: Prod], !Or [!Condition Prod, !Equals [1, 1]]]
Globals:
  Function: {Timeout: 11, Handler: app.handler}
Resources:
  Table: {Type: 'AWS::DynamoDB::Table'}
  Queue: {Type: 'AWS::SQS::Queue'}
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/reader
      Events:
        Http: {Type: Api, Properties: {Path: /, Method: GET}}
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: !Ref Size
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: !FindInMap [Limits, !Ref Stage, retries]
            MaximumRecordAgeInSeconds: !If [Careful, 120, !Ref AWS::NoValue]
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria:
              Filters: [{Pattern: !Sub '{"dynamodb":{"NewImage":{"stage":{"S":["${Stage}"]}}}}'}]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}}
  Plain: {Type: 'AWS::Serverless::Function', Properties: {Timeout: 5}}
  PlainMapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Plain
      EventSourceArn: !GetAtt [Table, StreamArn]
      MaximumRetryAttempts: -1
      MaximumRecordAgeInSeconds: !If [Prod, 120, !Ref AWS::NoValue]
  Idle: {Type: 'AWS::Serverless::Function'}
"""
SMALL = parse(TEXT)


def handler(event: object, context: object) -> None:
    """Never called here."""


def test_a_mapping_has_the_settings_of_the_template() -> None:
    mapping = Mapping.from_template("Reader", handler, template=SMALL)
    assert mapping.name == "Reader"
    assert mapping.handler is handler
    assert (mapping.batch_size, mapping.max_retries, mapping.max_record_age_s) == (7, 4, 120)
    assert mapping.bisect
    assert mapping.report_batch_item_failures
    assert mapping.patterns == [{"dynamodb": {"NewImage": {"stage": {"S": ["dev"]}}}}]
    assert (mapping.table, mapping.on_failure_resource) == ("Table", "Queue")
    assert mapping.timeout_s == 11


def test_what_the_template_leaves_out_is_lambdas_default() -> None:
    mapping = Mapping.from_template("Plain", handler, template=SMALL)
    assert (mapping.batch_size, mapping.max_retries, mapping.max_record_age_s) == (100, None, None)
    assert not mapping.bisect
    assert not mapping.report_batch_item_failures
    assert mapping.patterns == []
    assert (mapping.table, mapping.timeout_s) == ("Table", 5)


def test_settings_can_be_replaced() -> None:
    assert Mapping.from_template("Reader", handler, template=SMALL, batch_size=1).batch_size == 1


@pytest.mark.parametrize("function", ["Idle", "Missing"])
def test_a_function_without_a_stream_is_refused(function: str) -> None:
    with pytest.raises(LookupError, match=function):
        Mapping.from_template(function, handler, template=SMALL)


def test_the_handler_comes_from_the_functions_folder(tmp_path: Path) -> None:
    folder = tmp_path / "functions" / "reader"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text("def handler(event, context):\n    return [event, __name__]\n")
    template = parse(TEXT, tmp_path)
    mapping = Mapping.from_template("Reader", template=template)
    assert mapping.handler({}, None) == [{}, "harnessed_Reader_app"]
    assert template.handler("Reader") is mapping.handler  # one module, as in a warm environment


def test_a_missing_template_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        project_template(tmp_path / "template.yaml")


def test_references_to_resources_stay_references() -> None:
    (event,) = SMALL.stream_events("Reader")
    assert event["Stream"] == Resource("Table", "StreamArn")


@pytest.mark.parametrize(("function", "stages"), [("ConfirmFunction", "confirm"), ("DeliverFunction", "deliver")])
def test_the_stream_mappings_of_the_project_bound_what_can_go_wrong(function: str, stages: str) -> None:
    """Design 5: partial failures reported, bisecting, bounded retries and age, an OnFailure destination."""
    mapping = Mapping.from_template(function, handler)
    assert mapping.table == "ActionsTable"
    assert mapping.report_batch_item_failures
    assert mapping.bisect
    assert mapping.max_retries is not None
    assert mapping.max_record_age_s is not None
    assert mapping.on_failure_resource
    assert stages in str(mapping.patterns)
