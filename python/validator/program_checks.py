"""program_checks - what programs a module starts: a shell, or one that a handler must not."""

import _ast as ast

import commandline

STARTERS = frozenset("subprocess." + name for name in (
    "run", "call", "check_call", "check_output", "Popen"))
SHELL_POSITION = 8  # of Popen(args, bufsize, executable, ..., shell)


class ProgramChecks:
    def __init__(self, program, values, paths, findings):
        self.program = program
        self.values = values
        self.paths = paths
        self.findings = findings
        self.changed = None  # names of dicts, once somebody asks

    def check(self, node, name, command, arguments, keywords):
        """A call of `name`, one of STARTERS; `command`: [the node of its command] or []."""
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
        if shell is not None and not self.values.is_false(shell):
            self.findings.offend(node, "shell-argument", name)
        elif unknown:
            self.findings.offend(node, "unknown-arguments", name)
        if executable is not None:
            text = self.values.text(executable)
            rule = commandline.offence([text]) if text else None
            if rule is not None:
                self.findings.offend(node, rule, name)
        if command and not isinstance(command[0], ast.Starred):
            self._program(node, name, command[0])

    def check_handed(self, node, one, name):
        """Thread(target=subprocess.run, kwargs={...}), to_thread(subprocess.run, shell=True)."""
        rest = node.args[node.args.index(one) + 1:] if one in node.args else []
        keywords = [keyword for keyword in node.keywords
                    if keyword.arg not in ("target", "name", "daemon", "args", "kwargs")]
        for keyword in node.keywords:
            if keyword.arg == "kwargs":
                keywords.append(ast.keyword(None, keyword.value))
            elif keyword.arg == "args":
                rest = list(self.values.elements(keyword.value) or ())
        if keywords or rest:
            self.check(node, name, rest[:1], rest, [
                keyword for keyword in keywords if keyword.arg in (None, "shell", "executable")])

    def check_words(self, node, name, nodes):
        """A command that is written word by word."""
        words = []
        for one in nodes[:commandline.WORDS_MAX]:
            if isinstance(one, ast.Starred):
                inner = self.values.elements(one.value) if hasattr(one, "value") else None
                words += [self._word(each) for each in inner[:commandline.WORDS_MAX]] \
                    if inner is not None else [None]
            else:
                words.append(self._word(one))
                self.paths.check(one, node, name)
        rule = commandline.offence(words)
        if rule is not None:
            self.findings.offend(node, rule, name)

    def check_text(self, node, name):
        """A call that takes a command line as one text."""
        for one in node.args[:1]:
            for text, _ in self.values.strings(one):
                rule = commandline.text_offence(text)
                if rule is not None:
                    self.findings.offend(node, rule, name)

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
            sure = sure and node.id not in self.changed and self.values.is_sure(node)
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

    def _program(self, node, name, command):
        """The words of a command, where the source shows them."""
        for value in self.values.of(command):
            if value[0] == "seq":
                self.check_words(node, name, value[1])
            elif value[0] == "str":
                rule = commandline.text_offence(value[1])
                if rule is not None:
                    self.findings.offend(node, rule, name)

    def _word(self, node):
        for value in self.values.of(node):
            if value == ("ref", "sys.executable"):
                return "python3"
        texts = self.values.strings(node)
        return texts[0][0] if texts and (texts[0][1] or "=" in texts[0][0]) else None
