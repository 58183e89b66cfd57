"""The host of Python modules, driven as the agent does: what it answers, what it survives."""

import os
import re
import select
import signal
import subprocess

import pytest

from host_process import LENGTH, PYTHON, SECONDS, TOP, Ended, Host, frame

MAX = 1024 * 1024


def host_of(source, **options):
    return Host(PYTHON, source, **options)


def failure_of(source, module="camera.py"):
    """What load_failed says of a module that cannot be loaded."""
    with host_of(source) as host:
        failure = host.load(module)["load_failed"]
        status, _, _ = host.end()
        assert status == 0
        return failure


def loaded(source, **options):
    host = host_of(source, **options)
    try:
        assert "loaded" in host.load()
    except BaseException:
        host.__exit__()
        raise
    return host


# -- loading ------------------------------------------------------------------------------

def test_a_table_of_commands_is_listed_in_its_order():
    with host_of('''
def start(request):
    """Starts the camera.

    At once."""
    return {}

COMMAND_HANDLERS = {"start_recording": start, "camera_status": lambda request: {}}
''') as host:
        assert host.load() == {"loaded": {
            "protocol": 1, "self_test": None, "commands": [
                {"name": "start_recording", "description": "Starts the camera."},
                {"name": "camera_status", "description": ""}]}}


def test_without_a_table_functions_named_handle_are_commands():
    source = "def handle_b(r): return {}\ndef other(r): pass\nasync def handle_a(r): return {}\n" \
             "class handle_c: pass\nhandle_d = 4\n"
    with host_of(source) as host:
        assert host.commands() == ["b", "a"]


def test_the_table_wins_over_function_names():
    with host_of("def handle_a(r): pass\nCOMMAND_HANDLERS = {'b': handle_a}") as host:
        assert host.commands() == ["b"]


def test_a_module_is_known_under_its_own_name():
    source = '''
import sys
from dataclasses import dataclass

@dataclass
class Point:
    x: int = 3

def handle_who(request):
    import camera
    return {"name": __name__, "file": __file__, "same": camera.Point is Point,
            "argv": sys.argv, "main": "serving" in sys.modules,
            "path": [entry for entry in sys.path if "host" in entry]}
'''
    with host_of(source) as host:
        host.load()
        assert host.call("who")["result"] == {
            "name": "camera", "file": "camera.py", "same": True, "argv": ["camera.py"],
            "main": False, "path": []}


def test_the_source_may_come_through_a_pipe():
    with host_of("def handle_a(r): return {}", through_pipe=True) as host:
        assert host.commands() == ["a"]


def test_the_source_is_read_from_its_beginning_each_time(tmp_path):
    path = tmp_path / "camera.py"
    path.write_text("def handle_a(r): return {}")
    for _ in range(2):
        with host_of(path) as host:
            assert host.commands() == ["a"]


@pytest.mark.parametrize("names, ok", [
    ('["a"]', True), ('["a" * 64]', True), ('[f"c{i}" for i in range(256)]', True),
    ('["a" * 65]', False), ('[f"c{i}" for i in range(257)]', False), ('["Status"]', False),
    ('["1a"]', False), ('[""]', False), ('["a-b"]', False), ('["a\\n"]', False),
    ('["\\u00e9t\\u00e9"]', False), ('["_a"]', False), ('[7]', False), ('[]', False),
    ('["\\ud800"]', False), ('["a\\u0661"]', False)])
def test_names_of_commands_are_checked(names, ok):
    source = f"COMMAND_HANDLERS = {{name: (lambda r: {{}}) for name in {names}}}"
    with host_of(source) as host:
        answer = host.load()
        assert ("loaded" in answer) == ok
        if not ok:
            kind = {"[]": "BadCommands", '[f"c{i}" for i in range(257)]': "TooManyCommands"}
            assert answer["load_failed"]["type"] == kind.get(names, "BadCommandName")


@pytest.mark.parametrize("source, kind", [
    ("COMMAND_HANDLERS = 7", "BadCommands"), ("COMMAND_HANDLERS = {'a': 7}", "BadCommands"),
    ("x = 1", "BadCommands"), ("", "BadCommands"), ("def handle_A(r): pass", "BadCommandName")])
