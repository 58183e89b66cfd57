"""pifleet deploy, rollback, handlers and logs, against an agent that plays along."""

import json
import signal

import pytest

from command_line import NO_CONNECTION, OK, REFUSED, USAGE, Terminal, on_terminal, run
from fake_agent import FakeAgent

LIVE = {"success": True, "type": "handler_updated", "filename": "handlers/lamp.py",
        "backup_created": ".backups/handlers_lamp.py_20261121_101500.backup",
        "validation_passed": True,
        "reload": {"success": True, "command_count": 2, "commands": ["lamp_on", "lamp_off"]},
        "timestamp": 1.5}
REFUSAL = {"success": False, "type": "handler_rejected",
           "error": "Code validation failed: Dangerous pattern detected: os.system(",
           "validation_details": {
               "valid": False, "layer": "security",
               "errors": ["Dangerous pattern detected: os.system(",
                          "Dangerous pattern detected: eval("],
               "locations": [{"line": 3, "column": 5}, {"line": 4, "column": 18}]},
           "timestamp": 1.5}
SOURCE = "import os\ndef handle_x(request):\n    os.system('ls')\n\tname = 'Zoë'; eval(name)\n"


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "lamp.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_the_file_goes_under_its_plain_name_and_the_reply_is_printed(module):
    with FakeAgent({"update_handler": LIVE}) as fake:
        status, out, err = run("deploy", module, "--port", fake.port)
    assert (status, err) == (OK, "")
    assert json.loads(out) == LIVE
    assert fake.requests == [{"command": "update_handler", "filename": "lamp.py", "code": SOURCE}]


def test_a_dry_run_says_so_to_the_agent(module):
    checked = {**LIVE, "type": "handler_checked", "backup_created": None}
    with FakeAgent({"update_handler": checked}) as fake:
        status, out, _ = run("deploy", "--dry-run", module, "--text", "--port", fake.port)
    assert fake.requests[0]["dry_run"] is True
    assert status == OK and "checked after" in out and "nothing was changed" in out


def test_success_is_a_line_for_each_check_and_the_new_commands(module):
    with FakeAgent({"update_handler": LIVE}) as fake:
        status, shown = on_terminal("deploy", module, "--port", fake.port, NO_COLOR="1")
    lines = shown.splitlines()
    assert status == OK and lines[0] == str(module)
    assert [line.split()[:2] for line in lines[1:8]] == [
        ["ok", layer] for layer in ("quota", "syntax", "security", "protected", "dependency",
                                    "import", "runtime")]
    assert lines[8].startswith("  live after ")
    assert lines[9:] == ["  commands lamp_on, lamp_off",
                         "  before   .backups/handlers_lamp.py_20261121_101500.backup"]


def test_a_refusal_shows_each_place_in_the_source_with_a_caret(module):
    with FakeAgent({"update_handler": REFUSAL}) as fake:
        status, shown = on_terminal("deploy", module, "--port", fake.port, NO_COLOR="1")
    assert status == REFUSED
    assert shown.splitlines()[3:] == [
        "  refused  security",
        f"{module}:3:5: Dangerous pattern detected: os.system(",
        "    3 |     os.system('ls')",
        "      |     ^",
        f"{module}:4:18: Dangerous pattern detected: eval(",
        "    4 | \tname = 'Zoë'; eval(name)",
        "      | \t                ^"]


def test_a_refusal_goes_whole_into_a_pipe_and_its_sentence_to_standard_error(module):
    with FakeAgent({"update_handler": REFUSAL}) as fake:
        status, out, err = run("deploy", module, "--port", fake.port)
    assert status == REFUSED and json.loads(out) == REFUSAL and REFUSAL["error"] in err


@pytest.mark.parametrize("reply, shown", [
    ({"success": False, "error": "not for a viewer", "code": "FORBIDDEN"}, "not for a viewer"),
    ({"success": False}, "refused without saying why"),
    ({"success": False, "error": "bad", "validation_details": {"layer": "magic"}}, "bad"),
    ({"success": False, "error": "bad", "validation_details": {
        "layer": "syntax", "errors": ["worse"], "locations": [{"line": 99, "column": 1}]}},
     "lamp.py:99:1: worse"),
    ({"success": False, "error": "bad", "validation_details": {
        "layer": "syntax", "errors": ["expected ':'"], "locations": [{"line": 1, "column": 10}]}},
     "    1 | import os\n      |          ^"),
    ({"success": False, "error": "bad", "validation_details": {
        "layer": "import", "errors": ["ValueError: no lamp"], "locations": [{}],
        "traceback": "lamp.py, line 1\n\x1b]0;owned\x07"}}, "\\x1b]0;owned\\x07"),
    ({**LIVE, "unchanged": True}, "this very code is live already"),
])
def test_whatever_the_agent_says_is_shown(module, reply, shown):
    with FakeAgent({"update_handler": reply}) as fake:
        _, out = on_terminal("deploy", module, "--port", fake.port, NO_COLOR="1")
    assert shown in out and "\x1b" not in out


