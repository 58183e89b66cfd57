"""The host of C modules, driven as the agent does, with modules from the system's compiler."""

import os
import shutil
import signal
import subprocess

import pytest

from host_process import LENGTH, NATIVE, SECONDS, TOP, Ended, Host, frame

MAX = 1024 * 1024
FLAGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-infinite-recursion", "-O1", "-fPIC",
         "-shared", "-fvisibility=hidden", f"-I{TOP / 'include'}")
# A crash is to be the crash that it is, also in a build with a sanitizer.
AS_IT_IS = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:handle_segv=0:handle_abort=0:"
                                          "handle_sigbus=0:handle_sigfpe=0:allow_user_segv_handler=1"}

HEAD = "#include <pifleet/handler.h>\n#include <stdio.h>\n#include <stdlib.h>\n" \
       "#include <string.h>\n#include <unistd.h>\n#include <errno.h>\n#include <signal.h>\n"
TAIL = '\nPIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it.\\nNot told."), ' \
       'PIFLEET_COMMAND("ok", ok, NULL))\n'


@pytest.fixture
def build(tmp_path):
    """A function: C source in, the shared object's path out."""
    def compiled(source, *flags):
        path = tmp_path / "module.so"
        subprocess.run(["cc", *FLAGS, *flags, "-x", "c", "-", "-o", path], check=True,
                       input=source.encode(), timeout=SECONDS)
        return path
    return compiled


@pytest.fixture
def run(build):
    """A function: the body of the command `a` in, a host that has loaded it out."""
    hosts = []

    def running(body, before=""):
        source = f"{HEAD}{before}\nstatic int a(struct pifleet_call *call)\n{{\n{body}\n}}\n" \
                 f"static int ok(struct pifleet_call *call) {{ (void)call; return 0; }}{TAIL}"
        host = Host(NATIVE, build(source), environment=AS_IT_IS)
        hosts.append(host)
        assert "loaded" in host.load("blink.c")
        return host
    yield running
    for host in hosts:
        host.__exit__()


def ends_well(host):
    status, out, err = host.end()
    assert (status, err) == (0, b""), err.decode()
    return out


def test_commands_are_listed(build):
    with Host(NATIVE, build(HEAD + "static int a(struct pifleet_call *call)"
                            "{ (void)call; return 0; }" + TAIL.replace("ok, NULL", "a, NULL"))) as host:
        assert host.load("blink.c") == {"loaded": {"protocol": 1, "self_test": None, "commands": [
            {"name": "a", "description": "Does it."}, {"name": "ok", "description": ""}]}}
        ends_well(host)


def test_a_request_is_read_by_name_and_by_pointer(run):
    host = run('''
        int64_t pin;
        double width;
        const char *mode;
        bool on = pifleet_get_bool(call, "on", false);

        if (!pifleet_need_integer(call, "pin", &pin) || !pifleet_need_text(call, "mode", &mode) ||
            !pifleet_need_number(call, "width", &width))
                return PIFLEET_FAILED;
        pifleet_put_text(call, "command", call->command);
        pifleet_put_integer(call, "pin", pin);
        pifleet_put_number(call, "width", width);
        pifleet_put_text(call, "mode", mode);
        pifleet_put_bool(call, "on", on);
        pifleet_put_integer(call, "points", (int64_t)pifleet_count(call, "points"));
        pifleet_put_integer(call, "y", pifleet_get_integer(call, "/points/1/y", -1));
        pifleet_put_text(call, "odd", pifleet_get_text(call, "/a~1b~0c", "?"));
        pifleet_put_bool(call, "none", pifleet_has(call, "/points/2") || pifleet_has(call, "/pin/x") ||
                         pifleet_has(call, "/points/-1") || pifleet_has(call, "/points/") ||
                         pifleet_has(call, "/points/99999999999") || pifleet_has(call, "/~2"));
        pifleet_put_integer(call, "fallback", pifleet_get_integer(call, "mode", 7));
        pifleet_put_json(call, "all", pifleet_request_text(call));
        return 0;''')
    request = {"pin": 17, "mode": "é", "width": 2.5, "on": True, "points": [{"x": 1}, {"y": 2}],
               "a/b~c": "z"}
    assert host.call("a", request) == {"result": {
        "command": "a", "pin": 17, "width": 2.5, "mode": "é", "on": True, "points": 2, "y": 2,
        "odd": "z", "none": False, "fallback": 7, "all": request}}
    assert host.call("a", {})["error"]["message"] == "pin is missing, or no integer"
    assert "mode is missing" in host.call("a", {"pin": 1, "mode": 7})["error"]["message"]
    ends_well(host)


