"""The command line program, as people and scripts use it."""

import json
import re
import shutil
import subprocess
import time

import pytest

from agent_process import BUILD, TOP
from command_line import (NO_CONNECTION, OK, PROGRAM, REFUSED, SECONDS, STATUS, USAGE,
                          environment, needs_agent, on_terminal, run)
from fake_agent import SILENCE, FakeAgent, Greeter
from ports import free_port

SUBCOMMANDS = ["call", "status", "setup", "passwd", "doctor", "deploy", "rollback", "handlers",
               "logs", "sign", "pub", "sub", "rpc"]


# ---- words ----


def test_without_words_it_explains_itself_and_counts_as_wrong_usage():
    status, out, _ = run()
    assert status == USAGE
    for name in (*SUBCOMMANDS, "help"):
        assert re.search(rf"^  {name}\b", out, re.MULTILINE)


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help_is_no_error(words):
    status, out, err = run(*words)
    assert (status, err) == (OK, "")
    assert "Usage: pifleet SUBCOMMAND" in out


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_subcommand_teaches_with_examples(name):
    status, out, err = run(name, "--help")
    assert (status, err) == (OK, "")
    assert "Examples:\n  " in out and "Exit status:" in out
    assert run("help", name) == (OK, out, "")
    assert max(map(len, out.splitlines())) <= 100


def test_version():
    status, out, _ = run("--version")
    assert status == OK and re.fullmatch(r"pifleet \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize("words, sentence", [
    (["stauts"], 'there is no subcommand "stauts"; did you mean "status"?'),
    (["frobnicate"], "pifleet --help lists them"),
    (["help", "cal"], 'did you mean "call"?'),
    (["call"], "something is missing: pifleet call COMMAND [KEY=VALUE ...]"),
    (["call", "ping", "--prot", "1"], "there is no option --prot; did you mean --port?"),
    (["call", "ping", "--port", "x"], "--port takes a whole number from 1 to 65535"),
    (["call", "ping", "17"], '"17" is not KEY=VALUE'),
    (["call", "ping", "a=1", "a=2"], '"a" is given twice'),
    (["call", "ping", "--socket", "x", "--port", "1"], "--socket excludes --host"),
    (["call", "ping", "--tls"], "TLS has a port of its own"),
    (["call", "ping", "--token=a", "--token-file=b"], "exclude each other"),
    (["call", "ping", "--token-file=/nonexistent"], "cannot be read: No such file"),
    (["status", "now"], 'pifleet status takes options only, not "now"'),
    (["setup", "--role", "king"], "viewer, operator, deployer or admin"),
    (["setup", "--name", "root"], "which stand for callers without a token"),
    (["setup", "--name", "a b"], "--name takes a name"),
])
def test_wrong_usage_is_told_with_what_would_be_right(words, sentence):
    status, out, err = run(*words)
    assert (status, out) == (USAGE, "")
    assert err.startswith("pifleet: ") and sentence in err


# ---- what describes the program ----


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_manual_knows_each_option(name):
    manual = (TOP / "docs/man/pifleet.1").read_text()
    assert f".Cm {name}" in manual
    for option in re.findall(r"^  --([a-z-]+)", run("help", name)[1], re.MULTILINE):
        assert f".It Fl -{option}" in manual, option


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_manuals_are_well_formed():
    pages = sorted((TOP / "docs/man").iterdir())
    assert pages
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True,
                          check=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_each_manual_is_installed():
    installed = json.loads((BUILD / "meson-info/intro-installed.json").read_text())
    manuals = {page: f"/man{page.suffix[1:]}/{page.name}"
               for page in (TOP / "docs/man").iterdir()}
    assert manuals
    for page, end in manuals.items():
        assert installed.get(str(page), "").endswith(end), page


def completions(*words, path):
    """What bash offers for the last of the words."""
    script = ('. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pifleet; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, TOP / "packaging/completion/pifleet.bash",
                           path, *words], capture_output=True, text=True, check=True,
                          env=environment(), timeout=SECONDS)
    assert done.stderr == ""
    return done.stdout.split()


