"""scopes - which names a module binds, where, and to what expression.

One walk without recursion (a tree may be thousands of nodes deep) finds the scopes,
their bindings and the list of all nodes, each with its scope and its parent. Nothing is
evaluated here; a binding keeps the expression for values.py.
"""

import _ast as ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ARGUMENT_SETS_MAX = 64  # calls of one function of which the arguments are followed
NAMESAKES_MAX = 8  # functions of one name that a call is taken to be of
STARS_MAX = 16


class Binding:
    """What a name may be: ("value", expression) and a path into it, or a thing by itself.

    kind: value, ref (a dotted name of a module's member), func, class, opaque, parameter (whatever
    a caller gives it that nobody sees).
    A path holds indexes of tuples and "*" for any element.
    """

    __slots__ = ("kind", "what", "scope", "path")

    def __init__(self, kind, what, scope, path=()):
        self.kind = kind
        self.what = what
        self.scope = scope
        self.path = path


class Scope:
    """kind: module, class, function (lambdas too), comprehension."""

    __slots__ = ("kind", "node", "parent", "names", "outer", "nonlocals", "returns", "statement")

    def __init__(self, kind, node, parent, statement):
        self.kind = kind
        self.node = node
        self.parent = parent
        self.names = {}
        self.outer = set()
        self.nonlocals = set()
        self.returns = []
        self.statement = statement  # index of the module's statement that holds it

    def bind(self, name, binding):
        self.names.setdefault(name, []).append(binding)