def test_a_result_may_be_nested(run):
    host = run('''
        pifleet_put_list(call, "list");
        for (int i = 0; i < 3; i++) {
                pifleet_put_object(call, NULL);
                pifleet_put_integer(call, "i", i);
                pifleet_put_end(call);
        }
        pifleet_put_text(call, NULL, NULL);
        pifleet_put_end(call);
        pifleet_put_json(call, "raw", " [1, {\\"a\\": 2.50}]\\n");
        pifleet_put_text(call, "bytes", "\\xff<");
        return 0;''')
    assert host.call("a") == {"result": {"list": [{"i": 0}, {"i": 1}, {"i": 2}, None],
                                         "raw": [1, {"a": 2.5}], "bytes": "\ufffd<"}}
    ends_well(host)


@pytest.mark.parametrize("body, words", [
    ('pifleet_put_integer(call, "n", INT64_C(1) << 54);', "n: an integer is beyond 2^53"),
    ('pifleet_put_number(call, "n", 0.0 / *(volatile double *)&(double){0});', "n: not a number"),
    ('pifleet_put_object(call, "n");', "left open"), ("pifleet_put_end(call);", "put_end() without"),
    ('pifleet_put_text(call, NULL, "x");', "none in an object"),
    ('pifleet_put_list(call, "l"); pifleet_put_text(call, "x", "x"); pifleet_put_end(call);',
     "a name in a list"),
    ('pifleet_put_json(call, "j", "{");', "j: "), ('pifleet_put_json(call, "j", NULL);', "j: "),
    ('pifleet_put_json(call, "j", "NaN");', "j: "),
    ('for (int i = 0; i < 40; i++) pifleet_put_object(call, "d");', "nested too deep"),
    ('for (int i = 0; i < 100000; i++) pifleet_put_text(call, "m", "0123456789");', "over 1 MiB")])
def test_a_result_that_cannot_travel_is_an_error_of_the_call(run, body, words):
    host = run(body + "\nreturn 0;")
    error = host.call("a")["error"]
    assert error["type"] == "BadReply" and words in error["message"]
    assert host.call("ok") == {"result": {}}
    ends_well(host)


def test_a_result_of_the_greatest_length_travels(run):
    host = run('''
        static char text[1 << 20];
        size_t length = (size_t)pifleet_get_integer(call, "n", 0);

        memset(text, 'x', length);
        text[length] = '\\0';
        pifleet_put_text(call, "a", text);
        return 0;''')
    overhead = len(b'{"reply":1,"result":{"a":""}}')
    assert len(host.call("a", {"n": MAX - overhead})["result"]["a"]) == MAX - overhead
    for more in (1, 2, 3, 20):
        assert host.call("a", {"n": MAX - overhead + more})["error"]["type"] == "BadReply"
    ends_well(host)


@pytest.mark.parametrize("body, message, line", [
    ('return pifleet_fail(call, "pin %d is in use", 17);', "pin 17 is in use", 12),
    ('(void)pifleet_fail(call, "first");\nreturn pifleet_fail(call, "second");', "first", 12),
    ("return -EBUSY;", "Device or resource busy", None),
    ("return 3;", "the handler returned 3, without saying why", None),
    ("return PIFLEET_FAILED;", "the handler returned -4096, without saying why", None)])