def test_completion_offers_what_there_is(tmp_path):
    assert completions("st", path=PROGRAM) == ["status"]
    assert completions("help", "do", path=PROGRAM) == ["doctor"]
    (tmp_path / "sensors.py").touch()
    assert completions("deploy", str(tmp_path / "sen"), path=PROGRAM) == [
        str(tmp_path / "sensors.py")]
    assert completions("call", "ping", "--to", path=PROGRAM) == ["--token", "--token-file"]
    assert completions("setup", "--role", "a", path=PROGRAM) == ["admin"]
    assert completions("passwd", "--user", "a", path=PROGRAM) == []
    assert completions("pub", "t", "--will-t", path=PROGRAM) == ["--will-topic"]
    assert completions("sub", "t", "-q", "", path=PROGRAM) == ["0", "1", "2"]
    assert completions("pub", "t", "--file", str(tmp_path / "sen"), path=PROGRAM) == [
        str(tmp_path / "sensors.py")]
    (tmp_path / "pifleet").write_text(
        '#!/bin/sh\necho \'{"commands":[{"name":"ping","role":"viewer"},{"name":"$(id)"},'
        '{"name":"pin_mode"}]}\'\n')
    (tmp_path / "pifleet").chmod(0o755)
    assert completions("call", "pi", path=tmp_path / "pifleet") == ["ping", "pin_mode"]
    assert completions("rpc", "pi", path=tmp_path / "pifleet") == ["ping", "pin_mode"]
    (tmp_path / "pifleet").write_text(
        '#!/bin/sh\necho \'{"handlers":{"lamp.py":{"walls":{"uid":true}},"$(id).c":{},'
        '"blink.c":{"commands":{}}}}\'\n')
    for subcommand in ("rollback", "handlers", "logs"):
        assert completions(subcommand, "", path=tmp_path / "pifleet") == ["lamp.py", "blink.c"]


# ---- call ----


def test_a_call_sends_arguments_as_json_and_prints_json_to_a_pipe(tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("two\nlines\n")
    reply = {"success": True, "type": "echo", "timestamp": 1.5, "echo": {"a": [1]}}
    with FakeAgent({"echo": reply}) as fake:
        status, out, err = run("call", "echo", "n=17", "t=two words", "l=[1,2]", f"f=@{note}",
                               "i=@-", "--port", fake.port, stdin=b"from a pipe")
    assert (status, err) == (OK, "")
    assert json.loads(out) == reply and out.count("\n") == 1
    assert fake.requests == [{"command": "echo", "n": 17, "t": "two words", "l": [1, 2],
                              "f": "two\nlines\n", "i": "from a pipe"}]


def test_a_terminal_gets_readable_output():
    reply = {"success": True, "type": "x", "timestamp": 1.5, "uptime": 273840,
             "memory": {"total": 2**32, "used": 2**20}}
    with FakeAgent({"x": reply}) as fake:
        assert on_terminal("call", "x", "--port", fake.port, NO_COLOR="1") == (
            OK, "uptime  3d 4h\nmemory\n  total  4 GiB\n  used   1 MiB\n")
        status, shown = on_terminal("call", "x", "--port", fake.port)
        assert status == OK and "\033[1muptime\033[0m" in shown
        _, shown = on_terminal("call", "x", "--port", fake.port, TERM="dumb")
        assert "\033" not in shown
        assert json.loads(on_terminal("call", "x", "--port", fake.port, "--json")[1]) == reply


def test_text_forces_readable_output_into_a_pipe():
    with FakeAgent({"x": {"success": True, "pin": 17}}) as fake:
        assert run("call", "x", "--text", "--port", fake.port) == (OK, "pin  17\n", "")


HOSTILE = "\033]0;owned\007\u009b31m\u202e\x7f"


def test_nothing_an_agent_says_commands_the_terminal():
    replies = {"good": {"success": True, "text": HOSTILE, HOSTILE: [HOSTILE]},
               "bad": {"success": False, "error": HOSTILE, "code": HOSTILE}}
    with FakeAgent(replies) as fake:
        for words in (["good"], ["bad"], ["good", "--json"], ["bad", "--json"]):
            _, shown = on_terminal("call", *words, "--port", fake.port, NO_COLOR="1")
            assert "owned" in shown
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown), words
        out = run("call", "good", "--port", fake.port)[1]
        assert json.loads(out) == replies["good"]


def test_a_refusal_is_the_agents_sentence_and_status_1():
    reply = {"success": False, "type": "error", "error": "unknown command `pnig`; did you mean "
             "`ping`?", "code": "NO_METHOD"}
    with FakeAgent({"pnig": reply}) as fake:
        status, out, err = run("call", "pnig", "--text", "--port", fake.port)
        assert (status, out) == (REFUSED, "")
        assert err == "pifleet: unknown command `pnig`; did you mean `ping`? (NO_METHOD)\n"
        status, out, err = run("call", "pnig", "--port", fake.port)
        assert (status, json.loads(out)) == (REFUSED, reply)
        assert "did you mean `ping`?" in err


def test_a_unix_socket_is_an_address_too():
    with FakeAgent({"ping": {"success": True, "n": 1}}, local=True) as fake:
        assert run("call", "ping", "--text", "--socket", fake.path) == (OK, "n  1\n", "")


def test_a_long_reply_comes_whole():
    text = "x" * (8 << 20)
    with FakeAgent({"big": {"success": True, "text": text}}) as fake:
        status, out, _ = run("call", "big", "--port", fake.port)
    assert status == OK and json.loads(out)["text"] == text


