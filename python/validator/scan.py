"""scan - layer 2: what a module does that a handler must not.

Advice and no wall: a call is an offence when the callee may be, by any binding the source
shows, something that the rules refuse. Each offending call is one finding, at the call.
A mere mention of such a thing, which gives it another name, is reported only when no call
of it was.
"""

import _ast as ast

from findings import Findings
from imports import written
from path_checks import PathChecks
from program_checks import STARTERS, ProgramChecks
from rules import BUILTIN_CALLS, CALLS, DENIED_ATTRIBUTES, MODULES, POWERFUL, rule_of
from values import Values

ASYNC_EXEC = ("asyncio.create_subprocess_exec", "asyncio.subprocess.create_subprocess_exec")
# Methods of unknown objects that take a text for a shell, when the text shows it is one.
COMMAND_METHODS = frozenset(("system", "popen", "exec_command", "sudo", "run_command", "run_shell",
                             "shell", "check_output", "getoutput", "run", "Popen", "spawn",
                             "sendline", "check_call", "call", "execute_command"))
DESCRIPTOR_CALLS = frozenset("os." + name for name in (
    "write", "read", "close", "dup", "dup2", "fdopen", "open", "writev", "readv", "sendfile",
    "pread", "pwrite", "fchmod", "ftruncate", "set_inheritable", "set_blocking")) | {
        "io.open", "io.FileIO", "socket.fromfd"}
HARMLESS_TAKERS = frozenset(("hasattr", "isinstance", "print", "str", "len", "type", "getattr",
                             "setattr", "delattr", "vars", "repr", "id", "dir"))
PATCHABLE = frozenset(("stdout", "stderr", "stdin", "excepthook", "tracebacklimit",
                       "dont_write_bytecode", "unraisablehook", "displayhook"))
SAFE_LOADERS = frozenset(("yaml.SafeLoader", "yaml.CSafeLoader", "yaml.BaseLoader",
                          "yaml.loader.SafeLoader"))
ACCESSORS = frozenset(("operator.attrgetter", "operator.methodcaller"))