def test_a_failure_is_told(run, body, message, line):
    host = run('pifleet_put_text(call, "not", "told");\n' + body)
    assert host.call("a") == {"error": {"type": "Failed", "message": message, "line": line,
                                        "traceback": ""}}
    ends_well(host)


def test_state_lives_between_calls(run):
    host = run('static int64_t n;\npifleet_put_integer(call, "n", ++n);\nreturn 0;')
    assert [host.call("a")["result"]["n"] for _ in range(3)] == [1, 2, 3]
    ends_well(host)


@pytest.mark.parametrize("body, verdict", [
    ("return 0;", True), ('return pifleet_fail(call, "no chip");', "no chip"),
    ("return -ENODEV;", "No such device"), ("pifleet_put_end(call); return 0;", None)])
def test_the_self_test_has_a_verdict(build, body, verdict):
    source = HEAD + "static int a(struct pifleet_call *call) { (void)call; return 0; }\n" \
        f"static int test(struct pifleet_call *call) {{ (void)call; {body} }}\n" \
        'PIFLEET_MODULE_TESTED(test, PIFLEET_COMMAND("a", a, NULL))'
    for wanted in (True, False):
        with Host(NATIVE, build(source)) as host:
            said = host.load("blink.c", self_test=wanted)["loaded"]["self_test"]
            if not wanted:
                assert said is None
            elif verdict is None:
                assert "put_end" in said
            else:
                assert said == verdict
            ends_well(host)


MODULE = "struct pifleet_call; static int f(struct pifleet_call *c) { (void)c; return 0; }\n"


@pytest.mark.parametrize("source, kind, words", [
    ("int x;", "BadCommands", "PIFLEET_MODULE"),
    ('PIFLEET_MODULE(PIFLEET_COMMAND("A", f, ""))', "BadCommandName", '"A" is no name'),
    ('PIFLEET_MODULE(PIFLEET_COMMAND("", f, ""))', "BadCommandName", "no name"),
    ('PIFLEET_MODULE(PIFLEET_COMMAND("a\\n", f, ""))', "BadCommandName", "no name"),
    ('PIFLEET_MODULE(PIFLEET_COMMAND(NULL, f, ""))', "BadCommandName", "no name"),
    (f'PIFLEET_MODULE(PIFLEET_COMMAND("{"a" * 65}", f, ""))', "BadCommandName", "no name"),
    ('PIFLEET_MODULE(PIFLEET_COMMAND("a", NULL, ""))', "BadCommands", "no handler"),
    ('PIFLEET_MODULE(PIFLEET_COMMAND("a", f, ""), PIFLEET_COMMAND("a", f, ""))', "BadCommands",
     "there twice"),
    ('__attribute__((visibility("default"))) const struct pifleet_module pifleet_module = {1, 257,'
     '(struct pifleet_command[257]){{0}}, 0};', "TooManyCommands", "257 commands"),
    ('__attribute__((visibility("default"))) const struct pifleet_module pifleet_module = {2, 1,'
     '0, 0};', "BadCommands", "version 2"),
    ('__attribute__((visibility("default"))) const struct pifleet_module pifleet_module = {1, 0,'
     '0, 0};', "BadCommands", "no commands"),
    ('int missing(void); int (*volatile p)(void) = missing;\nPIFLEET_MODULE(PIFLEET_COMMAND("a", f, ""))',
     "LinkError", "blink.c: undefined symbol: missing")])
def test_a_module_that_is_none_is_refused(build, source, kind, words):
    source = HEAD + MODULE + source
    with Host(NATIVE, build(source, "-Wno-unused-function")) as host:
        failure = host.load("blink.c")["load_failed"]
        assert failure["type"] == kind and words in failure["message"]
        assert ends_well(host) == b""


@pytest.mark.parametrize("content", [b"", b"no object", b"\x7fELF" + b"\0" * 100])
def test_what_is_no_shared_object_is_refused(content):
    with Host(NATIVE, content) as host:
        failure = host.load("blink.c")["load_failed"]
        assert failure["type"] == "LinkError" and failure["message"].startswith("blink.c: ")
        ends_well(host)