def test_a_long_request_goes_whole(tmp_path):
    text = "y" * (8 << 20)
    (tmp_path / "big").write_text(text)
    answer = {"big": lambda request: {"success": True, "length": len(request["t"])}}
    with FakeAgent(answer) as fake:
        status, out, _ = run("call", "big", f"t=@{tmp_path}/big", "--port", fake.port)
    assert status == OK and json.loads(out)["length"] == len(text)


# ---- tokens ----


def check_token(request):
    good = request.get("token") == "secret-token"
    return {"success": True} if good else {"success": False, "error": "no such token",
                                            "code": "UNAUTHORIZED"}


@pytest.mark.parametrize("way", ["option", "file", "stdin", "environment"])
def test_a_token_is_shown_first_and_not_sent_along(way, tmp_path):
    (tmp_path / "token").write_text("secret-token\n")
    words, more = {
        "option": (["--token", "secret-token"], {}),
        "file": (["--token-file", tmp_path / "token"], {}),
        "stdin": (["--token-file", "-"], {"stdin": b"secret-token\r\n"}),
        "environment": ([], {"PIFLEET_TOKEN": "secret-token"}),
    }[way]
    with FakeAgent({"auth": check_token, "ping": {"success": True}}) as fake:
        assert run("call", "ping", *words, "--port", fake.port, **more)[0] == OK
    assert fake.requests == [{"command": "auth", "token": "secret-token"}, {"command": "ping"}]


def test_a_token_that_is_not_accepted_ends_it_there():
    with FakeAgent({"auth": check_token}) as fake:
        status, out, err = run("call", "restart_pi", "--token", "wrong", "--port", fake.port)
    assert (status, out) == (REFUSED, "")
    assert "the token is not accepted: no such token" in err and "wrong" not in err
    assert [request["command"] for request in fake.requests] == ["auth"]


# ---- no connection ----


def test_nobody_there_names_the_next_step():
    status, out, err = run("call", "ping", "--port", free_port())
    assert (status, out) == (NO_CONNECTION, "")
    assert "systemctl status pifleet-agent" in err and "./dev run" in err


def test_a_socket_that_is_not_there(tmp_path):
    status, _, err = run("call", "ping", "--socket", tmp_path / "none")
    assert status == NO_CONNECTION and str(tmp_path / "none") in err


def test_a_host_that_is_not_there():
    status, _, err = run("call", "ping", "--host", "no-such-host.invalid")
    assert status == NO_CONNECTION and "no-such-host.invalid" in err


def test_silence_ends_with_the_timeout():
    with FakeAgent({"ping": SILENCE}) as fake:
        started = time.monotonic()
        status, _, err = run("call", "ping", "--timeout", "0.3", "--port", fake.port)
        assert status == NO_CONNECTION and "no answer within 0.3 s" in err
        assert time.monotonic() - started < 20


@pytest.mark.parametrize("answer, sentence", [
    (None, "closed the connection without an answer"),
    (b"", "no answer within"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "is not an agent"),
    (b"[1]\n", "is not an agent"),
    (b'{"success": true', "no answer within"),
    (b'\xff\xfe\n', "is not an agent"),
    (b"[" * 100 + b"\n", "is not an agent"),
    (b"x" * (17 << 20), "larger than"),
], ids=["end", "nothing", "other protocol", "no object", "no line break", "no UTF-8", "too deep",
        "too long"])
def test_what_is_no_answer_is_told(answer, sentence):
    with FakeAgent({"ping": answer}) as fake:
        patience = 0.5 if sentence == "no answer within" else 20
        status, out, err = run("call", "ping", "--timeout", patience, "--port", fake.port)
    assert (status, out) == (NO_CONNECTION, "")
    assert sentence in err


def test_blank_lines_are_no_replies():
    with FakeAgent({"ping": b'\r\n  \n{"success": true, "n": 2}\r\n{"late": 1}\n'}) as fake:
        assert run("call", "ping", "--text", "--port", fake.port) == (OK, "n  2\n", "")


def test_output_that_nobody_reads_is_an_error_not_a_signal():
    with FakeAgent({"ping": {"success": True, "text": "x" * (4 << 20)}}) as fake:
        process = subprocess.Popen([PROGRAM, "call", "ping", "--port", str(fake.port)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment())
        process.stdout.close()
        assert b"cannot be printed" in process.stderr.read()
        assert process.wait(timeout=SECONDS) == REFUSED
        process.stderr.close()


# ---- TLS ----


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
                   check=True, capture_output=True)
    return directory / "cert.pem", directory / "key.pem"


