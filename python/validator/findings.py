"""findings - what the scan has to say, each offence once.

A call that offends is one finding, and what its expression mentions is part of it. A mention
that only gives the thing another name is left out when there is a call to report.
"""

import _ast as ast

from report import Finding
from rules import RULES
from scopes import children

PREFIX = "Dangerous pattern detected: "


class Findings:
    def __init__(self, source):
        self._source = source
        self._found = {}  # place of a call -> Finding, one a call
        self._mentions = []  # (canonical name, Finding, whether it only makes another name)
        self._called = set()  # canonical names of offending calls
        self._explained = set()  # nodes that a finding already speaks of

    def add(self, node, rule, text):
        """One finding a node; the first and the graver one stays."""
        self._found.setdefault(id(node), self._make(node, rule, text))

    def offend(self, node, rule, canonical):
        """A call of something refused."""
        self.add(node, rule, canonical + "(")
        self._called.add(canonical)
        self.explain_chain(node.func)

    def mention(self, node, rule, text, canonical, renames):
        """Something refused that is named here and not called."""
        self._mentions.append((canonical, self._make(node, rule, text), renames))

    def explained(self, node):
        """Whether a finding already speaks of the node."""
        return id(node) in self._explained

    def explain(self, node):
        self._explained.add(id(node))

    def explain_chain(self, inner):
        """A chain of attributes, subscripts and calls that a finding speaks of as a whole."""
        while True:
            self.explain(inner)
            if isinstance(inner, (ast.IfExp, ast.BoolOp, ast.List, ast.Tuple, ast.Dict)):
                self._explained.update(id(one) for one in children(inner))
                break
            if isinstance(inner, ast.Attribute):
                inner = inner.value
            elif isinstance(inner, ast.Subscript):
                inner = inner.value
            elif isinstance(inner, ast.Call):
                # What looked it up is part of the same offence, unless it is one itself.
                for one in inner.args[:2]:
                    self.explain(one)
                inner = inner.func
            else:
                break

    def all(self):
        findings = list(self._found.values())
        modules = {name.partition(".")[0] for name in self._called}
        for canonical, finding, renames in self._mentions:
            if renames and (canonical in self._called or canonical.endswith(".*")
                            and canonical[:-2] in modules):
                continue
            findings.append(finding)
        return findings

    def _make(self, node, rule, text):
        place = self._source.place(node)
        return Finding(RULES[rule], PREFIX + text, place, self._source.fragment(place))