def test_an_object_cut_short_is_refused(build):
    whole = build(HEAD + MODULE + 'PIFLEET_MODULE(PIFLEET_COMMAND("a", f, ""))').read_bytes()
    for length in (64, 200, 1000):
        with Host(NATIVE, whole[:length], environment=AS_IT_IS) as host:
            try:
                assert host.load("blink.c")["load_failed"]["type"] == "LinkError"
            except Ended:  # the linker touched what is not there, and the agent sees a crash
                assert host.end()[0] == -signal.SIGBUS


@pytest.mark.parametrize("body, status", [
    ("*(volatile int *)8 = 1; return 0;", -signal.SIGSEGV), ("abort();", -signal.SIGABRT),
    ("raise(SIGBUS); return 0;", -signal.SIGBUS), ("_exit(0);", 0), ("_exit(3);", 3),
    ("raise(SIGTERM); return 0;", -signal.SIGTERM)])
def test_a_process_that_ends_in_a_call_says_nothing_false(run, body, status):
    host = run("(void)call;\n" + body)
    host.send({"call": 1, "command": "a", "request": {}})
    with pytest.raises(Ended):
        host.receive()
    assert host.end()[0] == status


@pytest.mark.parametrize("body", [
    "for (volatile int i = 0; i >= 0; i = !i) ;", "signal(SIGTERM, SIG_IGN); while (pause()) ;"])
def test_a_handler_that_never_returns_is_killed_from_outside(run, body):
    host = run(f'(void)call; puts("in");\n{body}\nreturn 0;')
    host.send({"call": 1, "command": "a", "request": {}})
    assert host.process.stdout.readline() == b"in\n"
    host.process.kill()
    with pytest.raises(Ended):
        host.receive()
    assert host.end()[0] == -signal.SIGKILL


def test_what_is_printed_arrives_and_never_on_the_protocol(run):
    host = run('(void)call; printf("line\\nno end"); fprintf(stderr, "err"); return 0;')
    assert host.call("a") == {"result": {}}
    assert host.process.stdout.read(11) == b"line\nno end"
    assert host.end() == (0, b"", b"err")


def test_descriptors_3_and_4_are_not_the_protocols_any_more(run):
    host = run('''
        int written = 0;
        for (int fd = 3; fd < 40; fd++)
                if (write(fd, "\\377\\377\\377\\377", 4) >= 0)
                        written++;
        pifleet_put_integer(call, "written", written);
        return 0;''')
    assert host.call("a") == {"result": {"written": 0}}
    ends_well(host)


def test_a_module_that_closes_all_descriptors_ends_the_host(run):
    host = run("(void)call; for (int fd = 3; fd < 1024; fd++) close(fd); return 0;")
    host.send({"call": 1, "command": "a", "request": {}})
    with pytest.raises(Ended):
        host.receive()
    assert host.end()[0] == 0


def test_a_forked_process_is_not_the_agents_partner(run):
    host = run('''
        int status = -1;
        pid_t pid = fork();
        if (pid > 0)
                waitpid(pid, &status, 0);
        pifleet_put_integer(call, "status", status);
        return 0;''', before="#include <sys/wait.h>")
    assert host.call("a") == {"result": {"status": 0}}
    assert host.call("ok") == {"result": {}}
    assert host.is_silent()


def test_no_child_inherits_the_protocol(run):
    host = run('''
        char said[16] = "";
        FILE *pipe = popen(pifleet_get_text(call, "command", ""), "r");
        if (!pipe || !fgets(said, sizeof(said), pipe))
                said[0] = '?';
        if (pipe)
                pclose(pipe);
        pifleet_put_text(call, "said", said);
        return 0;''')
    count = "ls -l /proc/self/fd | grep -c socket"
    assert host.call("a", {"command": count}) == {"result": {"said": "0\n"}}
    ends_well(host)


