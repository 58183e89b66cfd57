"""scan - layer 2: what a module does that a handler must not.

Advice and no wall: a call is an offence when the callee may be, by any binding the source
shows, something that the rules refuse. Each offending call is one finding, at the call.
A mere mention of such a thing, which gives it another name, is reported only when no call
of it was.
"""

import _ast as ast

import commandline
import paths
from report import Finding
from rules import BUILTIN_CALLS, CALLS, DENIED_ATTRIBUTES, MODULES, POWERFUL, RULES, rule_of
from scopes import children
from values import Values

SUBPROCESS = frozenset("subprocess." + name for name in (
    "run", "call", "check_call", "check_output", "Popen"))
SHELL_POSITION = 8  # of Popen(args, bufsize, executable, ..., shell)
ASYNC_EXEC = ("asyncio.create_subprocess_exec", "asyncio.subprocess.create_subprocess_exec")
# Methods of unknown objects that take a text for a shell, when the text shows it is one.
COMMAND_METHODS = frozenset(("system", "popen", "exec_command", "sudo", "run_command", "run_shell",
                             "shell", "check_output", "getoutput", "run", "Popen", "spawn",
                             "sendline", "check_call", "call", "execute_command"))
PATH_CALLERS = ("os", "io", "shutil", "pathlib", "glob", "codecs", "sqlite3", "gzip", "bz2",
                "lzma", "tarfile", "zipfile", "fileinput", "linecache", "configparser", "mmap",
                "aiofiles", "numpy", "tempfile", "asyncio", "socket")
PATH_METHODS = frozenset(("read_text", "read_bytes", "write_text", "write_bytes", "open", "read",
                          "load", "save", "connect", "joinpath", "loadtxt", "capture", "imwrite",
                          "start_recording", "FileHandler", "download_file"))
DESCRIPTOR_CALLS = frozenset("os." + name for name in (
    "write", "read", "close", "dup", "dup2", "fdopen", "open", "writev", "readv", "sendfile",
    "pread", "pwrite", "fchmod", "ftruncate", "set_inheritable", "set_blocking"))
HARMLESS_TAKERS = frozenset(("hasattr", "isinstance", "print", "str", "len", "type", "getattr",
                             "setattr", "delattr", "vars", "repr", "id", "dir"))
PATCHABLE = frozenset(("stdout", "stderr", "stdin", "excepthook", "tracebacklimit",
                       "dont_write_bytecode", "unraisablehook", "displayhook"))
SAFE_LOADERS = frozenset(("yaml.SafeLoader", "yaml.CSafeLoader", "yaml.BaseLoader",
                          "yaml.loader.SafeLoader"))
ACCESSORS = frozenset(("operator.attrgetter", "operator.methodcaller"))
PREFIX = "Dangerous pattern detected: "