def test_one_refusal_does_not_hold_up_the_others(module, tmp_path):
    other = tmp_path / "other.py"
    other.write_text("x = 1\n")
    answers = {"update_handler": lambda request: REFUSAL if "lamp" in request["filename"] else LIVE}
    with FakeAgent(answers) as fake:
        status, _, _ = run("deploy", module, other, "--port", fake.port)
    assert status == REFUSED
    assert [request["filename"] for request in fake.requests] == ["lamp.py", "other.py"]


def test_a_signature_beside_the_file_is_sent_along(module):
    module.with_name("lamp.py.minisig").write_text("untrusted comment: x\n")
    with FakeAgent({"update_handler": LIVE}) as fake:
        assert run("deploy", module, "--port", fake.port)[0] == OK
    assert fake.requests[0]["signature"] == "untrusted comment: x\n"


@pytest.mark.parametrize("content, sentence", [
    (b"", "is empty"), (b"x\0y", "not text in UTF-8"), (b"\xff", "not text in UTF-8"),
    (None, "cannot be read: No such file")])
def test_a_file_that_cannot_be_sent_is_told(tmp_path, content, sentence):
    path = tmp_path / "lamp.py"
    if content is not None:
        path.write_bytes(content)
    with FakeAgent({"update_handler": LIVE}) as fake:
        status, out, err = run("deploy", path, "--port", fake.port)
    assert (status, out) == (REFUSED, "") and sentence in err and fake.requests == []


def test_without_an_agent_nothing_is_deployed(module):
    with FakeAgent({"update_handler": None}) as fake:
        assert run("deploy", module, "--port", fake.port)[0] == NO_CONNECTION


@pytest.mark.parametrize("save", ["write", "replace"])
def test_watch_deploys_again_each_time_the_file_is_saved(module, save):
    with FakeAgent({"update_handler": LIVE}) as fake:
        terminal = Terminal("deploy", "--watch", module, "--port", fake.port, NO_COLOR="1")
        terminal.read_until(b"watching")
        for round_number in range(2):
            code = f"x = {round_number}\n"
            if save == "write":
                module.write_text(code)
            else:
                draft = module.with_name("draft")
                draft.write_text(code)
                draft.rename(module)
            terminal.seen = b""
            terminal.read_until(b"before ")
        terminal.process.send_signal(signal.SIGINT)
        terminal.end()
    assert [request["code"] for request in fake.requests] == [SOURCE, "x = 0\n", "x = 1\n"]


def test_rollback_names_module_and_version():
    reply = {"success": True, "version": "9f86d081"}
    with FakeAgent({"rollback_handler": reply}) as fake:
        assert run("rollback", "lamp.py", "--port", fake.port)[0] == OK
        assert run("rollback", "lamp.py", "--version", "9f86d081", "--port", fake.port)[0] == OK
    assert fake.requests == [
        {"command": "rollback_handler", "filename": "lamp.py"},
        {"command": "rollback_handler", "filename": "lamp.py", "version": "9f86d081"}]


def test_handlers_are_a_table_for_people():
    module = {"state": "live", "restarts": 1, "memory": 2**20, "rollback_suggested": True,
              "commands": {"lamp_on": {"calls": 3, "errors": 1},
                           "lamp_off": {"calls": 4, "errors": 0}}}
    with FakeAgent({"handler_stats": {"success": True, "handlers": {"lamp.py": module}}}) as fake:
        status, shown = on_terminal("handlers", "--port", fake.port, NO_COLOR="1")
        assert status == OK
        assert [line.split() for line in shown.splitlines()[1:]] == [
            ["module", "state", "commands", "calls", "errors", "memory", "advice"],
            ["lamp.py", "live", "2", "7", "1", "1", "MiB", "roll", "back"]]
        out = run("handlers", "lamp.py", "--port", fake.port)[1]
        assert json.loads(out)["handlers"]["lamp.py"] == module
    assert fake.requests[-1] == {"command": "handler_stats", "filename": "lamp.py"}


def test_no_modules_yet_names_the_next_step():
    with FakeAgent({"handler_stats": {"success": True, "handlers": {}}}) as fake:
        status, _, err = run("handlers", "--text", "--port", fake.port)
    assert status == OK and "pifleet deploy FILE" in err


def test_logs_are_lines_with_their_time_and_stream():
    lines = [{"time": 1795255200.5, "stream": "stdout", "text": "hello"},
             {"time": 1795255201.5, "stream": "stderr", "text": "oh\x1b[2J"},
             {"time": 1795255202.5, "stream": "agent", "text": "started"}]
    with FakeAgent({"handler_logs": {"success": True, "lines": lines}}) as fake:
        status, out, _ = run("logs", "lamp.py", "--lines", "3", "--text", "--port", fake.port)
    assert status == OK
    assert out == ("11-21 10:00:00   hello\n11-21 10:00:01 ! oh\\x1b[2J\n"
                   "11-21 10:00:02 = started\n")
    assert fake.requests == [{"command": "handler_logs", "filename": "lamp.py", "lines": 3}]


@pytest.mark.parametrize("words", [["deploy"], ["rollback"], ["logs"], ["handlers", "a", "b"],
                                   ["logs", "a", "--lines", "0"]])
def test_wrong_usage(words):
    assert run(*words)[0] == USAGE
