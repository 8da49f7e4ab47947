"""Names as clients may also write them: arguments and input fields in snake_case. Pure."""

from __future__ import annotations

from typing import Any

from graphql import ArgumentNode, DocumentNode, NameNode, ObjectFieldNode, Visitor, visit

from proca_common.casing import camel_case


def camel_document(document: DocumentNode) -> DocumentNode:
    """The document with its arguments and input fields in camelCase."""
    result: DocumentNode = visit(document, _Camel())
    return result


def camel_variables(given: Any) -> Any:
    """Values of variables with the names of input fields in camelCase; free JSON is text, so it keeps its names."""
    if isinstance(given, dict):
        return {camel_case(name) if "_" in name else name: camel_variables(value) for name, value in given.items()}
    if isinstance(given, list):
        return [camel_variables(value) for value in given]
    return given


class _Camel(Visitor):
    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        return ArgumentNode(name=_camel(node.name), value=node.value, loc=node.loc) if "_" in node.name.value else None

    def leave_object_field(self, node: ObjectFieldNode, *_: Any) -> ObjectFieldNode | None:
        if "_" not in node.name.value:
            return None
        return ObjectFieldNode(name=_camel(node.name), value=node.value, loc=node.loc)


def _camel(name: NameNode) -> NameNode:
    return NameNode(value=camel_case(name.value), loc=name.loc)
