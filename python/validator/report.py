"""report - what was found, and the one JSON object that says so.

The writer is our own because importing json costs more than a whole check of a
small module; the C encoder of strings below it is the one json uses.
"""

from _json import encode_basestring_ascii

SEVERITIES = ("low", "medium", "high")
FINDINGS_MAX = 100
FRAGMENT_MAX = 120


class Finding:
    """One offence: which rule, where (lines and columns count from 1), in which words."""

    __slots__ = ("rule", "layer", "severity", "message", "reason", "line", "column",
                 "end_line", "end_column", "fragment")

    def __init__(self, rule, text, place, fragment):
        self.rule = rule["id"]
        self.layer = rule["layer"]
        self.severity = rule["severity"]
        self.reason = rule["reason"]
        self.message = text
        self.line, self.column, self.end_line, self.end_column = place
        self.fragment = fragment

    def position(self):
        """What findings are ordered by: of two that begin together the inner is first."""
        return self.line, self.column, self.end_line, self.end_column

    def as_dict(self):
        return {name: getattr(self, name) for name in self.__slots__}


def verdict(findings, commands, refuse, version):
    """The object to print: the first layer with a finding that policy refuses decides.

    `findings` come in the order of the layers; those of later layers are not looked for
    once one has refused, so all refused ones belong to one layer.
    """
    refused = [one for one in findings if is_refused(one, refuse)]
    warned = [one for one in findings if not is_refused(one, refuse)]
    refused.sort(key=Finding.position)
    warned.sort(key=Finding.position)
    shown = refused[:FINDINGS_MAX]
    return {
        "valid": not refused,
        "layer": refused[0].layer if refused else None,
        "errors": [one.message for one in shown],
        "locations": [{"line": one.line, "column": one.column} for one in shown],
        "findings": [one.as_dict() for one in shown],
        "warnings": [one.as_dict() for one in warned[:FINDINGS_MAX]],
        "left_out": len(refused) - len(shown) + max(0, len(warned) - FINDINGS_MAX),
        "commands": commands,
        "python": version,
    }


def is_refused(finding, refuse):
    return SEVERITIES.index(finding.severity) >= SEVERITIES.index(refuse)


def to_json(value):
    """`value`, made of dicts, lists, strings, integers, booleans and None, as JSON."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        # A lone surrogate has no place in JSON that others can read.
        return encode_basestring_ascii(value.encode("utf-8", "replace").decode("utf-8"))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(encode_basestring_ascii(name) + ":" + to_json(one)
                              for name, one in value.items()) + "}"
    return "[" + ",".join(map(to_json, value)) + "]"
