"""names - modules and built-ins that lead to others, under whichever name they go."""

# Built-ins that the scan follows or refuses; any other name that nobody binds is no matter.
BUILTINS = frozenset((
    "eval", "exec", "compile", "__import__", "breakpoint", "getattr", "setattr", "delattr",
    "vars", "globals", "locals", "open", "chr", "str", "bytes", "bytearray", "list", "tuple",
    "set", "iter", "next", "sorted", "reversed", "map", "dict", "object", "type", "super",
    "staticmethod", "print", "len", "hasattr", "isinstance", "__builtins__", "__loader__",
    "__spec__"))

# A module's member of this name is that module, whoever imported it: subprocess.os is os.
REEXPORTED = {name: name.lstrip("_") for name in (
    "os", "sys", "subprocess", "builtins", "shutil", "importlib", "pickle", "ctypes", "marshal",
    "runpy", "pty", "_os", "_sys", "_subprocess", "_builtins", "_shutil", "_pickle", "_importlib",
    "_ctypes")}
REEXPORTED.update({"posix": "posix", "posixpath": "os.path", "__builtins__": "builtins"})

# Members that only share their name with such a module.
SUBMODULES = frozenset(("asyncio.subprocess", "multiprocessing.ctypes", "six.moves.builtins"))


def same_callable(name):
    """Whether a callable's attribute of that name is, when called, the callable itself."""
    return name in ("__call__", "__get__", "__wrapped__")