def test_a_table_that_is_none_is_refused(source, kind):
    assert failure_of(source)["type"] == kind


def test_an_exception_at_import_names_line_and_text():
    failure = failure_of("import json\n\ndef read():\n    return json.loads('{')\n\nx = read()\n")
    assert failure["type"] == "JSONDecodeError"
    assert failure["line"] == 4
    assert failure["traceback"].split("\n")[:5] == [
        "Traceback (most recent call last):",
        '  File "camera.py", line 6, in <module>', "    x = read()",
        '  File "camera.py", line 4, in read', "    return json.loads('{')"]


def test_a_syntax_error_names_its_line():
    failure = failure_of("x = 1\nx = (\n")
    assert (failure["type"], failure["line"]) == ("SyntaxError", 2)
    assert failure["message"] == "'(' was never closed"


@pytest.mark.parametrize("source, kind", [
    ("import sys; sys.exit(0)", "SystemExit"), ("raise SystemExit", "SystemExit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"), ("import no_such_thing", "ModuleNotFoundError"),
    ("class E(BaseException): pass\nraise E(chr(0xd800) + chr(0))", "E"),
    ("class E(Exception):\n def __str__(self): raise self\nraise E", "E"),
    ("def f(): f()\nf()", "RecursionError"), ("x = '\\ud800'; {}[x]", "KeyError"),
    ("raise ValueError('x' * 10**6)", "ValueError"), ("raise MemoryError", "MemoryError"),
    ("input()", "EOFError"), ("\0", None)])
def test_whatever_ends_the_import_is_a_failure_to_load(source, kind):
    failure = failure_of(source)
    assert kind in (None, failure["type"])
    assert len(failure["message"]) < 1100 and len(failure["traceback"]) < 8100


def test_a_deep_recursion_is_told_in_a_few_frames():
    failure = failure_of("def f():\n    f()\nf()\n")
    assert re.search(r"\.\.\. \d+ more \.\.\.", failure["traceback"])
    assert failure["traceback"].count("File") == 24


def test_causes_are_told():
    failure = failure_of("try:\n    {}['a']\nexcept KeyError as e:\n    raise OSError('x') from e\n")
    assert "which was caused by" in failure["traceback"] and "line 2" in failure["traceback"]


@pytest.mark.parametrize("source, signalled", [
    ("import os; os._exit(0)", 0), ("import os; os._exit(3)", 3),
    ("import os; os.abort()", -signal.SIGABRT),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV)])
def test_a_process_that_ends_at_import_says_nothing_false(source, signalled):
    with host_of(source) as host:
        with pytest.raises(Ended):
            host.load()
        assert host.end()[0] == signalled


@pytest.mark.parametrize("start", [0, 3])
def test_an_import_that_closes_all_descriptors_ends_the_host(start):
    with host_of(f"import os; os.closerange({start}, 5000)\ndef handle_a(r): return {{}}") as host:
        with pytest.raises(Ended):
            host.load()
        assert host.end()[0] == 0


def test_a_thread_that_never_ends_does_not_keep_the_host():
    source = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n" \
             "def handle_a(r): return {}"
    with loaded(source) as host:
        assert host.call("a") == {"result": {}}
        assert host.end()[0] == 0


def test_threads_run_between_calls():
    source = '''
import threading
asked, done = threading.Event(), threading.Event()
def work():
    asked.wait()
    done.set()
threading.Thread(target=work, daemon=True).start()
def handle_ask(r):
    asked.set()
    return {}
def handle_wait(r): return {"done": done.wait(60)}
'''
    with loaded(source) as host:
        host.call("ask")
        assert host.call("wait") == {"result": {"done": True}}


# -- self-test ----------------------------------------------------------------------------

@pytest.mark.parametrize("body, verdict", [
    ("pass", True), ("return True", True), ("return {'success': True}", True), ("return {}", True),
    ("return False", False), ("return 'no camera'", "no camera"),
    ("return {'success': False, 'error': 'no lens'}", "no lens"),
    ("raise OSError('gone')", "OSError: gone (line 3)"),
    ("raise SystemExit(1)", "SystemExit: sys.exit(1) was called (line 3)")])
