"""YAML as compose reads it: safe, bounded, and by the rules of YAML 1.2, in which 22:22 and `on` are texts."""

import re
from typing import Any

import yaml
from django.utils.translation import gettext_noop

from common.errors import Invalid

AT_MOST = 256 * 1024  # characters
NODES_AT_MOST = 20_000  # with every alias followed
DEPTH_AT_MOST = 50


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's plain scalars."""


class Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper; what another reader would take for a number or a switch is quoted."""


TAG = "tag:yaml.org,2002:"
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag in {f"{TAG}null", f"{TAG}merge"}]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(f"{TAG}bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
Loader.add_implicit_resolver(f"{TAG}int", re.compile(r"(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)\Z"), list("-+0123456789"))
Loader.add_implicit_resolver(
    f"{TAG}float", re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?\Z"), list("-+.0123456789")
)


def _int(loader: Loader, node: Any) -> int | str:
    text = str(loader.construct_scalar(node))
    if re.fullmatch(r"0[0-7]+", text):
        return text  # a mode: who reads it knows that it is octal
    return int(text, 16 if text.startswith("0x") else 10) if len(text) < 20 else text


Loader.add_constructor(f"{TAG}int", _int)


def read(text: str) -> Any:
    """The document. Raises Invalid for what is no YAML, is too long, or would become so."""
    if len(text) > AT_MOST or "\0" in text:
        raise Invalid("compose", gettext_noop("This is no compose file: it is too long, or not text."))
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}, 0) > NODES_AT_MOST:
            raise Invalid("compose", gettext_noop("This YAML grows too large by its aliases, or is nested too deeply."))
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Invalid(
            "compose",
            gettext_noop("Line %(line)s is no YAML: %(problem)s."),
            {"line": mark.line + 1 if mark else "?", "problem": str(getattr(error, "problem", None) or error)[:200]},
        ) from error
    except (RecursionError, ValueError, TypeError) as error:
        raise Invalid("compose", gettext_noop("This YAML cannot be read.")) from error
    finally:
        loader.dispose()


def _size(node: Any, known: dict[int, int], depth: int) -> int:
    """How many nodes it is with every alias followed; huge for one that holds itself."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = NODES_AT_MOST + 1  # until it is known: met again now, it is inside itself
    parts: list[Any] = []
    if depth > DEPTH_AT_MOST:
        return NODES_AT_MOST + 1
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    known[id(node)] = min(NODES_AT_MOST + 1, 1 + sum(_size(part, known, depth + 1) for part in parts))
    return known[id(node)]


def write(values: Any) -> str:
    """As text, in the order of `values`."""
    return str(
        yaml.dump(values, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100)
    )


def _text(dumper: Dumper, text: str) -> Any:
    style = "|" if "\n" in text and not re.search(r"[ \t]\n|[^\n\x20-\x7e\xa0-\ud7ff]|^\s", text) else None
    return dumper.represent_scalar(f"{TAG}str", text, style=style)


Dumper.add_representer(str, _text)
Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]