class Program:
    """A module's scopes, and every node with its scope and parent, in no special order."""

    def __init__(self, tree):
        self.tree = tree
        self.module = Scope("module", tree, None, None)
        self.nodes = []
        self.attributes = {}  # name -> bindings of that attribute of any object
        self.stars = []  # modules of which all names were imported
        self.deleted = set()
        self._scopes = [self.module]
        self._function_scopes = {}
        self._walk()
        self._settle_outer_names()
        self._bind_arguments()
        self._definite = None
        self._calls = {}

    # -- the walk ---------------------------------------------------------------------

    def _walk(self):
        stack = []
        for index, statement in reversed(list(enumerate(self.tree.body))):
            stack.append((statement, self.module, self.tree, index))
        while stack:
            node, scope, parent, index = stack.pop()
            self.nodes.append((node, scope, parent))
            kind = type(node)
            enter = ENTER.get(kind)
            if enter is not None:
                enter(self, node, scope)
            enter_scope = ENTER_SCOPE.get(kind)
            if enter_scope is not None:
                enter_scope(self, node, scope, index, stack)
            elif FIELDS[kind]:
                for child in children(node):
                    stack.append((child, scope, node, index))

    def _scope(self, kind, node, parent, index):
        scope = Scope(kind, node, parent, index)
        self._scopes.append(scope)
        return scope

    def _enter_function(self, node, scope, index, stack):
        inner = self._scope("function", node, scope, index)
        self._function_scopes[id(node)] = inner
        arguments = node.args
        plain = arguments.posonlyargs + arguments.args
        defaults = list(zip(plain[len(plain) - len(arguments.defaults):], arguments.defaults))
        defaults += [(one, default) for one, default
                     in zip(arguments.kwonlyargs, arguments.kw_defaults) if default is not None]
        for one in plain + arguments.kwonlyargs + [arguments.vararg, arguments.kwarg]:
            if one is not None:
                inner.bind(one.arg, Binding("parameter", None, inner))
        for one, default in defaults:
            inner.bind(one.arg, Binding("value", default, scope))
            stack.append((default, scope, arguments, index))
        for one in plain + arguments.kwonlyargs + [arguments.vararg, arguments.kwarg]:
            if one is not None and one.annotation is not None:
                stack.append((one.annotation, scope, one, index))
        if isinstance(node, ast.Lambda):
            inner.returns.append(node.body)
            stack.append((node.body, inner, node, index))
            return
        function = Binding("func", inner, scope)
        scope.bind(node.name, function)
        if scope.kind == "class":
            self._bind_attribute(node.name, function)
        for child in node.decorator_list + ([node.returns] if node.returns else []):
            stack.append((child, scope, node, index))
        for child in node.body + getattr(node, "type_params", []):
            stack.append((child, inner, node, index))

    def _enter_class(self, node, scope, index, stack):
        inner = self._scope("class", node, scope, index)
        scope.bind(node.name, Binding("class", inner, scope))
        for child in node.decorator_list + node.bases + node.keywords:
            stack.append((child, scope, node, index))
        for child in node.body + getattr(node, "type_params", []):
            stack.append((child, inner, node, index))

    def _enter_comprehension(self, node, scope, index, stack):
        inner = self._scope("comprehension", node, scope, index)
        for position, clause in enumerate(node.generators):
            # The first iterable is evaluated outside of the comprehension.
            where = scope if position == 0 else inner
            stack.append((clause.iter, where, clause, index))
            self._bind_target(clause.target, clause.iter, where, inner, ("*",))
            stack.append((clause.target, inner, clause, index))
            for test in clause.ifs:
                stack.append((test, inner, clause, index))
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for child in parts:
            stack.append((child, inner, node, index))

    # -- bindings ---------------------------------------------------------------------

    def _bind_target(self, target, value, value_scope, scope, path=()):
        """`value` is None where nothing is known of what the target gets."""
        pending = [(target, path)]
        while pending:
            target, path = pending.pop()
            kind = "opaque" if value is None or None in path else "value"
            binding = Binding(kind, value, value_scope, path)
            if isinstance(target, ast.Name):
                scope.bind(target.id, binding)
                if scope.kind == "class":
                    self._bind_attribute(target.id, binding)
            elif isinstance(target, ast.Attribute):
                self._bind_attribute(target.attr, binding)
            elif isinstance(target, ast.Starred):
                pending.append((target.value, path + (None,)))
            elif isinstance(target, (ast.Tuple, ast.List)):
                starred = any(isinstance(one, ast.Starred) for one in target.elts)
                for at, one in enumerate(target.elts):
                    # Where a star shifts the rest, any element may be it.
                    pending.append((one, path + ("*" if starred else at,)))

    def _bind_attribute(self, name, binding):
        self.attributes.setdefault(name, []).append(binding)

    def _on_import(self, node, scope):
        for alias in node.names:
            if alias.asname:
                scope.bind(alias.asname, Binding("ref", alias.name, scope))
            else:
                top = alias.name.partition(".")[0]
                scope.bind(top, Binding("ref", top, scope))
            if scope.kind == "class":
                name = alias.asname or top
                self._bind_attribute(name, scope.names[name][-1])

    def _on_import_from(self, node, scope):
        for alias in node.names:
            if node.level or not node.module:
                scope.bind(alias.asname or alias.name, Binding("opaque", None, scope))
            elif alias.name == "*":
                if node.module not in self.stars and len(self.stars) < STARS_MAX:
                    self.stars.append(node.module)
            else:
                binding = Binding("ref", node.module + "." + alias.name, scope)
                scope.bind(alias.asname or alias.name, binding)
                if scope.kind == "class":
                    self._bind_attribute(alias.asname or alias.name, binding)

    def _on_assign(self, node, scope):
        for target in node.targets:
            self._bind_target(target, node.value, scope, scope)

    def _on_annotated(self, node, scope):
        if node.value is not None:
            self._bind_target(node.target, node.value, scope, scope)

    def _on_augmented(self, node, scope):
        self._bind_target(node.target, None, scope, scope)

    def _on_walrus(self, node, scope):
        where = scope
        while where.kind == "comprehension":
            where = where.parent
        self._bind_target(node.target, node.value, scope, where)

    def _on_for(self, node, scope):
        self._bind_target(node.target, node.iter, scope, scope, ("*",))

    def _on_with_item(self, node, scope):
        if node.optional_vars is not None:
            self._bind_target(node.optional_vars, None, scope, scope)

    def _on_name_only(self, node, scope):
        if node.name:
            scope.bind(node.name, Binding("opaque", None, scope))

    def _on_match_mapping(self, node, scope):
        if node.rest:
            scope.bind(node.rest, Binding("opaque", None, scope))

    def _on_match(self, node, scope):
        for case in node.cases:
            self._bind_pattern(case.pattern, node.subject, scope)

    def _bind_pattern(self, pattern, subject, scope):
        """case object(system=f): f is an attribute of the subject."""
        pending = [(pattern, subject)]
        while pending:
            pattern, subject = pending.pop()
            if isinstance(pattern, ast.MatchAs):
                if pattern.name:
                    scope.bind(pattern.name, Binding("value", subject, scope))
                if pattern.pattern is not None:
                    pending.append((pattern.pattern, subject))
            elif isinstance(pattern, ast.MatchOr):
                pending += [(one, subject) for one in pattern.patterns]
            elif isinstance(pattern, ast.MatchClass):
                for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns):
                    member = ast.Attribute(subject, name, ast.Load())
                    pending.append((inner, member))

    def _on_global(self, node, scope):
        scope.outer.update(node.names)

    def _on_nonlocal(self, node, scope):
        scope.nonlocals.update(node.names)

    def _on_delete(self, node, scope):
        self.deleted.update(one.id for one in node.targets if isinstance(one, ast.Name))

    def _on_return(self, node, scope):
        if node.value is not None:
            scope.returns.append(node.value)

    def _settle_outer_names(self):
        """What a function binds under `global` or `nonlocal` belongs to another scope."""
        for scope in self._scopes:
            for name in scope.outer:
                for binding in scope.names.pop(name, []) if scope is not self.module else []:
                    self.module.bind(name, binding)
                    self.deleted.add(name)  # bound, but nobody knows when
            for name in scope.nonlocals:
                owner = scope.parent
                while owner and (owner.kind == "class" or name not in owner.names):
                    owner = owner.parent
                for binding in scope.names.pop(name, []) if owner else []:
                    owner.bind(name, binding)

    def _bind_arguments(self):
        """Arguments of calls become values of the parameters of functions called by name."""
        calls = {}
        for node, scope, _ in self.nodes:
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id == "setattr" and \
                    len(node.args) == 3 and isinstance(node.args[1], ast.Constant) and \
                    isinstance(node.args[1].value, str):
                self._bind_attribute(node.args[1].value, Binding("value", node.args[2], scope))
            for function, is_method in self._called(node.func, scope):
                count = calls[id(function)] = calls.get(id(function), 0) + 1
                if count <= ARGUMENT_SETS_MAX:
                    _bind_call(function, is_method, node, scope)

    def _called(self, callee, scope):
        if isinstance(callee, ast.Lambda):
            return [(self._function_scopes[id(callee)], False)]
        if isinstance(callee, ast.Attribute):
            bindings, is_method = self.attributes.get(callee.attr, ()), True
        elif isinstance(callee, ast.Name):
            bindings, is_method = self.bindings(callee.id, scope)[0], False
        else:
            return []
        found = []
        for binding in bindings[-NAMESAKES_MAX:]:
            if binding.kind == "func":
                found.append((binding.what, is_method))
            elif binding.kind == "class":
                for start in binding.what.names.get("__init__", ())[:NAMESAKES_MAX]:
                    if start.kind == "func":
                        found.append((start.what, True))
            elif binding.kind == "value" and isinstance(binding.what, ast.Lambda):
                found.append((self._function_scopes[id(binding.what)], False))
        return found

    # -- questions --------------------------------------------------------------------

    def function_scope(self, node):
        return self._function_scopes.get(id(node))

    def bindings(self, name, scope):
        """(bindings of `name` as seen from a scope, the scope they were found in or None)."""
        at = scope
        while at is not None:
            if name in at.names and (at.kind != "class" or at is scope):
                return at.names[name], at
            if name in at.outer:
                at = self.module
                return at.names.get(name, ()), at if name in at.names else None
            at = at.parent
        return (), None

    def hides_builtin(self, name, scope, found_in, line):
        """Whether a use of `name` in `scope` at `line` can't reach the built-in it hides.

        A function's own names never fall through. A module's or class's name does as long
        as it is unbound: when it is bound on some ways only, later, or deleted again.
        """
        if found_in.kind in ("function", "comprehension"):
            return True
        if name in self.deleted:
            return False
        if found_in.kind == "class":
            return name in _definitely_bound(
                [one for one in found_in.node.body if (one.end_lineno or 0) < line])
        if self._definite is None:
            self._definite = {}
            for index, statement in enumerate(self.tree.body):
                for bound in _definitely_bound([statement]):
                    self._definite.setdefault(bound, index)
        index = self._definite.get(name)
        if index is None:
            return False
        statement = self.tree.body[index]
        inside, at = False, scope
        while at is not None and at is not self.module:
            inside = inside or at.kind == "function"
            at = at.parent
        if not inside:
            return (statement.end_lineno or statement.lineno) < line
        # In a function: bound by the time anybody can call it, when nothing runs in between.
        user = scope.statement
        return user >= index or not any(self._runs_something(between)
                                        for between in range(user, index + 1))

    def _runs_something(self, index):
        """Whether the import of the module calls anything in that statement."""
        if index not in self._calls:
            self._calls[index] = _calls_at_import(self.tree.body[index])
        return self._calls[index]