def test_a_thread_that_never_ends_does_not_keep_the_host(run):
    host = run('''
        pthread_t thread;
        (void)call;
        return -pthread_create(&thread, NULL, forever, NULL);''',
               before="#include <pthread.h>\nstatic void *forever(void *x) { while (pause()) ;\nreturn x; }")
    assert host.call("a") == {"result": {}}
    assert host.end()[0] == 0


def test_frames_may_come_in_pieces_and_several_at_once(run):
    host = run('pifleet_put_json(call, "r", pifleet_request_text(call)); return 0;')
    for byte in frame({"call": 1, "command": "a", "request": {"x": 1}}):
        host.send_bytes(bytes([byte]))
    assert host.receive() == {"reply": 1, "result": {"r": {"x": 1}}}
    host.send_bytes(b"".join(frame({"call": n, "command": "a", "request": {"x": n}})
                             for n in range(2000, 2600)))
    assert [host.receive()["reply"] for _ in range(600)] == list(range(2000, 2600))
    ends_well(host)


@pytest.mark.parametrize("size", [16 * 1024 - 60, 16 * 1024, 17 * 1024, 100_000, MAX, 8 * MAX])
def test_long_requests_arrive(run, size):
    host = run('pifleet_put_integer(call, "n", (int64_t)strlen(pifleet_get_text(call, "x", "")));\n'
               "return 0;")
    assert host.call("a", {"x": "x" * size}) == {"result": {"n": size}}
    assert host.call("a", {"x": ""}) == {"result": {"n": 0}}
    ends_well(host)


@pytest.mark.parametrize("data", [
    LENGTH.pack(16 * 1024 * 1024 + 1), LENGTH.pack(2**32 - 1), frame([]), frame({}), frame(7),
    LENGTH.pack(0), LENGTH.pack(1) + b"{", LENGTH.pack(2) + b"\xff\xfe", LENGTH.pack(4) + b"{}{}",
    frame({"call": 1}), frame({"load": {}}), frame({"call": "x", "command": "a", "request": {}}),
    frame({"call": -1, "command": "a", "request": {}}),
    frame({"call": 1, "command": "a", "request": []})])
@pytest.mark.parametrize("first", [True, False])
def test_an_agent_that_talks_nonsense_is_left(build, data, first):
    with Host(NATIVE, build(HEAD + MODULE + 'PIFLEET_MODULE(PIFLEET_COMMAND("a", f, ""))')) as host:
        if not first:
            host.load("blink.c")
        host.send_bytes(data)
        with pytest.raises(Ended):
            host.receive()
        status, _, err = host.end()
        assert status == 65 and b"does not keep to the protocol" in err


def test_orders_out_of_turn_are_nonsense(run):
    host = run("(void)call; return 0;")
    with pytest.raises(Ended):
        host.load("blink.c")
    assert host.end()[0] == 65


def test_half_a_frame_and_the_end_is_an_end(run):
    for data in (b"\0\0", LENGTH.pack(100) + b"{", LENGTH.pack(100_000) + b"{" * 50_000):
        host = run("(void)call; return 0;")
        host.send_bytes(data)
        ends_well(host)


def test_an_unknown_command_is_an_error(run):
    host = run("(void)call; return 0;")
    assert host.call("b")["error"]["type"] == "KeyError"
    ends_well(host)


def test_the_program_says_what_it_is_for():
    done = subprocess.run([*NATIVE, "--help"], capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode == 2 and b"started by pifleet-agent" in done.stderr


def test_the_header_stands_alone():
    for standard in ("c99", "gnu11", "gnu2x"):
        subprocess.run(["cc", f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                        "-fsyntax-only", f"-I{TOP / 'include'}", "-x", "c", "-"], check=True,
                       input=b"#include <pifleet/handler.h>\n", timeout=SECONDS)
    if shutil.which("clang"):
        subprocess.run(["clang", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                        f"-I{TOP / 'include'}", "-x", "c", "-"], check=True,
                       input=b"#include <pifleet/handler.h>\n", timeout=SECONDS)