def test_tls_trusts_who_it_is_told_to_trust(certificate):
    with FakeAgent({"ping": {"success": True, "n": 3}}, certificate=certificate) as fake:
        where = ["--host", "localhost", "--port", fake.port]
        assert run("call", "ping", "--text", *where, "--ca", certificate[0]) == (OK, "n  3\n", "")
        assert run("call", "ping", "--text", *where, "--insecure") == (OK, "n  3\n", "")
        status, out, err = run("call", "ping", *where, "--tls", "--token", "do-not-send-this")
        assert (status, out) == (NO_CONNECTION, "")
        assert "--ca FILE" in err
    assert all("token" not in request for request in fake.requests)


def test_tls_to_a_port_that_does_not_speak_it():
    with Greeter(b"hello\n") as stranger:
        status, _, err = run("call", "ping", "--tls", "--port", stranger.port, "--timeout", "5")
        assert status == NO_CONNECTION and "TLS" in err


def test_an_authority_that_cannot_be_read(tmp_path):
    with FakeAgent({}) as fake:
        status, _, err = run("call", "ping", "--ca", tmp_path / "none.pem", "--port", fake.port)
    assert status in (USAGE, NO_CONNECTION) and "none.pem" in err


# ---- status ----


METRICS = {"success": True, "type": "get_metrics", "timestamp": 1.5, "cpu_percent": 12.34,
           "network": {"eth0": {"bytes_recv": 2048, "bytes_sent": 0}}}


def test_status_is_one_page():
    with FakeAgent({"get_status": STATUS, "get_metrics": METRICS}) as fake:
        status, out, _ = run("status", "--text", "--port", fake.port)
        assert status == OK
        assert out == ("status\n  device_id  pi-1\n  version    0.1.0\n  uptime     1h 1m\n"
                       "metrics\n  cpu_percent  12.3 %\n  network\n"
                       "          bytes_recv  bytes_sent\n"
                       "    eth0  2 KiB       0 B\n")
        status, out, _ = run("status", "--port", fake.port)
        assert status == OK
        assert json.loads(out)["metrics"]["cpu_percent"] == 12.34


def test_status_without_the_right_to_it():
    refusal = {"success": False, "error": "authenticate first", "code": "UNAUTHORIZED"}
    with FakeAgent({"get_status": refusal}) as fake:
        status, out, err = run("status", "--port", fake.port)
    assert (status, out) == (REFUSED, "") and "authenticate first (UNAUTHORIZED)" in err
    assert "--token-file FILE, or the token in $PIFLEET_TOKEN" in err


# ---- with the real agent ----


@needs_agent
def test_the_real_agent_answers(start_agent):
    agent = start_agent()
    for where in (["--port", agent.port], ["--socket", agent.socket]):
        assert json.loads(run("call", "ping", *where)[1])["type"] == "pong"
        assert run("status", *where)[0] == OK
        status, _, err = run("call", "pnig", "--text", *where)
        assert status == REFUSED and "ping" in err
    out = run("call", "echo", "a=[1,2]", "--port", agent.port)[1]
    assert json.loads(out)["echo"] == {"a": [1, 2]}


@needs_agent
def test_the_real_agent_takes_the_token_that_setup_made(start_agent, tmp_path):
    path = tmp_path / "agent.yaml"
    token = run("setup", "--config", path)[1].strip()
    item = re.search(r'hash: "(.*)"', path.read_text())[1]
    agent = start_agent(config={"access": {"mode": "token", "tokens": [
        {"name": "admin", "hash": item, "role": "admin"}]}})
    assert run("call", "get_status", "--port", agent.port)[0] == REFUSED
    assert run("call", "get_status", "--port", agent.port, PIFLEET_TOKEN=token)[0] == OK
    status, _, err = run("status", "--port", agent.port, PIFLEET_TOKEN=token[:-1] + "x")
    assert status == REFUSED and "not accepted" in err


@pytest.mark.parametrize("words, command, members", [
    (["call", "ping"], "ping", {}), (["call", "ping", "--text"], "ping", {}),
    (["clients", "--text"], "mqtt_clients", {"clients": [{"client_id": "a"}], "next": None}),
    (["handlers", "--text"], "handler_stats", {"handlers": {"a.py": {"state": "running"}}}),
    (["logs", "a.py", "--text"], "handler_logs", {"lines": [{"text": "hello"}]}),
])
def test_output_that_cannot_be_written_is_a_failure_that_says_why(words, command, members):
    reply = {"success": True, "type": "x", "timestamp": 1.5, **members}
    with FakeAgent({command: reply}) as fake, open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, *words, "--port", str(fake.port)], stdout=full,
                              stderr=subprocess.PIPE, env=environment(), timeout=SECONDS,
                              check=False)
    assert done.returncode == REFUSED
    assert done.stderr.endswith(b" cannot be printed: No space left on device\n"), done.stderr