class Scan:
    def __init__(self, source, program, standard_modules):
        self.source = source
        self.program = program
        self.values = Values(program)
        self.standard = standard_modules
        self.found = {}  # place of a call -> Finding, one a call
        self.mentions = []  # (canonical name, Finding, whether it only makes another name)
        self.called = set()  # canonical names of offending calls
        self.changed = None  # names of dicts, once somebody asks
        self.explained = set()  # nodes that a finding already speaks of
        self.parents = {id(node): parent for node, _, parent in program.nodes}

    def run(self):
        for node, scope, parent in self.program.nodes:
            if isinstance(node, ast.Call):
                self._call(node, scope)
        for node, scope, parent in self.program.nodes:
            if isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load):
                    self._mention(node, scope, parent)
            elif isinstance(node, ast.Attribute):
                self._attribute(node, scope, parent)
            elif isinstance(node, ast.Subscript):
                self._subscript(node, scope, parent)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node)
            elif isinstance(node, ast.MatchClass):
                for name in node.kwd_attrs:
                    if name in DENIED_ATTRIBUTES:
                        self._add(node, "object-graph", name)
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                if not isinstance(parent, ast.BinOp):
                    self._check_path(node, node)
        return self._findings()

    def _findings(self):
        findings = list(self.found.values())
        modules = {name.partition(".")[0] for name in self.called}
        for canonical, finding, renames in self.mentions:
            if renames and (canonical in self.called or canonical.endswith(".*")
                            and canonical[:-2] in modules):
                continue
            findings.append(finding)
        return findings

    # -- reporting --------------------------------------------------------------------

    def _make(self, node, rule, text):
        place = self.source.place(node)
        return Finding(RULES[rule], PREFIX + text, place, self.source.fragment(place))

    def _add(self, node, rule, text):
        """One finding a node; the first and the graver one stays."""
        self.found.setdefault(id(node), self._make(node, rule, text))

    def _offend(self, node, rule, canonical):
        self._add(node, rule, canonical + "(")
        self.called.add(canonical)
        self._explain(node.func)

    def _explain(self, inner):
        """A chain of attributes, subscripts and calls that a finding speaks of as a whole."""
        while True:
            self.explained.add(id(inner))
            if isinstance(inner, (ast.IfExp, ast.BoolOp, ast.List, ast.Tuple, ast.Dict)):
                self.explained.update(id(one) for one in children(inner))
                break
            if isinstance(inner, ast.Attribute):
                inner = inner.value
            elif isinstance(inner, ast.Subscript):
                inner = inner.value
            elif isinstance(inner, ast.Call):
                # What looked it up is part of the same offence, unless it is one itself.
                for one in inner.args[:2]:
                    self.explained.add(id(one))
                inner = inner.func
            else:
                break

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
            self._offend(node, rule, name)
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
            self._subprocess(node, "subprocess.Popen", node.args[:1], node.args, node.keywords)
        self._arguments(node, scope, values, known)
        if not known:
            self._unknown_call(node, scope)

    def _name(self, node):
        """A callee as it is written, for one that has no canonical name."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            parts.append(node.id)
        return ".".join(reversed(parts))

    def _call_of(self, node, name):
        top = name.partition(".")[0]
        if name in SUBPROCESS:
            self._subprocess(node, name, node.args[:1], node.args, node.keywords)
        elif name in ASYNC_EXEC:
            self._command(node, name, node.args)
        elif name == "functools.partial" and node.args:
            for value in self.values.of(node.args[0]):
                if value[0] == "ref" and value[1] in SUBPROCESS:
                    self._subprocess(node, value[1], node.args[1:2], node.args[1:], node.keywords)
                    self.explained.add(id(node.args[0]))
        elif name in ("yaml.load", "yaml.load_all"):
            self._yaml(node, name)
        elif name in ("numpy.load",):
            if any(one.arg == "allow_pickle" and not self._is_false(one.value)
                   for one in node.keywords):
                self._offend(node, "unsafe-loader", name)
        elif name == "shutil.rmtree":
            self._rmtree(node, name)
        elif name in ACCESSORS:
            self._accessor(node, name)
        elif name in ("sys.path.insert", "sys.path.append", "sys.path.extend",
                      "site.addsitedir"):
            self._add(node, "search-path", name + "(")
        elif name.startswith("sys.modules."):
            self._offend(node, "module-table", name)
        elif name in ("pexpect.spawn", "pexpect.run"):
            self._command_text(node, name)
        if name in DESCRIPTOR_CALLS and node.args and self.values.number(node.args[0]) in (3, 4):
            self._offend(node, "host-channel", name)
        if name == "socket.socket" and any(
                one.arg == "fileno" and self.values.number(one.value) in (3, 4)
                for one in node.keywords):
            self._offend(node, "host-channel", name)
        if top in PATH_CALLERS or name == "logging.FileHandler" or \
                name.startswith("logging.handlers."):
            self._path_arguments(node, name)

    def _call_of_builtin(self, node, name):
        if name == "open":
            self._path_arguments(node, name)
            if node.args and self.values.number(node.args[0]) in (3, 4):
                self._offend(node, "host-channel", name)
        elif name == "getattr" and len(node.args) >= 2:
            self._getattr(node)
        elif name in ("setattr", "delattr") and node.args:
            for value in self.values.of(node.args[0]):
                if value[0] == "ref" and self._is_module(value[1]):
                    self._offend(node, "module-patch", name)
                elif value[0] == "namespace":
                    self._offend(node, "module-patch", name)
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
                self._offend(node, "object-graph", "getattr")
            return
        for value in self.values.of(node.args[0]):
            if value[0] == "ref" and value[1] in POWERFUL:
                self._offend(node, "dynamic-attribute", "getattr")

    def _lookup(self, node, source):
        """os.__dict__.get(x), os.__getattribute__(x): by a name that is not known."""
        if not source[1] or source[1] not in POWERFUL:
            return
        known = any(self.values.text(one) is not None for one in node.args[-2:])
        if not known:
            self._offend(node, "dynamic-attribute", source[1] + "." + (
                "__dict__" if source[0] == "namespace" else "__getattribute__"))

    def _instance_of(self, node, scope):
        """A class of the module's own that is a Popen."""
        for base in getattr(scope.node, "bases", ()):
            for value in self.values.of(base):
                if value[0] == "ref" and value[1] in SUBPROCESS:
                    self._subprocess(node, value[1], node.args[:1], node.args, node.keywords)

    def _subprocess(self, node, name, command, arguments, keywords):
        shell, unknown = None, False
        for position, one in enumerate(arguments):
            if isinstance(one, ast.Starred):
                nodes = self.values.elements(one.value)
                unknown = unknown or nodes is None or len(nodes) + position > SHELL_POSITION
            elif position == SHELL_POSITION:
                shell = one
        executable = None
        for keyword in keywords:
            if keyword.arg == "shell":
                shell = keyword.value
            elif keyword.arg == "args":
                command = [keyword.value]
            elif keyword.arg == "executable":
                executable = keyword.value
            elif keyword.arg is None:
                inner, sure = self._spread(keyword.value, "shell")
                shell = shell or inner
                unknown = unknown or not sure
        if shell is not None and not self._is_false(shell):
            self._offend(node, "shell-argument", name)
        elif unknown:
            self._offend(node, "unknown-arguments", name)
        if executable is not None:
            text = self.values.text(executable)
            rule = commandline.offence([text]) if text else None
            if rule is not None:
                self._offend(node, rule, name)
        if command and not isinstance(command[0], ast.Starred):
            self._program(node, name, command[0])

    def _spread(self, node, wanted):
        """(what `**node` gives for a name or None, whether that is sure)."""
        values = self.values.of(node)
        found, sure = None, bool(values)
        for value in values:
            if value[0] != "dict":
                sure = False
                continue
            for key, one in zip(value[1], value[2]):
                text = self.values.text(key) if key is not None else None
                if text is None:
                    sure = False
                elif text == wanted:
                    found = one
        if isinstance(node, ast.Name):
            # A dict that is changed after it was made may have got another member.
            if self.changed is None:
                self.changed = self._changed_names()
            sure = sure and node.id not in self.changed
        return found, sure

    def _changed_names(self):
        """Names of dicts that get members they did not begin with."""
        found = set()
        for node, _, _ in self.program.nodes:
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and \
                        self.values.text(node.slice) in (None, "shell"):
                    found.add(node.value.id)
            elif isinstance(node, ast.Attribute) and node.attr in ("update", "setdefault"):
                if isinstance(node.value, ast.Name):
                    found.add(node.value.id)
        return found

    def _is_false(self, node):
        values = self.values.of(node)
        return bool(values) and all(value in (("const", False), ("const", None), ("int", 0))
                                    for value in values) and \
            isinstance(node, (ast.Constant, ast.Name))

    def _program(self, node, name, command):
        """The words of a command, where the source shows them."""
        for value in self.values.of(command):
            if value[0] == "seq":
                self._command(node, name, value[1])
            elif value[0] == "str":
                rule = commandline.text_offence(value[1])
                if rule is not None:
                    self._offend(node, rule, name)

    def _command(self, node, name, nodes):
        words = []
        for one in nodes[:commandline.WORDS_MAX]:
            if isinstance(one, ast.Starred):
                inner = self.values.elements(one.value) if hasattr(one, "value") else None
                words += [self._word(each) for each in inner[:commandline.WORDS_MAX]] \
                    if inner is not None else [None]
            else:
                words.append(self._word(one))
                self._check_path(one, node, name)
        rule = commandline.offence(words)
        if rule is not None:
            self._offend(node, rule, name)

    def _word(self, node):
        for value in self.values.of(node):
            if value == ("ref", "sys.executable"):
                return "python3"
        texts = self.values.strings(node)
        return texts[0][0] if texts and (texts[0][1] or "=" in texts[0][0]) else None

    def _command_text(self, node, name):
        for one in node.args[:1]:
            for text, _ in self.values.strings(one):
                rule = commandline.text_offence(text)
                if rule is not None:
                    self._offend(node, rule, name)

    def _yaml(self, node, name):
        loaders = [one.value for one in node.keywords if one.arg == "Loader"] + node.args[1:2]
        values = [value for one in loaders for value in self.values.of(one)]
        if not values or any(value[0] != "ref" or value[1] not in SAFE_LOADERS
                             for value in values):
            self._offend(node, "unsafe-loader", name)
            for one in loaders:
                self.explained.add(id(one))

    def _rmtree(self, node, name):
        targets = node.args[:1] + [one.value for one in node.keywords if one.arg == "path"]
        for one in targets:
            for text, whole in self.values.strings(one):
                if paths.is_system_tree(text, whole):
                    self._offend(node, "system-tree", name)

    def _accessor(self, node, name):
        for one in node.args[:1] if name.endswith("methodcaller") else node.args:
            text = self.values.text(one)
            last = None if text is None else text.rpartition(".")[2]
            if last is None or last in DENIED_ATTRIBUTES or last in BUILTIN_CALLS or \
                    any(rule_of(module + "." + last) for module in ("os", "subprocess")):
                self._offend(node, "accessor", name)

    def _unknown_call(self, node, scope):
        callee = node.func
        if isinstance(callee, ast.Attribute):
            if callee.attr in COMMAND_METHODS:
                self._command_text(node, self._name(callee))
            if callee.attr in PATH_METHODS:
                self._path_arguments(node, self._name(callee))
            if callee.attr in ("format", "format_map"):
                for text, _ in self.values.strings(callee.value):
                    if any("." + name in text for name in DENIED_ATTRIBUTES if name[0] == "_"):
                        self._offend(node, "object-graph", self._name(callee) or "str.format")

    def _is_popen(self, scope):
        while scope is not None:
            if scope.kind == "class":
                return any(value[0] == "ref" and value[1] in SUBPROCESS
                           for base in scope.node.bases for value in self.values.of(base))
            scope = scope.parent
        return False

    def _arguments(self, node, scope, values, known):
        """What is handed over: a starter with a shell, a powerful module, getattr itself."""
        local = any(value[0] in ("func", "class") for value in values)
        harmless = any(value[0] == "builtin" and value[1] in HARMLESS_TAKERS for value in values)
        for one in node.args + [keyword.value for keyword in node.keywords]:
            one = one.value if isinstance(one, ast.Starred) else one
            if id(one) in self.explained or not isinstance(
                    one, (ast.Name, ast.Attribute, ast.NamedExpr, ast.Call)):
                continue
            for value in self.values.of(one, scope):
                if value[0] == "ref" and value[1] in SUBPROCESS and \
                        not isinstance(one, ast.Call):
                    self._handed_starter(node, one, value[1])
                elif value[0] == "ref" and value[1] in POWERFUL and not local and not harmless \
                        and not (known and self._is_patch(values)):
                    self._add(one, "module-value", value[1])
                elif value == ("builtin", "getattr") and not isinstance(one, ast.Call):
                    self._add(one, "accessor", "getattr")

    @staticmethod
    def _is_patch(values):
        return any(value[0] == "ref" and value[1].startswith("functools.partial")
                   for value in values)

    def _handed_starter(self, node, one, name):
        """Thread(target=subprocess.run, kwargs={...}), to_thread(subprocess.run, ..., shell=True)."""
        rest = node.args[node.args.index(one) + 1:] if one in node.args else []
        keywords = [keyword for keyword in node.keywords
                    if keyword.arg not in ("target", "name", "daemon", "args", "kwargs")]
        for keyword in node.keywords:
            if keyword.arg == "kwargs":
                keywords.append(ast.keyword(None, keyword.value))
            elif keyword.arg == "args":
                rest = list(self.values.elements(keyword.value) or ())
        if keywords or rest:
            self._subprocess(node, name, rest[:1], rest, [
                keyword for keyword in keywords if keyword.arg in (None, "shell", "executable")])

    # -- paths ------------------------------------------------------------------------

    def _path_arguments(self, node, name):
        for one in node.args + [keyword.value for keyword in node.keywords]:
            self._check_path(one, node, name)

    def _check_path(self, expression, node, name=None):
        for text, whole in self.values.strings(expression):
            rule = paths.offence(text, whole)
            if rule is None and not whole and text.startswith("/proc/") and \
                    self._ends_in_mem(expression):
                rule = "memory-path"
            if rule is not None:
                if name is None:
                    self._add(node, rule, text)
                else:
                    self._offend(node, rule, name)
                return

    @staticmethod
    def _ends_in_mem(expression):
        stack = [expression]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Constant):
                if isinstance(node.value, str) and node.value.endswith("/mem"):
                    return True
            elif isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Call, ast.Attribute)):
                stack += [one for one in (getattr(node, "left", None),
                                          getattr(node, "right", None),
                                          getattr(node, "func", None),
                                          getattr(node, "value", None)) if one is not None]
                stack += getattr(node, "values", [])
        return False

    # -- names, attributes, subscripts, imports -----------------------------------------

    def _mention(self, node, scope, parent):
        """A name or attribute that is not called: may it be something refused?"""
        if id(node) in self.explained or isinstance(parent, ast.Attribute):
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
                self.mentions.append((name, self._make(node, rule, name), renamed))
                return
            if value == ("ref", "builtins") and isinstance(node, ast.Name) \
                    and node.id == "__builtins__":
                self._add(node, "builtins-access", "__builtins__")
                return
            if value[0] == "builtin" and value[1] in ("__loader__", "__spec__"):
                self._add(node, "object-graph", value[1])
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
        if node.attr in DENIED_ATTRIBUTES and id(node) not in self.explained:
            self._add(node, "object-graph", self._graph_text(node, parent))
            self._explain(node.value)
            return
        if isinstance(node.ctx, ast.Load):
            if id(node) not in self.explained:
                if node.attr == "__self__" and any(one[0] in ("ref", "builtin") for one in base):
                    self._add(node, "object-graph", "__self__")
                    return
                if node.attr == "__dict__":
                    self._namespace(node, parent)
                    return
                if any(one == ("ref", "sys.modules") for one in self.values.of(node, scope)):
                    if not isinstance(parent, (ast.Compare, ast.Attribute)) and not (
                            isinstance(parent, ast.Subscript) and id(parent) in self.explained):
                        self._add(node, "module-table", "sys.modules")
                    return
            self._mention(node, scope, parent)
            return
        for value in base:
            if value == ("ref", "builtins"):
                self._add(node, "module-patch", "builtins." + node.attr)
            elif value[0] == "ref" and value[1] in self.standard and not (
                    value[1] in ("sys", "threading") and node.attr in PATCHABLE):
                self._add(node, "module-patch", value[1] + "." + node.attr)

    @staticmethod
    def _graph_text(node, parent):
        called = isinstance(parent, ast.Call) and parent.func is node
        return node.attr + ("(" if called else "")

    def _namespace(self, node, parent):
        """os.__dict__ or vars(os), unless one member of it is all that is looked up."""
        for value in self.values.of(node):
            if value[0] != "namespace" or value[1] not in POWERFUL or id(node) in self.explained:
                continue
            up = self.parents.get(id(node))
            if isinstance(up, ast.Subscript) and self.values.text(up.slice) is not None and \
                    isinstance(up.ctx, ast.Load):
                continue
            if isinstance(up, ast.Attribute) and up.attr in ("get", "__getitem__"):
                continue
            self._add(node, "module-namespace", value[1] + ".__dict__")

    def _subscript(self, node, scope, parent):
        if id(node) in self.explained:
            return
        for value in self.values.of(node.value, scope):
            if value[0] == "namespace" and value[1] and not isinstance(node.ctx, ast.Load):
                self._add(node, "module-patch", value[1] + ".__dict__")
                return
            if value == ("namespace", "") and isinstance(node.ctx, ast.Load) and \
                    self.values.text(node.slice) == "__builtins__":
                self._add(node, "builtins-access", "__builtins__")
                return
        if isinstance(parent, ast.Call) and parent.func is node:
            return
        for value in self.values.of(node, scope):
            refused = self._refused(value)
            if refused is not None and refused[1] not in MODULES and \
                    refused[0] != "dynamic-attribute":
                if any(one[0] == "namespace" for one in self.values.of(node.value)):
                    renamed = self._only_renames(node, parent, scope)
                    self.mentions.append((refused[1], self._make(node, *refused), renamed))
                    return

    def _import(self, node):
        for alias in node.names:
            if isinstance(node, ast.Import):
                dotted = alias.name
            elif node.level or not node.module:
                continue
            elif alias.name == "*":
                dotted = node.module
                self._add(node, "star-import", f"from {dotted} import *")
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
                self.mentions.append((canonical, self._make(node, rule, text), True))
                break