class Scan:
    def __init__(self, source, program, standard_modules):
        self.program = program
        self.values = Values(program)
        self.findings = Findings(source)
        self.paths = PathChecks(self.values, self.findings)
        self.programs = ProgramChecks(program, self.values, self.paths, self.findings)
        self.standard = standard_modules
        self.parents = {id(node): parent for node, _, parent in program.nodes}

    def run(self):
        for node, scope, _ in self.program.nodes:
            if type(node) is ast.Call:
                self._call(node, scope)
        # After all calls, which explain the names in them.
        for node, scope, parent in self.program.nodes:
            look = LOOK.get(type(node))
            if look is not None:
                look(self, node, scope, parent)
        return self.findings.all()

    def _read(self, node, scope, parent):
        if isinstance(node.ctx, ast.Load):
            self._mention(node, scope, parent)

    def _match_class(self, node, _scope, _parent):
        for name in node.kwd_attrs:
            if name in DENIED_ATTRIBUTES:
                self.findings.add(node, "object-graph", name)

    def _division(self, node, _scope, parent):
        if isinstance(node.op, ast.Div) and not isinstance(parent, ast.BinOp):
            self.paths.check(node, node)

    @staticmethod
    def _refused(value):
        """(rule, canonical name) of a value that nobody may call or hold."""
        kind, name = value[0], value[1]
        if kind == "builtin" and name in BUILTIN_CALLS:
            return BUILTIN_CALLS[name], name
        if kind == "ref":
            if name.endswith(".?"):
                if name[:-2] in POWERFUL:
                    return "dynamic-attribute", name[:-2]
            else:
                rule = rule_of(name)
                # A module below another (importlib.machinery) is refused by its members.
                if rule is not None and (name not in MODULES or name in CALLS or "." not in name):
                    return rule, name
        return None

    # -- calls ------------------------------------------------------------------------

    def _call(self, node, scope):
        values = self.values.of(node.func, scope)
        for value in values:
            refused = self._refused(value)
            if refused is None:
                continue
            rule, name = refused
            if rule == "dynamic-attribute":
                continue  # reported where it is looked up
            self.findings.offend(node, rule, name)
            return
        known = False
        for value in values:
            if value[0] == "ref":
                known = True
                self._call_of(node, value[1])
            elif value[0] == "builtin":
                known = True
                self._call_of_builtin(node, value[1])
            elif value[0] in ("func", "class"):
                known = True
                if value[0] == "class":
                    self._instance_of(node, value[1])
            elif value[0] == "getter":
                self._lookup(node, value[1])
        if isinstance(node.func, ast.Attribute) and node.func.attr == "__init__" and \
                self._is_popen(scope):
            self.programs.check(node, "subprocess.Popen", node.args[:1], node.args,
                                node.keywords)
        self._arguments(node, scope, values, known)
        if not known:
            self._unknown_call(node, scope)

    def _call_of(self, node, name):
        if name in STARTERS:
            self.programs.check(node, name, node.args[:1], node.args, node.keywords)
        elif name in ASYNC_EXEC:
            self.programs.check_words(node, name, node.args)
        elif name == "functools.partial" and node.args:
            for value in self.values.of(node.args[0]):
                if value[0] == "ref" and value[1] in STARTERS:
                    self.programs.check(node, value[1], node.args[1:2], node.args[1:],
                                        node.keywords)
                    self.findings.explain(node.args[0])
        elif name in ("yaml.load", "yaml.load_all"):
            self._yaml(node, name)
        elif name in ("numpy.load",):
            if any(one.arg == "allow_pickle" and not self.values.is_false(one.value)
                   for one in node.keywords):
                self.findings.offend(node, "unsafe-loader", name)
        elif name == "shutil.rmtree":
            self.paths.check_rmtree(node, name)
        elif name in ACCESSORS:
            self._accessor(node, name)
        elif name in ("sys.path.insert", "sys.path.append", "sys.path.extend",
                      "site.addsitedir"):
            self.findings.add(node, "search-path", name + "(")
        elif name.startswith("sys.modules."):
            self.findings.offend(node, "module-table", name)
        elif name in ("pexpect.spawn", "pexpect.run"):
            self.programs.check_text(node, name)
        if name in DESCRIPTOR_CALLS and node.args and self.values.number(node.args[0]) in (3, 4):
            self.findings.offend(node, "host-channel", name)
        if name == "socket.socket" and any(
                one.arg == "fileno" and self.values.number(one.value) in (3, 4)
                for one in node.keywords):
            self.findings.offend(node, "host-channel", name)
        self.paths.check_call(node, name)

    def _call_of_builtin(self, node, name):
        if name == "open":
            self.paths.check_arguments(node, name)
            if node.args and self.values.number(node.args[0]) in (3, 4):
                self.findings.offend(node, "host-channel", name)
        elif name == "getattr" and len(node.args) >= 2:
            self._getattr(node)
        elif name in ("setattr", "delattr") and node.args:
            for value in self.values.of(node.args[0]):
                if value[0] == "ref" and self._is_module(value[1]):
                    self.findings.offend(node, "module-patch", name)
                elif value[0] == "namespace":
                    self.findings.offend(node, "module-patch", name)
        elif name == "vars" and node.args:
            self._namespace(node, node)

    def _is_module(self, name):
        """Whether a dotted name is a module, as far as names tell."""
        return name.partition(".")[0] == name or name in self.standard or name == "os.path" \
            or name.startswith("sys.modules")

    def _getattr(self, node):
        name = self.values.text(node.args[1])
        if name is not None:
            if name in DENIED_ATTRIBUTES:
                self.findings.offend(node, "object-graph", "getattr")
            return
        for value in self.values.of(node.args[0]):
            if value[0] == "ref" and value[1] in POWERFUL:
                self.findings.offend(node, "dynamic-attribute", "getattr")

    def _lookup(self, node, source):
        """os.__dict__.get(x), os.__getattribute__(x): by a name that is not known."""
        if not source[1] or source[1] not in POWERFUL:
            return
        known = any(self.values.text(one) is not None for one in node.args[-2:])
        if not known:
            self.findings.offend(node, "dynamic-attribute", source[1] + "." + (
                "__dict__" if source[0] == "namespace" else "__getattribute__"))

    def _instance_of(self, node, scope):
        """A class of the module's own that is a Popen."""
        for base in getattr(scope.node, "bases", ()):
            for value in self.values.of(base):
                if value[0] == "ref" and value[1] in STARTERS:
                    self.programs.check(node, value[1], node.args[:1], node.args, node.keywords)

    def _yaml(self, node, name):
        loaders = [one.value for one in node.keywords if one.arg == "Loader"] + node.args[1:2]
        values = [value for one in loaders for value in self.values.of(one)]
        if not values or any(value[0] != "ref" or value[1] not in SAFE_LOADERS
                             for value in values):
            self.findings.offend(node, "unsafe-loader", name)
            for one in loaders:
                self.findings.explain(one)

    def _accessor(self, node, name):
        for one in node.args[:1] if name.endswith("methodcaller") else node.args:
            text = self.values.text(one)
            last = None if text is None else text.rpartition(".")[2]
            if last is None or last in DENIED_ATTRIBUTES or last in BUILTIN_CALLS or \
                    any(rule_of(module + "." + last) for module in ("os", "subprocess")):
                self.findings.offend(node, "accessor", name)

    def _unknown_call(self, node, scope):
        callee = node.func
        if isinstance(callee, ast.Attribute):
            if callee.attr in COMMAND_METHODS:
                self.programs.check_text(node, written(callee))
            if callee.attr == "subprocess_exec":  # of an event loop; its protocol comes first
                self.programs.check_words(node, written(callee), node.args[1:])
            self.paths.check_method(node, callee.attr, written(callee))
            if callee.attr in ("format", "format_map"):
                for text, _ in self.values.strings(callee.value):
                    if any("." + name in text for name in DENIED_ATTRIBUTES if name[0] == "_"):
                        self.findings.offend(node, "object-graph",
                                             written(callee) or "str.format")

    def _is_popen(self, scope):
        while scope is not None:
            if scope.kind == "class":
                return any(value[0] == "ref" and value[1] in STARTERS
                           for base in scope.node.bases for value in self.values.of(base))
            scope = scope.parent
        return False

    def _arguments(self, node, scope, values, known):
        """What is handed over: a starter with a shell, a powerful module, getattr itself."""
        local = any(value[0] in ("func", "class") for value in values)
        harmless = any(value[0] == "builtin" and value[1] in HARMLESS_TAKERS for value in values)
        for one in node.args + [keyword.value for keyword in node.keywords]:
            one = one.value if isinstance(one, ast.Starred) else one
            if self.findings.explained(one) or not isinstance(
                    one, (ast.Name, ast.Attribute, ast.NamedExpr, ast.Call)):
                continue
            for value in self.values.of(one, scope):
                if value[0] == "ref" and value[1] in STARTERS and \
                        not isinstance(one, ast.Call):
                    self.programs.check_handed(node, one, value[1])
                elif value[0] == "ref" and value[1] in POWERFUL and not local and not harmless \
                        and not (known and self._is_patch(values)):
                    self.findings.add(one, "module-value", value[1])
                elif value == ("builtin", "getattr") and not isinstance(one, ast.Call):
                    self.findings.add(one, "accessor", "getattr")

    @staticmethod
    def _is_patch(values):
        return any(value[0] == "ref" and value[1].startswith("functools.partial")
                   for value in values)

    # -- names, attributes, subscripts, imports -----------------------------------------

    def _mention(self, node, scope, parent):
        """A name or attribute that is not called: may it be something refused?"""
        if self.findings.explained(node) or isinstance(parent, ast.Attribute):
            return
        if isinstance(parent, ast.Call) and parent.func is node:
            return
        for value in self.values.of(node, scope):
            refused = self._refused(value)
            if refused is not None:
                rule, name = refused
                renamed = self._only_renames(node, parent, scope)
                if name in MODULES and name not in CALLS:
                    # The module itself under some name: its import is the mention.
                    continue
                if isinstance(node, ast.Name) and value[0] == "ref" and renamed:
                    continue
                self.findings.mention(node, rule, name, name, renamed)
                return
            if value == ("ref", "builtins") and isinstance(node, ast.Name) \
                    and node.id == "__builtins__":
                self.findings.add(node, "builtins-access", "__builtins__")
                return
            if value[0] == "builtin" and value[1] in ("__loader__", "__spec__"):
                self.findings.add(node, "object-graph", value[1])
                return

    def _only_renames(self, node, parent, scope):
        """Whether this place just gives the thing another name that the scan follows."""
        while isinstance(parent, (ast.Tuple, ast.List, ast.Dict, ast.IfExp, ast.BoolOp)):
            parent = self.parents.get(id(parent))
        if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.arguments)):
            return True
        if isinstance(parent, ast.Call):
            return any(value[0] in ("func", "class") or value == ("ref", "functools.partial")
                       for value in self.values.of(parent.func))
        return isinstance(parent, ast.Return)

    def _attribute(self, node, scope, parent):
        base = self.values.of(node.value, scope)
        if node.attr in DENIED_ATTRIBUTES and not self.findings.explained(node):
            self.findings.add(node, "object-graph", self._graph_text(node, parent))
            self.findings.explain_chain(node.value)
            return
        if isinstance(node.ctx, ast.Load):
            if not self.findings.explained(node):
                if node.attr == "__self__" and any(one[0] in ("ref", "builtin") for one in base):
                    self.findings.add(node, "object-graph", "__self__")
                    return
                if node.attr == "__dict__":
                    self._namespace(node, parent)
                    return
                if any(one == ("ref", "sys.modules") for one in self.values.of(node, scope)):
                    if not isinstance(parent, (ast.Compare, ast.Attribute)) and not (
                            isinstance(parent, ast.Subscript) and self.findings.explained(parent)):
                        self.findings.add(node, "module-table", "sys.modules")
                    return
            self._mention(node, scope, parent)
            return
        for value in base:
            if value == ("ref", "builtins"):
                self.findings.add(node, "module-patch", "builtins." + node.attr)
            elif value[0] == "ref" and value[1] in self.standard and not (
                    value[1] in ("sys", "threading") and node.attr in PATCHABLE):
                self.findings.add(node, "module-patch", value[1] + "." + node.attr)

    @staticmethod
    def _graph_text(node, parent):
        called = isinstance(parent, ast.Call) and parent.func is node
        return node.attr + ("(" if called else "")

    def _namespace(self, node, parent):
        """os.__dict__ or vars(os), unless one member of it is all that is looked up."""
        for value in self.values.of(node):
            if value[0] != "namespace" or value[1] not in POWERFUL or self.findings.explained(node):
                continue
            up = self.parents.get(id(node))
            if isinstance(up, ast.Subscript) and self.values.text(up.slice) is not None and \
                    isinstance(up.ctx, ast.Load):
                continue
            if isinstance(up, ast.Attribute) and up.attr in ("get", "__getitem__"):
                continue
            self.findings.add(node, "module-namespace", value[1] + ".__dict__")

    def _subscript(self, node, scope, parent):
        if self.findings.explained(node):
            return
        for value in self.values.of(node.value, scope):
            if value[0] == "namespace" and value[1] and not isinstance(node.ctx, ast.Load):
                self.findings.add(node, "module-patch", value[1] + ".__dict__")
                return
            if value == ("namespace", "") and isinstance(node.ctx, ast.Load) and \
                    self.values.text(node.slice) == "__builtins__":
                self.findings.add(node, "builtins-access", "__builtins__")
                return
        if isinstance(parent, ast.Call) and parent.func is node:
            return
        for value in self.values.of(node, scope):
            refused = self._refused(value)
            if refused is not None and refused[1] not in MODULES and \
                    refused[0] != "dynamic-attribute":
                if any(one[0] == "namespace" for one in self.values.of(node.value)):
                    renamed = self._only_renames(node, parent, scope)
                    self.findings.mention(node, *refused, refused[1], renamed)
                    return

    def _import(self, node, _scope, _parent):
        for alias in node.names:
            if isinstance(node, ast.Import):
                dotted = alias.name
            elif node.level or not node.module:
                continue
            elif alias.name == "*":
                dotted = node.module
                self.findings.add(node, "star-import", f"from {dotted} import *")
            else:
                dotted = node.module + "." + alias.name
            # The canonical name decides (from subprocess import os), the written one speaks.
            for value in self.values._imported(dotted):
                rule, name = None, dotted
                if value[0] == "builtin" and value[1] in BUILTIN_CALLS:
                    rule, name = BUILTIN_CALLS[value[1]], value[1]
                elif value[0] == "ref":
                    rule = rule_of(value[1]) or rule_of(dotted)
                    name = value[1]
                if rule is None:
                    continue
                whole = name
                while whole and whole not in MODULES:
                    whole = whole.rpartition(".")[0]
                text = f"import {whole}" if whole else name
                canonical = whole.partition(".")[0] + ".*" if whole else name
                self.findings.mention(node, rule, text, canonical, True)
                break


LOOK = {
    ast.Name: Scan._read, ast.Attribute: Scan._attribute, ast.Subscript: Scan._subscript,
    ast.Import: Scan._import, ast.ImportFrom: Scan._import, ast.MatchClass: Scan._match_class,
    ast.BinOp: Scan._division,
}
