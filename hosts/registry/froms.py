"""From which registries a Dockerfile takes images, as far as its text tells."""

import re
from collections.abc import Mapping

from hosts.registry.names import parse_reference

CONTINUED = re.compile(r"\\[ \t]*\n")
FROM = re.compile(r"(?i)FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*")
ARG = re.compile(r"(?i)ARG\s+(?P<name>\w+)(?:=(?P<value>\S*))?\s*")
COPY = re.compile(r"(?i)(?:ONBUILD\s+)?(?:COPY|ADD|RUN)\s.*?(?:--|[,=])from=(?P<image>[^\s,]+)")
VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::-(?P<default>[^{}$]*))?\}|(?P<plain>\w+))")


def registries_of(dockerfile: str, args: Mapping[str, str]) -> set[str] | None:
    """Addresses of the registries; None when a name depends on something that is not known. `args` are the build's."""
    known: dict[str, str] = {}
    stages: set[str] = set()
    found: set[str] = set()
    begun = False  # an ARG counts for FROM before the first of them alone
    for line in CONTINUED.sub(" ", dockerfile.replace("\r\n", "\n")).split("\n"):
        line = line.strip()
        if not begun and (told := ARG.fullmatch(line)):
            value = args.get(told["name"], (told["value"] or "").strip("\"'"))
            known[told["name"]] = value
        elif told := FROM.fullmatch(line) or COPY.match(line):
            address = _registry(told["image"], known, stages)
            if address is None:
                return None
            found |= {address} - {""}
            begun = True
            if (stage := told.groupdict().get("stage")) is not None:
                stages.add(stage.lower())
    return found


def _registry(image: str, known: Mapping[str, str], stages: set[str]) -> str | None:
    """ "" for a stage of the same file and for `scratch`."""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        text = known.get(found["braced"] or found["plain"]) or found["default"] or ""
        missing = missing or not text
        return text

    name = VARIABLE.sub(value, image).strip("\"'")
    if missing or "$" in name:
        return None
    if name.lower() in stages or name.isdecimal() or name.lower() == "scratch":
        return ""
    reference = parse_reference(name)
    return reference.registry if reference else None