def test_the_self_test_has_a_verdict(body, verdict):
    source = f"def handle_a(r): return {{}}\ndef self_test():\n    {body}\n"
    for prefix in ("", "async "):
        with host_of(source.replace("def self", prefix + "def self")) as host:
            assert host.load(self_test=True)["loaded"]["self_test"] == verdict


def test_a_self_test_is_run_only_where_it_is_asked_for():
    with host_of("def handle_a(r): return {}\ndef self_test(): return False\n") as host:
        assert host.load(self_test=False)["loaded"]["self_test"] is None


def test_a_module_without_self_test_has_no_verdict():
    with host_of("def handle_a(r): return {}\n") as host:
        assert host.load(self_test=True)["loaded"]["self_test"] is None


# -- calls --------------------------------------------------------------------------------

def test_state_lives_between_calls():
    with loaded("count = 0\ndef handle_a(r):\n global count\n count += r['by']\n"
                " return {'count': count}") as host:
        assert [host.call("a", {"by": by})["result"]["count"] for by in (1, 2, 3)] == [1, 3, 6]


def test_a_result_travels_as_it_is():
    source = '''
import collections, enum
class Mode(enum.IntEnum):
    ON = 1
class Text(str): pass
def handle_a(request):
    return collections.OrderedDict(echo=request, mode=Mode.ON, text=Text("é\\U0001F600\\x7f\\n"),
        numbers=(1, -2.5, 2**53, -2**53, 1e300), none=None, yes=True, empty=[{}, [], ""],
        keys={17: "on", None: 1, True: 2, 1.5: 3})
'''
    request = {"é": "\U0001F600\"\\/", "deep": [[[[{}]]]], "big": 2**53, "f": 1.5, "n": None}
    with loaded(source) as host:
        assert host.call("a", request) == {"result": {
            "echo": request, "mode": 1, "text": "é\U0001F600\x7f\n",
            "numbers": [1, -2.5, 2**53, -2**53, 1e300], "none": None, "yes": True,
            "empty": [{}, [], ""], "keys": {"17": "on", "null": 1, "true": 2, "1.5": 3}}}


@pytest.mark.parametrize("result, words", [
    ("None", "NoneType"), ("[1]", "list"), ("'text'", "str"), ("7", "int"),
    ("{'a': float('nan')}", "nan"), ("{'a': [float('inf')]}", "in ['a'][0]"),
    ("{'a': 2**53 + 1}", "2**53"), ("{'a': 10**5000}", "2**53"), ("{'a': b'x'}", "bytes"),
    ("{'a': {1, 2}}", "set"), ("{'a': object()}", "object"), ("{(1, 2): 3}", "tuple"),
    ("{'a': chr(0xd800)}", "surrogate"), ("{'a': 'x\\0'}", "NUL"), ("{'x\\0': 1}", "NUL"),
    ("loop", "nested deeper"), ("deep", "nested deeper"), ("{'a': 'x' * 2**20}", "1048576 at most"),
    ("{'a': [0] * 2**20}", "1048576 at most"), ("Odd()", "boom")])
def test_a_result_that_cannot_travel_is_an_error_of_the_call(result, words):
    source = f'''
loop = {{}}
loop["loop"] = loop
deep = {{}}
for _ in range(10**5):
    deep = {{"d": deep}}
class Odd(dict):
    def items(self): raise ValueError("boom")
def handle_bad(request):
    return {result}
def handle_good(request):
    return {{"ok": True}}
'''
    with loaded(source) as host:
        error = host.call("bad")["error"]
        assert error["type"] == "BadReply" or words == "boom"
        assert words in error["message"]
        assert host.call("good") == {"result": {"ok": True}}


def test_a_result_of_the_greatest_length_travels():
    overhead = len(b'{"reply":1,"result":{"a":""}}')
    with loaded("def handle_a(r): return {'a': 'x' * r['n']}") as host:
        assert len(host.call("a", {"n": MAX - overhead})["result"]["a"]) == MAX - overhead
        assert host.call("a", {"n": MAX - overhead + 1})["error"]["type"] == "BadReply"


