"""toolchain - cc in a directory of its own: bounded in time, in what it writes, and quiet."""

import os
import re
import shutil
import signal
import subprocess

PATH = "/usr/local/bin:/usr/bin:/bin"
SAID_MAX = 256 * 1024
OUTPUT_MAX = 32 * 1024 * 1024
ERRORS_MAX = 20

LANGUAGE = ("-std=gnu11", "-O2", "-fPIC", "-fvisibility=hidden", "-fno-common", "-D_GNU_SOURCE",
            "-D_FILE_OFFSET_BITS=64")
HARDENING = ("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-Wall", "-Wextra", "-Wformat=2",
             "-Wno-unused-parameter", "-Werror=implicit-function-declaration",
             "-Werror=implicit-int", "-Werror=format-security", "-Werror=return-type",
             "-Werror=incompatible-pointer-types", "-Werror=int-conversion",
             "-Wtrampolines", "-Werror=trampolines")  # those want an executable stack
# Not for each machine and compiler: left out together where one is not known.
OPTIONAL = {"x86_64": ("-fcf-protection", "-fstack-clash-protection"),
            "i686": ("-fcf-protection", "-fstack-clash-protection"),
            "aarch64": ("-mbranch-protection=standard", "-fstack-clash-protection")}
COLUMNS = "-fdiagnostics-column-unit=byte"  # of GCC
# Without the start files a shared object has no code that runs when it is loaded: whatever such
# code there is then, is the module's.
LINK = ("-shared", "-nostartfiles", "-Wl,-z,relro,-z,now,-z,noexecstack,-z,defs,--as-needed",
        "-Wl,--build-id=none", "-Wl,-z,separate-code")

_UNKNOWN_OPTION = re.compile(r"unrecognized|unknown argument|unsupported|not supported")
_KILLED = re.compile(r"Killed signal terminated|out of memory|virtual memory exhausted")
_DIAGNOSTIC = re.compile(r"(?P<file>[^:\n]+):(?P<line>\d+):(?P<column>\d+): "
                         r"(?P<kind>fatal error|error|warning): (?P<text>.*)")


class TooMuch(Exception):
    """The compiler did not end in time, or was killed for its memory."""


class Diagnostic:
    """One thing that the compiler said of the module's file."""

    __slots__ = ("line", "column", "is_error", "text")

    def __init__(self, line, column, is_error, text):
        self.line, self.column, self.is_error, self.text = line, column, is_error, text


class Toolchain:
    """Makes a directory for one module, and takes it away at the end."""

    def __init__(self, filename, include, seconds):
        self.filename = filename
        self._include = ("-I" + os.path.abspath(include),) if include else ()
        self._seconds = seconds
        self._compiler = shutil.which("cc", path=PATH)
        self._optional = (COLUMNS,) + OPTIONAL.get(os.uname().machine, ())
        self._directory = None

    def __enter__(self):
        base = os.environ.get("TMPDIR", "/tmp")
        self._directory = os.path.join(base, "pifleet-cc-" + os.urandom(8).hex())
        os.mkdir(self._directory, 0o700)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self._directory, ignore_errors=True)

    def is_there(self):
        return self._compiler is not None

    def set_source(self, data):
        with open(os.path.join(self._directory, self.filename), "wb") as file:
            file.write(data)

    def preprocess(self):
        """(text or None, diagnostics)"""
        return self._compile("-E", "expanded", text=True)

    def compile(self):
        """(object or None, diagnostics)"""
        return self._compile("-c", "module.o")

    def link(self, libraries):
        """(shared object or None, what the linker said)"""
        options = [f"-l{name}" for name in libraries]
        status, said = self._run([*LINK, "module.o", "-o", "module.so", *options, "-lm"])
        return (self._result("module.so") if status == 0 else None), said

    def _compile(self, step, output, text=False):
        options = [*LANGUAGE, *HARDENING, *self._include, f"-fmax-errors={ERRORS_MAX}",
                   "-fdiagnostics-color=never", "-fno-diagnostics-show-option",
                   "-fno-diagnostics-show-caret", step, self.filename, "-o", output]
        status, said = self._run([*self._optional, *options])
        if status and self._optional and not self._diagnostics(said) and \
                _UNKNOWN_OPTION.search(said):
            self._optional = ()
            status, said = self._run(options)
        found = self._diagnostics(said)
        if status and not any(one.is_error for one in found):
            # Not of this file, or of none: cc killed, the disk full, a header that fails.
            found.append(Diagnostic(1, 1, True, said.strip().split("\n")[0][:200] or
                                    f"cc ended with {status}"))
        if status:
            return None, found
        data = self._result(output)
        return (data.decode("utf-8", "replace") if text else data), found

    def _diagnostics(self, said):
        found = []
        for line in said.split("\n"):
            match = _DIAGNOSTIC.fullmatch(line)
            if match and match["file"] == self.filename:
                found.append(Diagnostic(int(match["line"]), int(match["column"]),
                                        match["kind"] != "warning", match["text"]))
        return found

    def _result(self, name):
        with open(os.path.join(self._directory, name), "rb") as file:
            return file.read(OUTPUT_MAX)

    def _run(self, arguments):
        """(status, what it said). TooMuch: killed, and whatever it had started."""
        said = os.path.join(self._directory, "said")
        with open(said, "wb") as out:
            process = subprocess.Popen([self._compiler, *arguments], cwd=self._directory,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       start_new_session=True,
                                       env={"PATH": PATH, "LC_ALL": "C", "TMPDIR": "."})
            try:
                status = process.wait(self._seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise TooMuch from None
        with open(said, "rb") as file:
            text = file.read(SAID_MAX).decode("utf-8", "replace")
        if status == -signal.SIGKILL or status and _KILLED.search(text):
            raise TooMuch
        return status, text
