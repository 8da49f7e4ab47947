"""What the command lines of campaigners and of operators have in common: nouns with verbs, and settings anywhere."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction

Verbs = _SubParsersAction


def noun(nouns: Verbs[ArgumentParser], name: str, what: str) -> Verbs[ArgumentParser]:
    """A noun, to which verbs are added."""
    return nouns.add_parser(name, help=what, description=what).add_subparsers(required=True, metavar="VERB")


def parsed(top: ArgumentParser, arguments: list[str] | None) -> Namespace:
    """The arguments; settings may stand anywhere, which argparse alone allows only before the first option."""
    args, rest = top.parse_known_args(arguments)
    if rest and not (hasattr(args, "settings") and all("=" in text and text[0] != "-" for text in rest)):
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        args.settings += rest
    return args