def test_nesting_is_allowed_to_its_limit():
    source = "def handle_a(r):\n d = {}\n for _ in range(r['n'] - 1): d = {'d': d}\n return d"
    with loaded(source) as host:
        assert "result" in host.call("a", {"n": 31})
        assert host.call("a", {"n": 32})["error"]["type"] == "BadReply"


def test_an_exception_names_the_innermost_line_of_the_module():
    source = "import json\ndef helper(r):\n    return json.loads(r['text'])\n\n" \
             "def handle_a(r):\n    return helper(r)\n"
    with loaded(source) as host:
        error = host.call("a", {"text": "{"})["error"]
        assert (error["type"], error["line"]) == ("JSONDecodeError", 3)
        assert "json/decoder" not in error["traceback"] and "serving" not in error["traceback"]
        assert "    return json.loads(r['text'])" in error["traceback"]
        assert host.call("a")["error"] == {
            "type": "KeyError", "message": "'text'", "line": 3, "traceback": "\n".join([
                "Traceback (most recent call last):", '  File "camera.py", line 6, in handle_a',
                "    return helper(r)", '  File "camera.py", line 3, in helper',
                "    return json.loads(r['text'])", "KeyError: 'text'"])}


def test_a_handler_that_takes_no_request_is_named_by_its_line():
    with loaded("\n\ndef handle_a():\n    return {}\n") as host:
        error = host.call("a")["error"]
        assert (error["type"], error["line"]) == ("TypeError", 3)


@pytest.mark.parametrize("body, kind", [
    ("import sys; sys.exit(0)", "SystemExit"), ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("raise GeneratorExit", "GeneratorExit"), ("return a(r)", "RecursionError"),
    ("[0] * 10**15", "MemoryError"), ("print('x', file=closed)", "ValueError"),
    ("input()", "EOFError")])
def test_whatever_a_handler_raises_the_host_goes_on(body, kind):
    source = f"import os\nclosed = open('/dev/null', 'w'); closed.close()\n" \
             f"def a(r):\n    {body}\nCOMMAND_HANDLERS = {{'a': a, 'b': lambda r: {{}}}}"
    with loaded(source) as host:
        assert host.call("a")["error"]["type"] == kind
        assert host.call("b") == {"result": {}}


def test_coroutines_run_in_one_event_loop():
    source = '''
import asyncio
async def twice(x):
    await asyncio.sleep(0)
    return 2 * x
async def handle_a(r):
    global queue
    queue = asyncio.Queue()
    queue.put_nowait(await twice(r["x"]))
    return {}
async def handle_b(r):
    return {"x": await asyncio.wait_for(queue.get(), 60)}
async def handle_c(r):
    raise ValueError("late")
def handle_d(r):
    return handle_b(r)
'''
    with loaded(source) as host:
        host.call("a", {"x": 21})
        assert host.call("b") == {"result": {"x": 42}}
        error = host.call("c")["error"]
        assert (error["type"], error["line"]) == ("ValueError", 14)
        host.call("a", {"x": 1})
        assert host.call("d") == {"result": {"x": 2}}


@pytest.mark.parametrize("end, status", [
    ("os._exit(0)", 0), ("os.abort()", -signal.SIGABRT),
    ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
    ("os.kill(os.getpid(), signal.SIGBUS)", -signal.SIGBUS),
    ("os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
    ("signal.alarm(1); signal.pause()", -signal.SIGALRM)])
def test_a_process_that_ends_in_a_call_says_nothing_false(end, status):
    with loaded(f"import os, signal\ndef handle_a(r):\n    {end}\n") as host:
        with pytest.raises(Ended):
            host.call("a")
        code, _, err = host.end()
        assert code == status
        if status in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT):
            assert b'File "camera.py", line 3 in handle_a' in err


@pytest.mark.parametrize("body", [
    "while True: pass",
    "while True:\n        try:\n            time.sleep(9)\n        except BaseException: pass",
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()",
    "re.match('(a*)*b', 'a' * 60)", "pow(3, 10**9)"])
def test_a_handler_that_never_returns_is_killed_from_outside(body):
    source = f"import re, signal, time\ndef handle_a(r):\n    print('in', flush=True)\n    {body}\n"
    with loaded(source) as host:
        host.send({"call": 1, "command": "a", "request": {}})
        assert host.process.stdout.readline() == b"in\n"
        host.process.terminate()
        host.process.kill()
        assert host.process.wait(SECONDS) in (-signal.SIGKILL, -signal.SIGTERM)
        with pytest.raises(Ended):
            host.receive()


