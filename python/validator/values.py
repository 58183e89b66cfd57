"""values - what an expression may be, as far as the source alone tells.

Flow is ignored: a name is everything it is ever bound to. A value is a tuple:

    ("ref", "os.system")        a module or a member of one, by its dotted name
    ("builtin", "eval")         a built-in name
    ("str", "/etc/", False)     a string; False: only its beginning is known
    ("bytes", b"ls") ("int", 7) ("const", True)
    ("seq", nodes)              a list, tuple or set of expressions
    ("dict", keys, values)      a dict of expressions
    ("items", keys, values), ("item", keys, values)
    ("namespace", "os")         the dict of a module; "" is that of this one
    ("getter", value)           a method that looks up in a namespace, or __getattribute__
    ("func", scope), ("class", scope), ("object", scope)

Nothing known is an empty tuple of values. Each expression is evaluated once, to a bounded
depth and number of values.
"""

import _ast as ast

import folding
from folding import TEXT_MAX, VALUES_MAX
from names import BUILTINS, REEXPORTED, SUBMODULES, same_callable

DEPTH_MAX = 150


class Values:
    def __init__(self, program):
        self.program = program
        self._known = {}
        self._known_names = {}
        self._sure_names = {}
        self._depth = 0
        self._scope_of = {id(node): scope for node, scope, _ in program.nodes}

    def of(self, node, scope=None):
        """The possible values of an expression."""
        if type(node) is ast.Constant:
            return self._constant(node)  # some are made here and do not live as long as _known
        known = self._known.get(id(node))
        if known is not None:
            return known
        evaluate = EVALUATE.get(type(node))
        if evaluate is None or self._depth >= DEPTH_MAX:
            return ()
        self._known[id(node)] = ()
        self._depth += 1
        found = evaluate(self, node, scope or self._scope_of.get(id(node), self.program.module))
        self._depth -= 1
        self._known[id(node)] = found = _unique(found)
        return found

    def strings(self, node):
        """[(text, whole)] of an expression; bytes count as text, as they do for paths."""
        found = []
        for value in self.of(node):
            if value[0] == "str":
                found.append(value[1:])
            elif value[0] == "bytes":
                found.append((value[1].decode("utf-8", "replace"), True))
        return found

    def text(self, node):
        """The one string that an expression is, or None."""
        texts = self.strings(node)
        return texts[0][0] if len(texts) == 1 and texts[0][1] else None

    def number(self, node):
        values = self.of(node)
        return values[0][1] if len(values) == 1 and values[0][0] == "int" else None

    def is_false(self, node):
        """Whether it is written as False, None or 0, or is a name that is nothing else."""
        values = self.of(node)
        return bool(values) and all(value in (("const", False), ("const", None), ("int", 0))
                                    for value in values) and \
            (isinstance(node, ast.Constant) or isinstance(node, ast.Name) and self.is_sure(node))

    def is_sure(self, name):
        """Whether something is known of all that a name is bound to; of a parameter, of what it
        is given by calls that name the function."""
        scope = self._scope_of.get(id(name), self.program.module)
        bindings, found_in = self.program.bindings(name.id, scope)
        key = id(found_in), name.id
        if key not in self._sure_names:
            self._sure_names[key] = all(self._bound(one) for one in bindings
                                        if one.kind != "parameter")
        return self._sure_names[key]

    def elements(self, node):
        """The expressions a list or tuple is made of, or None."""
        for value in self.of(node):
            if value[0] == "seq":
                return value[1]
        return None

    def member(self, value, name):
        """The values of `value.name`."""
        kind = value[0]
        if kind == "ref":
            return self._module_member(value[1], name)
        if kind == "builtin":
            if name == "__self__":
                return (("ref", "builtins"),)
            return (value,) if same_callable(name) else ()
        if kind == "namespace" and name in ("get", "pop", "__getitem__", "setdefault"):
            return (("getter", ("namespace", value[1])),)
        if kind == "getter" and same_callable(name):
            return (value,)
        return ()

    def _module_member(self, dotted, name):
        if dotted == "builtins":
            return (("builtin", name),) if name not in ("__dict__",) else (("namespace", dotted),)
        if same_callable(name):
            return (("ref", dotted),)
        if name == "__dict__":
            return (("namespace", dotted),)
        if name == "__getattribute__":
            return (("getter", ("ref", dotted)),)
        whole = dotted + "." + name
        if whole in SUBMODULES:
            return (("ref", whole),)
        return (("ref", REEXPORTED.get(name, whole)),)

    # -- names ------------------------------------------------------------------------

    def _name(self, node, scope):
        return self.named(node.id, scope, node.lineno)

    def named(self, name, scope, line):
        bindings, found_in = self.program.bindings(name, scope)
        found = ()
        if found_in is not None:
            key = id(found_in), name
            found = self._known_names.get(key)
            if found is None:
                self._known_names[key] = ()
                found = _unique(value for one in bindings for value in self._bound(one))
                self._known_names[key] = found
            if name not in BUILTINS or self.program.hides_builtin(name, scope, found_in, line):
                return found
        elif name not in BUILTINS:
            # Perhaps one of a module of which everything was imported.
            return tuple(("ref", module + "." + name) for module in self.program.stars)
        if name == "__builtins__":
            return found + (("ref", "builtins"),)
        return found + (("builtin", name),)

    def _bound(self, binding):
        if binding.kind == "ref":
            return self._imported(binding.what)
        if binding.kind in ("func", "class"):
            return ((binding.kind, binding.what),)
        if binding.kind in ("opaque", "parameter"):
            return ()
        values = self.of(binding.what, binding.scope)
        for step in binding.path:
            values = [inner for value in values for inner in self._element(value, step)]
        return values

    def _imported(self, dotted):
        """`from os import path` and `import os.path as p`, by the same canonical names."""
        parts = dotted.split(".")
        values = (("ref", REEXPORTED.get(parts[0], parts[0])),)
        for part in parts[1:]:
            values = [inner for value in values for inner in self.member(value, part)]
        return values

    def _element(self, value, step):
        """An element of a sequence: of an index, or "*" for any."""
        kind = value[0]
        if kind == "seq":
            nodes = value[1]
            if step != "*":
                starred = any(isinstance(one, ast.Starred) for one in nodes)
                if not starred:
                    nodes = nodes[step:step + 1] if step != -1 else nodes[-1:]
        elif kind == "dict" and step == "*":
            nodes = value[1]
        elif kind == "items" and step == "*":
            return (("item",) + value[1:],)
        elif kind == "item" and step in (0, 1):
            nodes = value[1 + step]
        else:
            return ()
        return [inner for one in nodes[:TEXT_MAX] if one is not None for inner in self.of(one)]

    # -- expressions ------------------------------------------------------------------

    @staticmethod
    def _constant(node):
        value = node.value
        if isinstance(value, str):
            return (("str", value, True),)
        if isinstance(value, bytes):
            return (("bytes", value),)
        if isinstance(value, int) and not isinstance(value, bool):
            return (("int", value),)
        return (("const", value),)

    def _attribute(self, node, scope):
        found, known = [], False
        for value in self.of(node.value, scope):
            if value[0] in ("ref", "builtin", "namespace", "getter"):
                known = True
                found += self.member(value, node.attr)
        if not known:
            # Some object's attribute: whatever any object's attribute of that name was given.
            for binding in self.program.attributes.get(node.attr, ())[:VALUES_MAX]:
                found += [one for one in self._bound(binding)]
        return found

    def _walrus(self, node, scope):
        return self.of(node.value, scope)

    def _either(self, node, scope):
        return self.of(node.body, scope) + self.of(node.orelse, scope)

    def _any_of(self, node, scope):
        return [value for one in node.values for value in self.of(one, scope)]

    def _sequence(self, node, _):
        return (("seq", tuple(node.elts)),)

    def _mapping(self, node, _):
        return (("dict", tuple(node.keys), tuple(node.values)),)

    def _subscript(self, node, scope):
        found = []
        for value in self.of(node.value, scope):
            if value[0] == "namespace":
                found += self.looked_up(value, node.slice, scope)
            elif value[0] in ("str", "bytes"):
                found += folding.sliced(self, value, node.slice)
            elif value[0] == "seq":
                at = self.number(node.slice)
                found += self._element(value, "*" if at is None or at < -1 else at)
            elif value[0] == "dict":
                wanted = self.text(node.slice)
                for key, one in zip(value[1], value[2]):
                    if key is None or wanted is None or self.text(key) in (wanted, None):
                        found += self.of(one)
            elif value == ("ref", "builtins"):
                name = self.text(node.slice)  # in an imported module __builtins__ is the dict
                found += self.member(value, name) if name is not None else []
            elif value == ("ref", "sys.modules"):
                name = self.text(node.slice)
                found += [("ref", name)] if name else []
        return found

    def looked_up(self, namespace, key, scope):
        """A name of a module by its text; ("ref", MODULE.?) when the text is not known."""
        name = self.text(key)
        if namespace[1]:
            return (self.member(("ref", namespace[1]), name) if name is not None
                    else (("ref", namespace[1] + ".?"),))
        if name is None:
            return ()
        return self.named(name, self.program.module, 1 << 30)

    def _negative(self, node, scope):
        values = self.of(node.operand, scope)
        if isinstance(node.op, ast.USub) and values and values[0][0] == "int":
            return (("int", -values[0][1]),)
        return ()

    # -- calls ------------------------------------------------------------------------

    def _call(self, node, scope):
        found = []
        for value in self.of(node.func, scope):
            if value[0] == "func":
                found += [one for result in value[1].returns for one in self.of(result, value[1])]
            elif value[0] == "class":
                found.append(("object", value[1]))
            elif value[0] == "getter":
                found += self._got(value[1], node.args, scope)
            elif value[0] in ("builtin", "ref"):
                fold = FOLDED_CALLS.get(value[1])
                if fold is not None:
                    found += fold(self, node, scope)
        if isinstance(node.func, ast.Lambda):
            inner = self.program.function_scope(node.func)
            found += self.of(node.func.body, inner)
        elif isinstance(node.func, ast.Attribute):
            found += self._method(node, scope)
        return found

    def _got(self, source, arguments, scope):
        for one in arguments[-2:]:
            if source[0] == "namespace":
                return self.looked_up(source, arguments[0], scope)
            name = self.text(one)
            if name is not None:
                return self.member(source, name)
        return (("ref", source[1] + ".?"),)

    def _method(self, node, scope):
        name, found = node.func.attr, []
        for value in self.of(node.func.value, scope):
            if value[0] == "str" or value[0] == "bytes":
                found += folding.method(self, value, name, node)
            elif value[0] == "dict" and name in ("get", "pop", "values", "items", "keys"):
                found += self._dict_method(value, name, node)
            elif value == ("ref", "sys.modules") and name in ("get", "pop") and node.args:
                text = self.text(node.args[0])
                found += [("ref", text)] if text else []
            elif value == ("builtin", "object") and name == "__getattribute__":
                found += self._getattr(node, scope)
        return found

    def _dict_method(self, value, name, node):
        if name == "items":
            return (("items",) + value[1:],)
        if name in ("values", "keys"):
            return (("seq", value[2] if name == "values" else value[1]),)
        wanted = self.text(node.args[0]) if node.args else None
        found = [inner for key, one in zip(value[1], value[2])
                 if key is None or wanted is None or self.text(key) in (wanted, None)
                 for inner in self.of(one)]
        return found + [inner for one in node.args[1:2] for inner in self.of(one)]

    def _getattr(self, node, scope):
        if len(node.args) < 2:
            return ()
        name, found = self.text(node.args[1]), []
        for value in self.of(node.args[0], scope):
            if value[0] in ("ref", "builtin", "namespace"):
                if name is not None:
                    found += self.member(value, name)
                elif value[0] == "ref":
                    found.append(("ref", value[1] + ".?"))
        if name is not None and not found:
            for binding in self.program.attributes.get(name, ())[:VALUES_MAX]:
                found += self._bound(binding)
        return found + [value for one in node.args[2:3] for value in self.of(one, scope)]

    def _vars(self, node, scope):
        if not node.args:
            return (("namespace", ""),)
        return [("namespace", value[1]) for value in self.of(node.args[0], scope)
                if value[0] == "ref"]

    def _import(self, node, scope):
        names = [one.value for one in node.keywords if one.arg == "name"] + node.args[:1]
        found = []
        for text, whole in (self.strings(names[0]) if names else ()):
            if whole and text:
                is_top = ("builtin", "__import__") in self.of(node.func, scope) and \
                    len(node.args) < 4 and not any(k.arg == "fromlist" for k in node.keywords)
                found += self._imported(text.partition(".")[0] if is_top else text)
        return found

    def _copied(self, node, _):
        """list(x), tuple(x), iter(x), next(x), set(x), sorted(x): what is in x is in there."""
        return [value for one in node.args[:1] for value in self.of(one)]

    def _next(self, node, scope):
        return [inner for value in self._copied(node, scope)
                for inner in self._element(value, "*")]

    def _first_argument(self, node, _):
        return [value for one in node.args[:1] for value in self.of(one)]

    def _dict(self, node, _):
        if node.args or any(one.arg is None for one in node.keywords):
            return ()
        keys = tuple(ast.Constant(one.arg) for one in node.keywords)
        return (("dict", keys, tuple(one.value for one in node.keywords)),)