# In these are texts, numbers and marks that all nodes share.
BARE = frozenset(("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level",
                  "module", "op", "ops", "simple", "type_comment"))
FIELDS = {kind: tuple(field for field in kind._fields if field not in BARE)
          for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)}
FIELDS[ast.Constant] = ()


def children(node):
    """The nodes below a node, in the order of its fields."""
    found = []
    for field in FIELDS[type(node)]:
        value = getattr(node, field, None)
        if type(value) is list:
            for one in value:
                if isinstance(one, ast.AST):
                    found.append(one)
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _bind_call(function, is_method, call, scope):
    """Binds parameters of a function's scope to the arguments of one call."""
    arguments = function.node.args
    plain = [one.arg for one in arguments.posonlyargs + arguments.args]
    if is_method and plain and not isinstance(function.node, ast.Lambda):
        static = any(isinstance(one, ast.Name) and one.id == "staticmethod"
                     for one in function.node.decorator_list)
        plain = plain if static else plain[1:]
    named = {one.arg for one in arguments.args + arguments.kwonlyargs}
    spread = next((at for at, one in enumerate(call.args) if isinstance(one, ast.Starred)), None)
    for name, value in zip(plain, call.args[:spread]):
        function.bind(name, Binding("value", value, scope))
    for name in plain[spread:] if spread is not None else ():
        function.bind(name, Binding("opaque", None, scope))
    if arguments.vararg is not None and len(call.args) > len(plain):
        rest = ast.Tuple(call.args[len(plain):], ast.Load())
        function.bind(arguments.vararg.arg, Binding("value", rest, scope))
    others = [one for one in call.keywords if one.arg is not None and one.arg not in named]
    for keyword in call.keywords:
        if keyword.arg in named:
            function.bind(keyword.arg, Binding("value", keyword.value, scope))
        elif keyword.arg is None:
            for name in named:
                function.bind(name, Binding("opaque", None, scope))
    if arguments.kwarg is not None and others:
        rest = ast.Dict([ast.Constant(one.arg) for one in others], [one.value for one in others])
        function.bind(arguments.kwarg.arg, Binding("value", rest, scope))