# -- descriptors, output, children ----------------------------------------------------------

def test_what_is_printed_arrives_with_its_line_and_never_on_the_protocol():
    source = '''
import os, sys
print("import")
def handle_a(r):
    print("line")
    print("no end", end="")
    os.write(1, b'\\0\\0\\0\\2{}')
    print("\\ud800 \\xe9", file=sys.stderr)
    return {}
'''
    with loaded(source, environment={"LC_ALL": "C"}) as host:
        assert host.process.stdout.readline() == b"import\n"
        assert host.call("a") == {"result": {}}
        assert host.process.stdout.readline() == b"line\n"
        # Before the next call, that is. (The reader above holds it already.)
        assert host.process.stdout.read(12) == b"\0\0\0\2{}no end"
        status, _, err = host.end()
        assert status == 0
        assert err == "\\ud800 é\n".encode()


def test_descriptors_3_and_4_are_not_the_protocols_any_more():
    source = '''
import os
def try_fd(fd):
    try:
        os.write(fd, b"\\xff" * 64)
        return "written"
    except OSError as error:
        return error.errno
at_import = [try_fd(fd) for fd in (3, 4, 5, 6)]
def handle_a(r):
    return {"import": at_import, "call": [try_fd(fd) for fd in range(3, 40)]}
'''
    with loaded(source) as host:
        assert host.call("a") == {"result": {"import": [9] * 4, "call": [9] * 37}}


def test_no_child_inherits_the_protocol():
    source = '''
import os, subprocess
def handle_a(r):
    out = subprocess.run(["/bin/ls", "-l", "/proc/self/fd"], capture_output=True, text=True,
                         close_fds=False, pass_fds=()).stdout
    return {"sockets": [line for line in out.splitlines() if "socket" in line]}
'''
    with loaded(source) as host:
        assert host.call("a") == {"result": {"sockets": []}}


def test_a_forked_process_is_not_the_agents_partner():
    source = '''
import os
def handle_a(r):
    pid = os.fork()
    if pid:
        return {"status": os.waitpid(pid, 0)[1]}
    return {"forged": True}
'''
    with loaded(source) as host:
        assert host.call("a") == {"result": {"status": 0}}
        assert host.call("a") == {"result": {"status": 0}}
        assert host.is_silent()


def test_a_child_may_outlive_the_call_and_the_host():
    source = '''
import subprocess
recorder = None
def handle_start(r):
    global recorder
    recorder = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, start_new_session=True)
    return {"pid": recorder.pid}
def handle_status(r):
    return {"running": recorder.poll() is None}
'''
    with loaded(source) as host:
        pid = host.call("start")["result"]["pid"]
        ended = os.pidfd_open(pid)
        try:
            assert host.call("status") == {"result": {"running": True}}
            host.ours.close()
            # The pipe's other end was the host's: cat ends when, and only when, the host has.
            assert select.select([ended], [], [], SECONDS)[0]
            assert host.process.wait(SECONDS) == 0
        finally:
            os.close(ended)


def test_atexit_runs_when_the_agent_closes_its_end():
    with loaded("import atexit\natexit.register(print, 'lines released')\n"
                "def handle_a(r): return {}") as host:
        assert host.end() == (0, b"lines released\n", b"")


def test_a_module_that_takes_the_streams_away_is_served():
    source = "import sys\nsys.stdout.close()\nsys.stdout = None\nsys.stderr = 7\n" \
             "def handle_a(r):\n    raise ValueError('x')\n"
    with loaded(source) as host:
        assert host.call("a")["error"]["type"] == "ValueError"


def test_a_limit_on_open_files_is_an_error_of_the_call():
    source = "import os\nkept = []\ndef handle_a(r):\n    while True: kept.append(os.dup(0))\n" \
             "def handle_b(r):\n    return {'kept': len(kept)}\n"
    with loaded(source) as host:
        assert "Too many open files" in host.call("a")["error"]["message"]
        assert host.call("b")["result"]["kept"] > 40