def _unique(values):
    found = []
    for value in values:
        if value not in found:
            found.append(value)
            if len(found) == VALUES_MAX:
                break
    return tuple(found)


EVALUATE = {
    ast.Name: Values._name,
    ast.Attribute: Values._attribute,
    ast.NamedExpr: Values._walrus,
    ast.Await: Values._walrus,
    ast.IfExp: Values._either,
    ast.BoolOp: Values._any_of,
    ast.List: Values._sequence,
    ast.Tuple: Values._sequence,
    ast.Set: Values._sequence,
    ast.Dict: Values._mapping,
    ast.Subscript: Values._subscript,
    ast.BinOp: folding.operation,
    ast.UnaryOp: Values._negative,
    ast.JoinedStr: folding.fstring,
    ast.Call: Values._call,
}

FOLDED_CALLS = {
    **folding.CALLS,
    "getattr": Values._getattr,
    "vars": Values._vars,
    "globals": Values._vars,
    "locals": Values._vars,
    "__import__": Values._import,
    "importlib.import_module": Values._import,
    "importlib.__import__": Values._import,
    "importlib.reload": Values._first_argument,
    "list": Values._copied,
    "tuple": Values._copied,
    "set": Values._copied,
    "iter": Values._copied,
    "sorted": Values._copied,
    "next": Values._next,
    "dict": Values._dict,
    "functools.partial": Values._first_argument,
    "functools.wraps": Values._first_argument,
    "staticmethod": Values._first_argument,
    "os.fspath": Values._first_argument,
    "os.path.normpath": Values._first_argument,
    "os.path.abspath": Values._first_argument,
    "os.path.realpath": Values._first_argument,
}
