"""Reads what the tools need from the project's template: mapping settings, table definitions, handlers.

Parameters have their defaults; `Ref`, `Fn::If`, `Fn::FindInMap`, `Fn::Sub` of parameters and the condition functions
are resolved. A reference to a resource stays what it is, as `Resource("ActionsTable", "StreamArn")`.
"""

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"


class Resource(NamedTuple):
    """A reference to a resource of the template, or to one of its attributes."""

    logical_id: str
    attribute: str = ""


class _Absent:
    """`AWS::NoValue`."""


_PSEUDO = {
    "AWS::NoValue": _Absent,
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "proca-test",
}


@dataclass(frozen=True)
class Template:
    """A parsed template, and the folder that its paths start from."""

    document: Mapping[str, Any]
    root: Path = ROOT

    def resources(self, *types: str) -> dict[str, dict[str, Any]]:
        """Properties, resolved, of all resources of these types, by logical id."""
        resources = self.document.get("Resources", {})
        return {
            logical_id: self.resolve(resource.get("Properties", {}))
            for logical_id, resource in resources.items()
            if resource["Type"] in types
        }

    def stream_events(self, function: str) -> list[dict[str, Any]]:
        """The properties of the stream mappings of a function: events of the SAM function and mappings of their own."""
        functions = self.resources("AWS::Serverless::Function")
        if function not in functions:
            raise LookupError(f"the template has no function {function}; it has {sorted(functions)}")
        events = self.resolve(functions[function].get("Events", {})).values()
        own = [event["Properties"] for event in events if event["Type"] == "DynamoDB"]
        explicit = [
            {**mapping, "Stream": mapping["EventSourceArn"]}
            for mapping in self.resources("AWS::Lambda::EventSourceMapping").values()
            if isinstance(mapping.get("FunctionName"), Resource) and mapping["FunctionName"].logical_id == function
        ]
        return own + explicit

    def function(self, logical_id: str) -> dict[str, Any]:
        """The properties of a function, with those of Globals under them."""
        shared = self.resolve(self.document.get("Globals", {}).get("Function", {}))
        return {**shared, **self.resources("AWS::Serverless::Function")[logical_id]}

    def handler(self, logical_id: str) -> Any:
        """A function's handler, imported from its source folder under a module name of its own, once."""
        properties = self.function(logical_id)
        module_name, _, attribute = properties["Handler"].rpartition(".")
        path = self.root / properties["CodeUri"] / f"{module_name.replace('.', '/')}.py"
        name = f"harnessed_{logical_id}_{module_name}"
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[name]
                raise
        return getattr(sys.modules[name], attribute)

    def resolve(self, value: Any) -> Any:
        """A value of the template with its functions applied."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _Absent]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._apply(name, argument)
        items = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not _Absent}

    def _apply(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                return Resource(*parts)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.condition(condition) else otherwise)
            case "Fn::FindInMap":
                table, top, second = (self.resolve(part) for part in argument)
                return self.document["Mappings"][table][top][second]
            case "Fn::Sub":
                return self._sub(argument)
        return {name: argument}  # nothing the tools read: left as it stands

    def _ref(self, name: str) -> Any:
        parameter = self.document.get("Parameters", {}).get(name)
        if parameter is not None:
            return parameter.get("Default")
        return _PSEUDO.get(name, Resource(name))

    def _sub(self, argument: Any) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        for name, value in {**self.document.get("Parameters", {}), **_PSEUDO, **variables}.items():
            placeholder = "${" + name + "}"
            if placeholder in text:
                text = text.replace(placeholder, str(self.resolve(value) if name in variables else self._ref(name)))
        return str(text)

    def condition(self, condition: Any) -> bool:
        """Whether a condition holds with the parameters' defaults."""
        if isinstance(condition, str):
            return self.condition(self.document["Conditions"][condition])
        ((name, argument),) = condition.items()
        match name:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                left, right = (self.resolve(part) for part in argument)
                return str(left) == str(right)
            case "Fn::Not":
                return not self.condition(argument[0])
            case "Fn::And":
                return all(map(self.condition, argument))
            case "Fn::Or":
                return any(map(self.condition, argument))
        raise ValueError(f"unknown condition {name}")


@cache
def project_template(path: Path = TEMPLATE) -> Template:
    """The project's template. FileNotFoundError when there is none."""
    return parse(path.read_text(), path.parent)


def parse(text: str, root: Path = ROOT) -> Template:
    """A template from its YAML text."""
    return Template(yaml.load(text, Loader=_Loader), root)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` is `{"Ref": "x"}`, `!Sub x` is `{"Fn::Sub": "x"}`."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