def _definitely_bound(statements):
    """Names that are bound on every way through these statements."""
    bound = set()
    for one in statements:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(one.name)
        elif isinstance(one, (ast.Import, ast.ImportFrom)):
            bound.update((alias.asname or alias.name).partition(".")[0] for alias in one.names)
        elif isinstance(one, (ast.Assign, ast.AnnAssign)):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if getattr(one, "value", None) is not None:
                bound.update(target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(one, ast.If):
            bound |= _definitely_bound(one.body) & _definitely_bound(one.orelse)
        elif isinstance(one, ast.Try):
            whole = _definitely_bound(one.body + one.orelse)
            for handler in one.handlers:
                if not isinstance(handler.body[-1], (ast.Raise, ast.Return)):
                    whole &= _definitely_bound(handler.body)
            bound |= whole | _definitely_bound(one.finalbody)
    return bound


def _calls_at_import(statement):
    stack = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Call, ast.Await)):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.decorator_list:
                return True
            stack += node.args.defaults + [one for one in node.args.kw_defaults if one]
        elif not isinstance(node, ast.Lambda):
            stack += children(node)
    return False


ENTER = {
    ast.Import: Program._on_import,
    ast.ImportFrom: Program._on_import_from,
    ast.Assign: Program._on_assign,
    ast.AnnAssign: Program._on_annotated,
    ast.AugAssign: Program._on_augmented,
    ast.NamedExpr: Program._on_walrus,
    ast.For: Program._on_for,
    ast.AsyncFor: Program._on_for,
    ast.withitem: Program._on_with_item,
    ast.ExceptHandler: Program._on_name_only,
    ast.MatchAs: Program._on_name_only,
    ast.MatchStar: Program._on_name_only,
    ast.MatchMapping: Program._on_match_mapping,
    ast.Match: Program._on_match,
    ast.Global: Program._on_global,
    ast.Nonlocal: Program._on_nonlocal,
    ast.Delete: Program._on_delete,
    ast.Return: Program._on_return,
}
ENTER_SCOPE = {
    **dict.fromkeys(FUNCTIONS, Program._enter_function),
    **dict.fromkeys(COMPREHENSIONS, Program._enter_comprehension),
    ast.ClassDef: Program._enter_class,
}
