"""shared_rules - what is refused in a module whatever its language is, as data.

The table of a language adds its examples, and says more where it knows more (rules.py,
../compiler/c_rules.py).
"""

_TABLE = (
    {"id": "source-size", "layer": "quota", "severity": "high",
     "reason": "a source has at most 256 KiB"},
    {"id": "file-name", "layer": "protected", "severity": "high",
     "reason": "the file would hide a module that others import, or is no plain name"},
    {"id": "source-encoding", "layer": "syntax", "severity": "high",
     "reason": "a source is UTF-8 without NUL"},
    {"id": "compile-error", "layer": "syntax", "severity": "high",
     "reason": "the compiler refuses it"},
    {"id": "compile-warning", "layer": "syntax", "severity": "low",
     "reason": "the compiler warns of it"},
    {"id": "bidirectional-control", "layer": "security", "severity": "high",
     "reason": "shows a line in another order than it runs"},
)

SHARED_RULES = {rule["id"]: rule for rule in _TABLE}


def shared(rule, **more):
    """That rule, with what a language adds to it."""
    return {**SHARED_RULES[rule], **more}
