#!/usr/bin/python3
"""threaded-server.py with modules that are deployed at run time, as they are in the
field: compiled, searched for dangerous text, backed up, written, imported into the very
process that serves. The agent's deployments and calls are measured against it.

It is given every advantage: it waits for no disk, tests nothing, starts nothing, and
sleeps nowhere. What it spares is what a bad module can do to it.

usage: module-server.py PORT DIRECTORY"""

import importlib.util
import re
import shutil
import sys
import time
from pathlib import Path

DANGEROUS = [re.compile(pattern) for pattern in (
    r"os\.system\s*\(", r"os\.popen\s*\(", r"\beval\s*\(", r"\bexec\s*\(", r"__import__\s*\(",
    r"shell\s*=\s*True", r"rm\s+-rf", r"\bctypes\b", r"pickle\.loads?\s*\(")]
IMPORTS = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Modules:
    """Those of a directory. `commands` is the table of the server."""

    def __init__(self, directory, commands):
        self.directory = directory
        self.backups = directory / ".backups"
        self.commands = commands
        self.backups.mkdir(exist_ok=True)

    def check(self, filename, code):
        """A sentence that says what is wrong; None: nothing."""
        try:
            compile(code, filename, "exec")
        except SyntaxError as error:
            return f"Syntax Error at line {error.lineno}: {error.msg}"
        for pattern in DANGEROUS:
            found = pattern.search(code)
            if found:
                return f"Dangerous pattern detected: {found[0]}"
        for name in IMPORTS.findall(code):
            if importlib.util.find_spec(name) is None:
                return f"Missing dependency: {name}"
        return None

    def update(self, request):
        filename, code = request["filename"], request["code"]
        wrong = self.check(filename, code)
        if wrong:
            return {"success": False, "type": "handler_rejected",
                    "error": f"Code validation failed: {wrong}"}
        path = self.directory / filename
        backup = None
        if path.exists():
            backup = self.backups / f"{filename}_{time.time_ns()}.backup"
            shutil.copy2(path, backup)
        path.write_text(code)
        # Python compares times of whole seconds with what it has compiled before.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        try:
            loaded = load(path.stem, path)
        except Exception as error:  # whatever the module raises
            if backup:
                shutil.copy2(backup, path)
            return {"success": False, "type": "handler_rejected", "error": f"Import failed: {error}"}
        handlers = getattr(loaded, "COMMAND_HANDLERS", None) or {
            name.removeprefix("handle_"): function for name, function in vars(loaded).items()
            if name.startswith("handle_")}
        self.commands.update(handlers)
        return {"success": True, "type": "handler_updated", "filename": filename,
                "reload": {"success": True, "command_count": len(handlers),
                           "commands": list(handlers)}}


if __name__ == "__main__":
    server = load("threaded_server", Path(__file__).with_name("threaded-server.py"))
    server.COMMANDS["update_handler"] = Modules(Path(sys.argv[2]), server.COMMANDS).update
    with server.Server(("127.0.0.1", int(sys.argv[1])), server.Client) as listening:
        listening.serve_forever()
