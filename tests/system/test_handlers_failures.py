"""Modules that hang, crash, flood, lie and eat: their callers are told, nobody else notices."""

import os
import signal
import time

import pytest

from handler_modules import (deploy, echo, must_deploy, one_command, rejected, stats, until)

FAST = {"handlers": {"timeout": 1}}


@pytest.fixture
def agent(start_agent):
    """With short deadlines, and a good module as a witness."""
    agent = start_agent(config=FAST)
    with agent.connect() as client:
        must_deploy(client, echo("witness", name="witness"), "witness.py")
        yield agent
        reply = client.call("witness")
        assert reply["success"] and reply["version"] == "witness", reply
        assert stats(client, "witness.py")["restarts"] == 0


@pytest.fixture
def client(agent):
    with agent.connect() as connected:
        yield connected


@pytest.mark.parametrize("code, why", [
    ("raise RuntimeError('at import')", "line 1: RuntimeError: at import"),
    ("import sys\nsys.exit(0)", "SystemExit"),
    ("import os\nos._exit(0)", "exited with status 0"),
    ("import os\nos.abort()", "killed by SIGABRT"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
    ("x = bytearray(4 << 30)", "Import failed"),
    ("import os\nos.closerange(0, 1000)\nwhile True:\n    pass", "Import failed"),
    ("import sys\nprint(sys.stdin.read())", "Import failed"),
    ("for _ in range(1 << 17):\n    print('x' * 1024)", "printed more than 4 MiB"),
    ("x = 1", "no commands"),
    ("COMMAND_HANDLERS = {'a': 1}", "the command a is no function"),
], ids=lambda text: None if " " in text or "(" in text else text)
def test_an_import_that_goes_wrong_is_refused(client, code, why):
    assert why in rejected(deploy(client, code + "\n"), "import")


@pytest.mark.parametrize("table, layer, words", [
    ("{'Run': f}", "protected", "'Run' is no name for a command"),
    ("{7: f}", "protected", "the command '7' is no text"),
    ("{f'c{n}': f for n in range(257)}", "quota", "257 commands; a module has 256 at most"),
    ("{'a': 7}", "import", "Import failed"), ("{}", "import", "Import failed"),
], ids=["name", "type", "count", "function", "empty"])
def test_a_table_of_commands_that_is_none_says_what_is_wrong(client, table, layer, words):
    code = f"def f(request):\n    return {{}}\n\n\nCOMMAND_HANDLERS = {table}\n"
    assert rejected(deploy(client, code), layer).startswith(words)


def test_an_import_that_does_not_end_is_ended(client):
    before = time.monotonic()
    assert "was not loaded within 10 s" in rejected(
        deploy(client, "while True:\n    pass\n"), "import")
    assert time.monotonic() - before < 20


def test_a_thread_that_outlives_the_import_is_no_harm(client):
    must_deploy(client, "import threading\nimport time\n\n"
                "threading.Thread(target=time.sleep, args=(600,)).start()\n" + echo("1"))
    assert client.call("answer")["version"] == "1"


@pytest.mark.parametrize("body", [
    "while True:\n    pass",
    "while True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass",
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)",
    "re.match(r'(a+)+$', 'a' * 60 + 'b')",
    "return {'n': len(str(3 ** 3 ** 16))}",
], ids=["loop", "swallows", "ignores", "regex", "integers"])
def test_a_call_that_does_not_end_is_ended(client, body):
    must_deploy(client, one_command(body, imports="import re\nimport signal\nimport time") +
                one_command("return {'fine': 1}", name="fine"))
    before = time.monotonic()
    reply = client.call("run_it")
    assert 0.9 < time.monotonic() - before < 6
    assert reply["code"] == "EXPIRED"
    assert reply["error"] == ("run_it did not answer within 1 s; its module camera_handlers.py "
                              "was stopped and is started again")
    assert fine(client)
    assert stats(client)["commands"]["run_it"]["timeouts"] == 1


def fine(client):
    """A call waits for a host that is being started, but no longer than its second."""
    reply = until(lambda: (one := client.call("fine")).get("code") != "EXPIRED" and one, client)
    return reply["fine"] == 1


