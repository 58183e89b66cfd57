"""path_checks - what a module does with paths that are no business of a handler."""

import _ast as ast

import paths

CALLERS = ("os", "io", "shutil", "pathlib", "glob", "codecs", "sqlite3", "gzip", "bz2", "lzma",
           "tarfile", "zipfile", "fileinput", "linecache", "configparser", "mmap", "aiofiles",
           "numpy", "tempfile", "asyncio", "socket")
METHODS = frozenset(("read_text", "read_bytes", "write_text", "write_bytes", "open", "read", "load",
                     "save", "connect", "joinpath", "loadtxt", "capture", "imwrite",
                     "start_recording", "FileHandler", "download_file"))


class PathChecks:
    def __init__(self, values, findings):
        self.values = values
        self.findings = findings

    def check_call(self, node, name):
        """A call of a library, by its canonical name."""
        if name.partition(".")[0] in CALLERS or name == "logging.FileHandler" or \
                name.startswith("logging.handlers."):
            self.check_arguments(node, name)

    def check_method(self, node, method, name):
        """A call of a method of an object that nothing is known of."""
        if method in METHODS:
            self.check_arguments(node, name)

    def check_arguments(self, node, name):
        for one in node.args + [keyword.value for keyword in node.keywords]:
            self.check(one, node, name)

    def check(self, expression, node, name=None):
        """The offence, if it is one, is that of `node`: a call of `name`, or no call."""
        for text, whole in self.values.strings(expression):
            rule = paths.offence(text, whole)
            if rule is None and not whole and text.startswith("/proc/") and \
                    self._ends_in_mem(expression):
                rule = "memory-path"
            if rule is not None:
                if name is None:
                    self.findings.add(node, rule, text)
                else:
                    self.findings.offend(node, rule, name)
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

    def check_rmtree(self, node, name):
        targets = node.args[:1] + [one.value for one in node.keywords if one.arg == "path"]
        for one in targets:
            for text, whole in self.values.strings(one):
                if paths.is_system_tree(text, whole):
                    self.findings.offend(node, "system-tree", name)