# -- the agent's side -------------------------------------------------------------------------

def test_frames_may_come_in_pieces_and_several_at_once():
    with loaded("def handle_a(r): return r") as host:
        for byte in frame({"call": 1, "command": "a", "request": {"x": 1}}):
            host.send_bytes(bytes([byte]))
        assert host.receive() == {"reply": 1, "result": {"x": 1}}
        host.send_bytes(b"".join(frame({"call": n, "command": "a", "request": {"x": n}})
                                 for n in range(2000, 2600)))
        assert [host.receive()["reply"] for _ in range(600)] == list(range(2000, 2600))


@pytest.mark.parametrize("size", [16 * 1024 - 60, 16 * 1024, 17 * 1024, 100_000, MAX, 8 * MAX])
def test_long_requests_arrive(size):
    with loaded("def handle_a(r): return {'n': len(r['x'])}") as host:
        assert host.call("a", {"x": "é" * (size // 6)}) == {"result": {"n": size // 6}}
        assert host.call("a", {"x": ""}) == {"result": {"n": 0}}


@pytest.mark.parametrize("data", [
    LENGTH.pack(16 * 1024 * 1024 + 1), LENGTH.pack(2**32 - 1), frame([]), frame({}), frame(7),
    LENGTH.pack(0), LENGTH.pack(1) + b"{", LENGTH.pack(2) + b"\xff\xfe", LENGTH.pack(4) + b"{}{}",
    frame({"call": 1}), frame({"load": {}}), frame({"call": "x", "command": "a", "request": {}})])
@pytest.mark.parametrize("first", [True, False])
def test_an_agent_that_talks_nonsense_is_left(data, first):
    with host_of("def handle_a(r): return {}") as host:
        if not first:
            host.load()
        host.send_bytes(data)
        with pytest.raises(Ended):
            host.receive()
        status, _, err = host.end()
        assert status == 65 and b"does not keep to the protocol" in err


def test_half_a_frame_and_the_end_is_an_end():
    for data in (b"\0\0", LENGTH.pack(100) + b"{", LENGTH.pack(100_000) + b"{" * 50_000):
        with loaded("def handle_a(r): return {}") as host:
            host.send_bytes(data)
            assert host.end() == (0, b"", b"")


def test_an_unknown_command_is_an_error():
    with loaded("def handle_a(r): return {}") as host:
        assert host.call("b")["error"]["type"] == "KeyError"


def test_an_agent_that_dies_ends_the_host():
    with loaded("def handle_a(r): return {}") as host:
        host.ours.close()
        assert host.process.wait(SECONDS) == 0


# -- what it costs --------------------------------------------------------------------------

def test_an_idle_host_has_less_than_8_mib_of_its_own():
    source = "import os, time\ndef handle_a(r): return {}"
    # A second host, so that the interpreter's own pages are not this one's alone.
    with loaded(source), loaded(source) as host:
        for _ in range(100):
            host.call("a", {"pin": 17})
        with open(f"/proc/{host.process.pid}/smaps_rollup", encoding="ascii") as report:
            private = sum(int(line.split()[1]) for line in report if line.startswith("Private_"))
        assert private < 8 * 1024, f"{private} KiB"


def test_the_host_needs_no_heavy_import():
    """What it imports, every module's process carries."""
    program = f"import sys; sys.path.insert(0, {str(TOP / 'python' / 'host')!r}); import serving; " \
              "print(*sys.modules)"
    names = subprocess.run([*PYTHON[:-1], "-c", program], capture_output=True, text=True,
                           check=True).stdout.split()
    assert not {"json", "re", "enum", "typing", "traceback", "asyncio", "threading"} & set(names)


def test_the_start_does_not_look_for_the_program():
    """Whoever starts a folder has Python load runpy and all it needs, in every host."""
    with Host((PYTHON[0], "-X", "importtime", *PYTHON[1:]), "def handle_a(r): return {}") as host:
        assert "loaded" in host.load()
        _, _, said = host.end()
    names = {line.rpartition("|")[2].strip() for line in said.decode().splitlines()}
    assert "serving" in names
    assert not {"runpy", "pkgutil"} & names
