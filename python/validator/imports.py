"""imports - layers 3 and 4: nothing of the agent's core, and nothing this device lacks.

Nothing is imported to find out. A top-level name is looked for where a host would look, a
submodule by its file name in its package: to ask Python for it would run the package.
"""

import _ast as ast
import posix
import sys
from _frozen_importlib import BuiltinImporter, FrozenImporter
from _frozen_importlib_external import PathFinder, EXTENSION_SUFFIXES, _path_isfile, _path_isdir

from scopes import children

# Members that are modules though no file says so.
MADE_AT_IMPORT = ("os.path", "collections.abc", "six.moves", "gi.repository", "requests.packages",
                  "pkg_resources.extern", "urllib3.packages", "concurrent.futures.thread",
                  "concurrent.futures.process", "sys.monitoring", "typing.io", "typing.re")
REMOVED = frozenset((
    "aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils",
    "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes",
    "smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"))
DEBIAN_PACKAGES = {
    "picamera2": "python3-picamera2", "picamera": "python3-picamera", "RPi": "python3-rpi.gpio",
    "gpiozero": "python3-gpiozero", "lgpio": "python3-lgpio", "pigpio": "python3-pigpio",
    "smbus": "python3-smbus", "smbus2": "python3-smbus2", "spidev": "python3-spidev",
    "serial": "python3-serial", "paho": "python3-paho-mqtt", "requests": "python3-requests",
    "numpy": "python3-numpy", "cv2": "python3-opencv", "PIL": "python3-pil",
    "yaml": "python3-yaml", "psutil": "python3-psutil", "gpiod": "python3-libgpiod",
    "libcamera": "python3-libcamera", "bleak": "python3-bleak", "bluetooth": "python3-bluez",
    "dbus": "python3-dbus", "flask": "python3-flask", "aiohttp": "python3-aiohttp",
    "websockets": "python3-websockets", "w1thermsensor": "python3-w1thermsensor",
    "sense_hat": "python3-sense-hat", "usb": "python3-usb", "zmq": "python3-zmq",
    "av": "python3-av", "simplejpeg": "python3-simplejpeg", "tkinter": "python3-tk",
    "pymodbus": "python3-pymodbus", "can": "python3-can", "cryptography": "python3-cryptography",
    "sounddevice": "python3-sounddevice", "pyaudio": "python3-pyaudio", "evdev": "python3-evdev",
    "pyudev": "python3-pyudev", "httpx": "python3-httpx", "scipy": "python3-scipy",
}
PLATFORM_TESTS = ("sys.platform", "sys.version_info", "sys.version", "sys.implementation", "os.name",
                  "platform.", "sys.hexversion", "sysconfig.", "sys.maxsize",
                  "typing.TYPE_CHECKING", "TYPE_CHECKING", "importlib.util.find_spec", "os.uname")
CATCHING = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))


