"""How large a document may be, told before it is compared with the schema: everything later takes time with its size.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

MAX_TOKENS = 700
"""Five times as many as the longest document of a client in use has."""
MAX_DEPTH = 12
MAX_COST = 5_000
MAX_ALIASES = 30
MAX_ROOT_FIELDS = 10
TIMES = 10
LISTS = frozenset(
    {
        "actionPages",
        "actions",
        "campaigns",
        "contacts",
        "emails",
        "exportActions",
        "fields",
        "keys",
        "list",
        "partnerships",
        "roles",
        "services",
        "supporterCountByOrg",
        "targets",
        "users",
    }
)
"""Fields that bring many objects: what is asked of each counts ten times."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection costs: `fields` as they will be resolved, `depth` levels, `aliases` of fields; `here`: fields of
    the selection itself, through whichever fragments.
    """

    fields: int = 0
    depth: int = 0
    aliases: int = 0
    here: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(
            self.fields + other.fields,
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.here + other.here,
        )


@dataclass(slots=True)
class _Measure:
    """Sizes of fragments, each measured once, however often it is spread."""

    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[str, Size] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def of(self, selections: SelectionSetNode | None) -> Size:
        size = Size()
        for node in () if selections is None else selections.selections:
            if isinstance(node, FieldNode):
                below = self.of(node.selection_set)
                times = TIMES if node.name.value in LISTS else 1
                size += Size(1 + times * below.fields, 1 + below.depth, below.aliases + (node.alias is not None), 1)
            elif isinstance(node, FragmentSpreadNode):
                size += self.of_fragment(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                size += self.of(node.selection_set)
        return size

    def of_fragment(self, name: str) -> Size:
        if name in self.open:
            raise GraphQLError("A fragment spreads itself")
        if name not in self.known and name in self.fragments:
            self.open.add(name)
            self.known[name] = self.of(self.fragments[name].selection_set)
            self.open.remove(name)
        return self.known.get(name, Size())


def check(document: DocumentNode) -> None:
    """Raise `GraphQLError` for a document that asks for too much, whatever the schema is."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    measure = _Measure(fragments)
    for name in fragments:
        measure.of_fragment(name)
    size = Size()
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        own = measure.of(node.selection_set)
        if own.here > MAX_ROOT_FIELDS:
            raise GraphQLError(f"An operation may have {MAX_ROOT_FIELDS} fields")
        size += own
    if size.depth > MAX_DEPTH:
        raise GraphQLError(f"The query may be {MAX_DEPTH} levels deep")
    if size.aliases > MAX_ALIASES:
        raise GraphQLError(f"The query may have {MAX_ALIASES} aliases")
    if size.fields > MAX_COST:
        raise GraphQLError("The query asks for too much")
