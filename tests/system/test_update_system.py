"""The ten safety cases that whoever runs such a system looks at first. Each ends with the
module that was there before still answering, and a sentence that a person can act on."""

import pytest

from handler_modules import deploy, echo, must_deploy, one_command, rejected, until


@pytest.fixture
def client(agent):
    with agent.connect() as connected:
        yield connected


@pytest.fixture
def served(client):
    """A client of an agent with a good module in place, which must answer afterwards too."""
    must_deploy(client, echo("good"))
    yield client
    reply = client.call("answer")
    assert reply["success"] and reply["version"] == "good", reply


def test_1_a_syntax_error_is_refused_with_its_line(served):
    reply = deploy(served, "import os\n\ndef broken(request)\n    return {}\n")
    assert rejected(reply, "syntax").startswith("Syntax Error at line 3: expected ':'")
    assert reply["validation_details"]["locations"][0] == {"line": 3, "column": 20}


def test_2_a_dangerous_pattern_is_refused_and_named(served):
    reply = deploy(served, "import os\n\n\ndef handle_x(request):\n    os.system('reboot')\n")
    assert rejected(reply, "security") == "Dangerous pattern detected: os.system("
    assert reply["validation_details"]["locations"] == [{"line": 5, "column": 5}]


def test_2_a_text_that_only_mentions_one_is_fine(served):
    code = '# never os.system() nor eval()\nTEXT = "eval(1)"\n' + echo("good")
    assert deploy(served, code, dry_run=True)["success"]


def test_3_a_protected_import_is_refused(served):
    assert "pifleet" in rejected(deploy(served, "import pifleet_agent\n" + echo("bad")),
                                 "protected")


@pytest.mark.parametrize("filename", [
    "../agent.py", "/etc/passwd", "core/server.py", "agent.py", "subprocess.py", "handler.sh",
    "Camera.py", ".hidden.py", "x.py/", "x\u202e.py", "camera_handlers", "a" * 64 + ".py", ""])
def test_4_core_files_and_paths_cannot_be_written(served, filename):
    sentence = rejected(deploy(served, echo("bad"), filename=filename), "protected")
    assert sentence.startswith("Protected file name: ")


def test_4_a_name_without_its_suffix_is_told_both(served):
    sentence = rejected(deploy(served, echo("bad"), filename="camera_handlers"), "protected")
    assert sentence.endswith("lacks its suffix: camera_handlers.py or camera_handlers.c")


def test_4_protected_commands_cannot_be_taken(served):
    sentence = rejected(deploy(served, echo("bad", name="update_handler")), "protected")
    assert sentence.startswith("Protected command: update_handler")


def test_5_a_valid_module_is_live_at_once(client):
    first = must_deploy(client, echo("1"))
    assert first["type"] == "handler_updated"
    assert first["message"] == \
        "Handler camera_handlers.py updated successfully with safety checks"
    assert first["filename"] == "handlers/camera_handlers.py"
    assert first["backup_created"] is None and first["validation_passed"] is True
    assert first["reload"] == {"success": True, "command_count": 1, "commands": ["answer"]}
    assert client.call("answer", x=[1, {"y": None}])["got"] == {
        "command": "answer", "x": [1, {"y": None}]}

    second = must_deploy(client, echo("2"))
    assert second["backup_created"].startswith(".backups/handlers_camera_handlers.py_20")
    assert second["backup_created"].endswith(".backup")
    assert client.call("answer")["version"] == "2"
    assert must_deploy(client, echo("2"))["unchanged"] is True

    listed = {one["name"]: one for one in client.call("list_commands")["commands"]}
    assert listed["answer"]["source"] == "handlers/camera_handlers.py"
    assert listed["answer"]["role"] == "operator"
    assert listed["answer"]["description"] == "Says which version answers."


def test_6_a_new_version_that_crashes_goes_back_by_itself(served):
    must_deploy(served, echo("bad") + "\n\ndef crash(request):\n    import os\n    os.abort()\n"
                "\n\nCOMMAND_HANDLERS['crash'] = crash\n")
    crashes = 0

    def crash():
        nonlocal crashes
        reply = served.call("crash")
        if reply.get("code") == "HARDWARE":
            assert "SIGABRT" in reply["error"]
            crashes += 1
        return reply["code"] == "NO_METHOD"

    until(crash, served, seconds=60)
    assert crashes == 3
    entries = served.call("update_log", filename="camera_handlers.py")["entries"]
    assert entries[-1]["result"] == "rolled_back" and entries[-1]["who"] == "auto_rollback"


def test_6_with_auto_rollback_errors_bring_the_last_good_version_back(start_agent):
    with start_agent(config={"handlers": {"auto_rollback": True}}).connect() as client:
        must_deploy(client, echo("old"))
        must_deploy(client, one_command("raise ValueError('no')", name="answer"))
        for _ in range(6):
            assert "ValueError: no" in client.call("answer")["error"]
        until(lambda: client.call("answer").get("version") == "old", client)


def test_7_a_rollback_brings_the_version_before_back(client):
    must_deploy(client, echo("1"))
    must_deploy(client, echo("2"))
    reply = client.call("rollback_handler", filename="camera_handlers.py")
    assert reply["success"] and reply["reload"]["commands"] == ["answer"]
    assert client.call("answer")["version"] == "1"


def test_7_without_an_earlier_version_it_says_so(served):
    reply = served.call("rollback_handler", filename="camera_handlers.py")
    assert not reply["success"]
    assert reply["error"] == "No earlier version of camera_handlers.py"


def test_8_a_missing_dependency_is_named(served):
    sentence = rejected(deploy(served, "import picamera_of_tomorrow\n" + echo("bad")),
                        "dependency")
    assert "picamera_of_tomorrow" in sentence


def test_9_a_crash_at_import_harms_nobody(served):
    sentence = rejected(deploy(served, echo("bad") + "\nLEVELS = {}\nprint(LEVELS['x'])\n"),
                        "import")
    assert sentence == "Import failed at line 16: KeyError: 'x'"
    assert "is killed" not in sentence
    killed = deploy(served, "import os\n\nos.abort()\n" + echo("bad"))
    assert rejected(killed, "import").endswith("was killed by SIGABRT")


def test_10_a_handler_that_fails_tells_what_and_where(client):
    must_deploy(client, one_command("return {'ratio': 1 / request['by']}", name="divide"))
    assert client.call("divide", by=4)["ratio"] == 0.25
    reply = client.call("divide", by=0)
    assert reply["error"] == \
        "divide failed: ZeroDivisionError: division by zero (camera_handlers.py, line 5)"
    assert reply["exception"] == "ZeroDivisionError" and reply["line"] == 5
    assert reply["type"] == "error" and reply["code"] == "HARDWARE"
    assert client.call("divide", by=2)["ratio"] == 0.5