def host_path(path, extra=()):
    """sys.path of a host, which runs with -I -B: ours, and what `site` adds to it."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    found = list(path)
    sites = [prefix + "/" + rest for prefix in dict.fromkeys((sys.prefix, sys.exec_prefix))
             for rest in (f"local/lib/{version}/dist-packages", "lib/python3/dist-packages",
                          f"lib/{version}/dist-packages", f"lib/{version}/site-packages")]
    sites.append(f"/usr/local/lib/{version}/dist-packages")
    for place in dict.fromkeys(sites):
        if _path_isdir(place):
            found.append(place)
            found += _paths_of_pth(place)
    return list(dict.fromkeys(found + list(extra)))


def _paths_of_pth(place):
    """Directories that .pth files add; their lines of code are not run here."""
    found = []
    try:
        names = sorted(name for name in posix.listdir(place)
                       if name.endswith(".pth") and not name.startswith("."))
        for name in names[:256]:
            with open(place + "/" + name, "rb") as file:
                lines = file.read(65536).decode("utf-8", "replace").splitlines()
            for line in lines:
                line = line.strip()
                if line and not line.startswith(("#", "import ", "import\t")):
                    line = line if line.startswith("/") else place + "/" + line
                    if _path_isdir(line):
                        found.append(line)
    except OSError:
        pass
    return found


class Modules:
    """What can be imported, looked up once a name."""

    def __init__(self, path):
        self.path = path
        self._specs = {}

    def exists(self, dotted):
        parts = dotted.split(".")
        if any(dotted == one or dotted.startswith(one + ".") for one in MADE_AT_IMPORT):
            return self._top(parts[0]) is not None
        spec = self._top(parts[0])
        if spec is None:
            return False
        places = getattr(spec, "submodule_search_locations", None)
        for part in parts[1:]:
            if places is None:
                return False
            places, found = _submodule(list(places), part)
            if not found:
                return False
        return True

    def _top(self, name):
        if name not in self._specs:
            spec = None
            try:
                spec = BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name) \
                    or PathFinder.find_spec(name, self.path)
            except (ImportError, ValueError, OSError, UnicodeError):
                pass
            if spec is not None and spec.origin == "frozen" and \
                    spec.submodule_search_locations is not None:
                # Their directories are known only where site or os has run.
                spec = PathFinder.find_spec(name, self.path) or spec
            self._specs[name] = spec
        return self._specs[name]


def _submodule(places, name):
    """(search locations of a submodule or None, whether it is there)."""
    for place in places:
        if not isinstance(place, str):
            continue
        base = place + "/" + name
        if _path_isdir(base):
            return [base], True
        if any(_path_isfile(base + suffix) for suffix in [".py", ".pyc"] + EXTENSION_SUFFIXES):
            return None, True
        if ".zip" in place:
            return None, True  # an archive; to look inside is not worth what it costs
    return None, False


class Import:
    """One name that one statement imports."""

    __slots__ = ("node", "dotted", "level", "guarded", "names")

    def __init__(self, node, dotted, level, guarded, names):
        self.node = node
        self.dotted = dotted
        self.level = level
        self.guarded = guarded
        self.names = names


def find(tree, modules):
    """All imports of a tree, wherever they stand; guarded ones may fail."""
    found = []
    stack = [(one, False) for one in reversed(tree.body)]
    while stack:
        node, guarded = stack.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.append(Import(node, alias.name, 0, guarded, ()))
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            found.append(Import(node, node.module or "", node.level, guarded, names))
        elif isinstance(node, (ast.Try, getattr(ast, "TryStar", ast.Try))):
            stack += _of_try(node, guarded, modules)
        elif isinstance(node, ast.If) and _is_platform_test(node.test):
            stack += [(one, True) for one in _statements(node)]
        elif isinstance(node, ast.With) and any(_suppresses(one) for one in node.items):
            stack += [(one, True) for one in _statements(node)]
        else:
            stack += [(one, guarded) for one in reversed(_statements(node))]
    return found


def _statements(node):
    """Those right below a statement, a handler or a case; imports are nowhere else."""
    below = []
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        below += getattr(node, field, ())
    return below


def _of_try(node, guarded, modules):
    """The body may fail when that is caught; the handlers are needed only where it does."""
    catches = any(_catches(one) for one in node.handlers)
    fails = False
    if catches:
        inside = find(ast.Module(node.body, []), modules)
        fails = any(one.level or not modules.exists(one.dotted) for one in inside)
    body = guarded or catches
    return [(one, body) for one in node.body + node.orelse] + \
        [(one, guarded or (catches and not fails)) for one in node.handlers] + \
        [(one, guarded) for one in node.finalbody]


def _catches(handler):
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(written(one).rpartition(".")[2] in CATCHING for one in types)


def _suppresses(item):
    call = item.context_expr
    return isinstance(call, ast.Call) and written(call.func).endswith("suppress") and \
        any(written(one) in CATCHING for one in call.args)


def _is_platform_test(test):
    stack = [test]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Attribute, ast.Name)):
            text = written(node)
            if any(text == one or text.startswith(one) for one in PLATFORM_TESTS) or \
                    text.endswith("TYPE_CHECKING"):
                return True
        stack += children(node)
    return False


def written(node):
    """A name as it is written, dots and all; "" where it is none."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def check_protected(source, imports, core):
    """Layer 3: `core` are the names of modules that are nobody's but the agent's."""
    found = []
    for one in imports:
        for dotted in [one.dotted] + [f"{one.dotted}.{name}" for name in one.names]:
            top = dotted.partition(".")[0]
            if not one.level and (top in core or top.startswith("pifleet") or top == "__main__"):
                text = f"Protected import: {one.dotted}"
                found.append(source.finding("core-import", text, source.place(one.node)))
                break
    return found


def check_dependencies(source, imports, modules):
    """Layer 4: what this device does not have, and what a newer Python will not."""
    found = []
    for one in imports:
        place = source.place(one.node)
        if one.level:
            text = f"Relative import at line {place[0]}: a handler is one file, not a package"
            found.append(source.finding("relative-import", text, place))
            continue
        top = one.dotted.partition(".")[0]
        if not one.guarded and not modules.exists(one.dotted):
            found.append(source.finding("missing-dependency", _missing(one.dotted, place[0]), place))
        elif top in REMOVED:
            text = f"Removed in Python 3.13: {top} (line {place[0]})"
            found.append(source.finding("removed-module", text, place))
    return found


def _missing(dotted, line):
    text = f"Missing dependency: {dotted} (line {line})"
    top = dotted.partition(".")[0]
    if top in DEBIAN_PACKAGES:
        return f"{text}: install {DEBIAN_PACKAGES[top]}"
    if top in REMOVED:
        return f"{text}: newer versions of Python no longer have it"
    return text