@pytest.mark.parametrize("body, why", [
    ("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
    ("os.abort()", "was killed by SIGABRT"),
    ("os.kill(os.getpid(), signal.SIGBUS)", "was killed by SIGBUS"),
    ("os._exit(0)", "exited with status 0"),
], ids=["SIGSEGV", "SIGABRT", "SIGBUS", "exit"])
def test_a_crash_in_a_call_is_told_to_its_caller(client, body, why):
    must_deploy(client, one_command(body, imports="import os\nimport signal") +
                one_command("return {'fine': 1}", name="fine"))
    reply = client.call("run_it")
    assert reply["error"] == f"run_it failed: its module camera_handlers.py {why}"
    assert fine(client)


@pytest.mark.parametrize("result, words", [
    ("None", "not dict"), ("[1]", "not dict"), ("{'x': float('nan')}", "nan"),
    ("{'x': object()}", "cannot be written as JSON"), ("{'x': 'a' * (2 << 20)}", "bytes of JSON"),
    ("{'x': '\\ud800'}", "surrogate"), ("{'x': 2 ** 60}", "2**53"),
    ("eval_deep()", "nested deeper"),
])
def test_a_result_that_is_none_is_an_error_of_the_call(client, result, words):
    must_deploy(client, one_command(
        f"return {result}",
        imports="def eval_deep():\n    deep = {}\n    for _ in range(100):\n"
                "        deep = {'x': deep}\n    return deep"))
    reply = client.call("run_it")
    assert not reply["success"] and "BadReply" in reply["error"] and words in reply["error"]
    assert stats(client)["restarts"] == 0


@pytest.mark.parametrize("sent", [
    "b'\\0\\0\\0\\x02{}'", "b'\\0\\0\\0\\0'", "b'\\xff\\xff\\xff\\xff'", "b'\\0\\0\\0\\x04nope'",
    "b'\\0\\0\\0\\x19{\"reply\":99,\"result\":{}}  '", "b'\\0\\0\\0\\x19{\"reply\":1'",
], ids=["object", "empty", "huge", "garbage", "wrong-id", "half"])
def test_what_is_not_of_the_protocol_ends_the_host(client, sent):
    must_deploy(client, one_command(
        f"for fd in range(request['from'], 64):\n    try:\n        os.write(fd, {sent})\n"
        "    except OSError:\n        pass\ntime.sleep(0.2)\nreturn {}",
        imports="import os\nimport time") + one_command("return {'fine': 1}", name="fine"))
    reply = client.call("run_it", **{"from": 3})
    assert not reply["success"], reply
    assert fine(client)
    assert stats(client)["restarts"] == 1


def test_what_a_module_prints_is_kept_and_never_believed(client):
    must_deploy(client, one_command(
        "print('{\"reply\":1,\"result\":{}}')\nos.write(2, b'\\xff\\x00\\n')\n"
        "os.write(1, b'no end')\nreturn {}", imports="import os"))
    assert client.call("run_it") | {"timestamp": 0} == {
        "success": True, "type": "run_it", "timestamp": 0}

    def lines():
        got = client.call("handler_logs", filename="camera_handlers.py")["lines"]
        return len(got) >= 2 and got

    texts = {one["text"]: one["stream"] for one in until(lines, client)}
    assert texts['{"reply":1,"result":{}}'] == "stdout"
    assert texts["\ufffd\u0000"] == "stderr"


def test_a_flood_of_output_ends_the_host(client):
    must_deploy(client, one_command("while True:\n    print('flood' * 1000)"))
    reply = client.call("run_it")
    assert "printed more than 4 MiB" in reply["error"], reply


def test_a_child_that_holds_the_pipes_dies_with_its_host(client):
    must_deploy(client, one_command(
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "return {'pid': child.pid}", imports="import os\nimport subprocess") +
        one_command("os._exit(1)", name="leave", imports="import os"))
    assert client.call("run_it")["pid"] > 0
    assert "exited with status 1" in client.call("leave")["error"]
    until(lambda: stats(client)["state"] == "serving" and stats(client)["tasks"] == 1, client)


def test_a_host_that_is_killed_from_outside_comes_back(client):
    must_deploy(client, echo("1"))
    os.kill(stats(client)["pid"], signal.SIGKILL)
    until(lambda: client.call("answer").get("version") == "1", client)
    assert stats(client)["restarts"] == 1


def test_calls_wait_in_their_order_and_no_more_than_may(agent, client):
    must_deploy(client, one_command("time.sleep(0.02)\nreturn {'n': request['n']}",
                                    imports="import time"))
    with agent.connect() as other:
        for number in range(100):
            other.send_request("run_it", n=number, id=number)
        replies = {reply["id"]: reply for reply in (other.receive() for _ in range(100))}
    busy = [number for number in replies if replies[number].get("code") == "BUSY"]
    done = [number for number in replies if replies[number]["success"]]
    assert len(done) + len(busy) + sum(
        replies[number].get("code") == "EXPIRED" for number in replies) == 100
    assert busy and done == sorted(done)
    assert all(replies[number]["n"] == number for number in done)


def test_more_than_five_errors_suggest_a_rollback_once(agent, client):
    must_deploy(client, one_command("return {'x': request['x']}"))
    for _ in range(5):
        assert client.call("run_it")["exception"] == "KeyError"
    assert stats(client)["rollback_suggested"] is False
    client.call("run_it")
    client.call("run_it")
    seen = stats(client)
    assert seen["rollback_suggested"] is True and "run_it" in seen["suggestion"]
    assert seen["commands"]["run_it"]["errors"] == 7
    assert seen["commands"]["run_it"]["last_error"] == "KeyError: 'x'"
    assert agent.stderr().count("rollback_suggested") == 1
    must_deploy(client, one_command("return {'x': request.get('x')}"))
    assert stats(client)["rollback_suggested"] is False


def test_what_a_module_says_of_its_own_is_no_error(client):
    must_deploy(client, one_command("return {'success': False, 'error': 'no film'}"))
    for _ in range(8):
        reply = client.call("run_it")
        assert reply["success"] is False and reply["error"] == "no film"
    seen = stats(client)
    assert seen["rollback_suggested"] is False and seen["commands"]["run_it"]["errors"] == 0


def test_a_module_that_crashes_waits_before_its_next_start(client):
    must_deploy(client, one_command("os._exit(1)", imports="import os"))
    for _ in range(2):
        client.call("run_it")
    reply = client.call("run_it")
    assert reply["code"] == "NOT_READY" and "it is started again in" in reply["error"]
    assert stats(client)["state"] == "restarting"


def test_a_spawner_that_is_killed_is_replaced_with_all_hosts(agent, client):
    must_deploy(client, echo("1"))
    spawner = [int(name) for name in os.listdir("/proc") if name.isdigit() and
               is_child(int(name), agent.process.pid)]
    assert len(spawner) == 1
    before = pids(client)
    os.kill(spawner[0], signal.SIGKILL)
    # The hosts of old may answer for a moment longer: they die of the spawner's end.
    until(lambda: all(pid not in (None, before[name]) for name, pid in pids(client).items()),
          client)
    until(lambda: client.call("answer").get("version") == "1", client)
    until(lambda: client.call("witness").get("version") == "witness", client)


def pids(client):
    handlers = client.call("handler_stats")["handlers"]
    return {name: handlers[name].get("pid") for name in ("camera_handlers.py", "witness.py")}


def is_child(pid, parent):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1]) == parent
    except OSError:
        return False


def test_nothing_outlives_the_agent(start_agent):
    agent = start_agent()
    with agent.connect() as client:
        must_deploy(client, one_command(
            "subprocess.Popen(['sleep', '7654'], start_new_session=True)\nreturn {}",
            imports="import subprocess"))
        client.call("run_it")
        pid = stats(client)["pid"]
    agent.process.kill()
    agent.wait()
    end = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}") or runs("sleep\0007654"):
        assert time.monotonic() < end, "something outlived the agent"
        time.sleep(0.05)


def runs(words):
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as line:
                    if line.read().startswith(words):
                        return True
            except OSError:
                pass
    return False
