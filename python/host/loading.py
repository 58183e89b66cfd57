"""From bytes to a module and its table of commands."""

import os
import sys

from codec import BadReply

COMMANDS_MAX = 256
NAME_MAX = 64
DESCRIPTION_MAX = 200
SOURCE_MAX = 1024 * 1024
PREFIX = "handle_"

_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz")
_REST = _FIRST | frozenset("0123456789_")


class BadCommands(Exception):
    """The module's table of commands is not as it should be."""


class BadCommandName(BadCommands):
    """A command has a name that none may have."""


class TooManyCommands(BadCommands):
    """More than one module may have."""


def read_source(fd):
    """All bytes of a file, wherever its position is, or of a pipe; closes it."""
    try:
        return _read_source(fd)
    finally:
        os.close(fd)


def _read_source(fd):
    parts, at = [], 0
    while at <= SOURCE_MAX:
        try:
            part = os.pread(fd, SOURCE_MAX, at)
        except OSError:  # a pipe has no positions
            part = os.read(fd, SOURCE_MAX)
        if not part:
            return b"".join(parts)
        parts.append(part)
        at += len(part)
    raise BadCommands(f"the source is longer than {SOURCE_MAX} bytes")


class _Loader:
    """Lets Python's own tools (inspect, logging, pdb's listing) see the source."""

    def __init__(self, source):
        self._source = source

    def get_source(self, _name=None):
        return self._source.text()


def run_module(source, text):
    """Runs the bytes as a module under its own name in sys.modules, and returns it."""
    name = source.filename.removesuffix(".py")
    code = compile(text, source.filename, "exec", dont_inherit=True)
    module = type(sys)(name)
    module.__file__ = source.filename
    module.__loader__ = _Loader(source)
    sys.argv = [source.filename]
    sys.modules[name] = module
    exec(code, module.__dict__)
    return module


def find_commands(module):
    """{name: function}: COMMAND_HANDLERS where present, else all functions handle_NAME."""
    table = getattr(module, "COMMAND_HANDLERS", None)
    if table is None:
        table = {name[len(PREFIX):]: value for name, value in vars(module).items()
                 if name.startswith(PREFIX) and callable(value) and not isinstance(value, type)}
        if not table:
            raise BadCommands("no commands: there is neither COMMAND_HANDLERS = {\"name\": function}"
                              f" nor a function {PREFIX}NAME")
    if not isinstance(table, dict):
        raise BadCommands(f"COMMAND_HANDLERS is of type {type(table).__name__}, not dict")
    table = dict(table)
    if not table:
        raise BadCommands("COMMAND_HANDLERS is empty")
    if len(table) > COMMANDS_MAX:
        raise TooManyCommands(f"{len(table)} commands; a module has {COMMANDS_MAX} at most")
    for name, function in table.items():
        _check_command(name, function)
    return table


def _check_command(name, function):
    if not isinstance(name, str):
        raise BadCommandName(f"the command {str(name)[:80]!r} is no text but {type(name).__name__}")
    if not 0 < len(name) <= NAME_MAX or name[0] not in _FIRST or not _REST.issuperset(name):
        raise BadCommandName(f"{name[:80]!r} is no name for a command: a small letter, then small "
                             f"letters, digits and underscores, {NAME_MAX} characters at most")
    if not callable(function):
        raise BadCommands(f"the command {name} is no function but {type(function).__name__}")


def describe_command(function):
    """The first line of the function's documentation, as it is listed."""
    text = getattr(function, "__doc__", None)
    if not isinstance(text, str):
        return ""
    first = text.strip().split("\n", 1)[0].strip()[:DESCRIPTION_MAX]
    return first.replace("\0", "").encode("utf-8", "replace").decode()


def first_line(function):
    """The line where a function begins; None for what is not written in Python."""
    function = getattr(function, "__wrapped__", function)
    return getattr(getattr(function, "__code__", None), "co_firstlineno", None)


def judge_self_test(result):
    """True, False, or what is wrong: what self_test() said by its result."""
    if result is None or result is True:
        return True
    if isinstance(result, dict):
        if result.get("success", True):
            return True
        result = result.get("error", False)
    if isinstance(result, str) and result:
        return result[:DESCRIPTION_MAX].replace("\0", "").encode("utf-8", "replace").decode()
    if result is False or result == "":
        return False
    raise BadReply(f"self_test() returned {type(result).__name__}: it is to return True, False, "
                   "or a text that says what is wrong")
