"""How grave a log line is: the same rules as static/js/lib/levels.js, which colours what is on the screen.
tests/levels.json holds what both must find."""

import re

HEAD = 240  # characters: the level stands near the start or not at all
LEVELS = ("error", "warn", "info", "debug")
WORDS = {
    **dict.fromkeys(
        ("emerg", "alert", "crit", "critical", "fatal", "panic", "severe", "error", "err", "eror"), "error"
    ),
    **dict.fromkeys(("warn", "warning"), "warn"),
    **dict.fromkeys(("info", "notice", "inf"), "info"),
    **dict.fromkeys(("debug", "trace", "dbg", "verbose"), "debug"),
}
KLOG = {"I": "info", "W": "warn", "E": "error", "F": "error"}
BUNYAN = ((50, "error"), (40, "warn"), (30, "info"), (10, "debug"))
PATTERNS = tuple(
    re.compile(pattern, flags | re.ASCII)
    for pattern, flags in (
        (
            r'(?:"(?:level|severity|lvl|levelname|log\.level|loglevel)"\s*:\s*"?'
            r"""|\b(?:level|lvl|severity)=["']?)([a-z]+|\d+)""",
            re.IGNORECASE,
        ),
        (r"^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ [^\s:]+:\d+\]", 0),
        (
            r"(?<![A-Za-z_-])(EMERG|ALERT|CRIT(?:ICAL)?|FATAL|PANIC|SEVERE|ERROR|ERR|WARN(?:ING)?|INFO|NOTICE|DEBUG|TRACE"
            r"|DBG|INF)(?![A-Za-z_])",
            0,
        ),
        (
            r"[\[<(](emerg|alert|crit(?:ical)?|fatal|panic|error|err|warn(?:ing)?|info|notice|debug|trace)[\]>):]",
            re.IGNORECASE,
        ),
        (r"^(?:[\d\-T:.,/Z+ ]*)?(fatal|panic|error|warn(?:ing)?|info|notice|debug)\b\s*[:\-|]", re.IGNORECASE),
    )
)


def level_of(text: str) -> str:
    """error, warn, info, debug, or "" for a line (without escapes) that does not say."""
    head = text[:HEAD]
    for pattern in PATTERNS:
        found = pattern.search(head)
        if found and (level := _graded(found[1])):
            return level
    return ""


def _graded(word: str) -> str:
    if word.isdecimal():
        number = int(word)
        return next((level for least, level in BUNYAN if number >= least), "")
    return KLOG.get(word) or WORDS.get(word.lower(), "")
