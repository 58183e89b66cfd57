"""check - the layers in their order, for one module."""

import _ast as ast
import sys

import imports
import report
import source as sources
import syntax
from rules import RULES
from scan import Scan
from scopes import Program

DEEP = "too deeply nested to be checked"


class Policy:
    """What the caller decides: the file's name, the severity from which a finding refuses, names
    of modules that are the agent's, and where Python looks for modules before `site` has run."""

    __slots__ = ("filename", "refuse", "core", "path")

    def __init__(self, filename, refuse, core, path):
        self.filename = filename
        self.refuse = refuse
        self.core = core
        self.path = path


def check(data, policy):
    """The verdict on the bytes of a module, as a dict."""
    version = ".".join(map(str, sys.version_info[:3]))
    findings, commands = [], []
    for layer in _layers(data, policy, commands):
        findings += layer
        if any(report.is_refused(one, policy.refuse) for one in layer):
            break
    return report.verdict(findings, commands, policy.refuse, version)


def _layers(data, policy, commands):
    """Yields the findings of each layer; the caller stops at the first that refuses."""
    source = sources.Source(data[:sources.SIZE_MAX + 1])
    yield check_name(source, policy.filename, policy.core)
    yield sources.check_size(data)
    yield sources.check_bytes(source)
    tree, found = syntax.parse(source, policy.filename)
    yield found
    if tree is None:
        return
    commands += static_commands(tree)
    try:
        yield sources.check_direction(source) + _scan(source, tree)
        modules = imports.Modules(imports.host_path(policy.path, search_path(tree)))
        found = imports.find(tree, modules)
        yield imports.check_protected(source, found, policy.core)
        yield imports.check_dependencies(source, found, modules)
    except RecursionError:
        # A tree the compiler takes and this program does not: nobody writes one by hand.
        yield [source.finding_at_line("compile-error", f"Syntax Error at line 1: {DEEP}", 1)]


def _scan(source, tree):
    return Scan(source, Program(tree), sys.stdlib_module_names).run()


def check_name(source, filename, core):
    """A name that hides a module of others; what a plain name is the agent checks as well."""
    stem, dot, suffix = filename.rpartition(".")
    reason = None
    letters = stem.replace("_", "a")
    if not dot or suffix != "py" or not letters.isascii() or not letters.isalnum() or \
            not letters[:1].isalpha() or stem != stem.lower() or stem.startswith("_") or \
            len(stem) > 63:
        reason = "a name is small letters, digits and _, and ends in .py"
    elif stem in sys.stdlib_module_names:
        reason = "a module of Python's standard library has that name"
    elif stem in core or stem.startswith("pifleet"):
        reason = "a module of the agent has that name"
    if reason is None:
        return []
    return [report.Finding(RULES["file-name"], f"Protected file name: {filename}: {reason}",
                           (1, 1, 1, 1), "")]


def static_commands(tree):
    """Names of the commands as far as the source tells, in its order."""
    for statement in reversed(tree.body):
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and any(
                isinstance(one, ast.Name) and one.id == "COMMAND_HANDLERS" for one in targets):
            keys = statement.value.keys if isinstance(statement.value, ast.Dict) else []
            return [one.value for one in keys
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return [one.name[len("handle_"):] for one in tree.body
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
            and one.name.startswith("handle_") and one.name != "handle_"]


def search_path(tree):
    """Constant directories that the module adds to sys.path: its host will look there."""
    found = []
    for statement in tree.body:
        call = getattr(statement, "value", None)
        if isinstance(call, ast.Call) and imports.written(call.func) in (
                "sys.path.insert", "sys.path.append"):
            found += [one.value for one in call.args
                      if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return found
