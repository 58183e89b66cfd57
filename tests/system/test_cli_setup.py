"""`pifleet setup` and `pifleet passwd`: what they write, and whom they tell a secret."""

import os
import re
import signal
import stat
import subprocess

import pytest

from command_line import OK, PROGRAM, REFUSED, SECONDS, USAGE, Terminal, environment, run
from system_calls import KILL, each_point, options, was_reached


# ---- setup ----


def test_setup_makes_a_config_that_only_its_owner_reads(tmp_path):
    path = tmp_path / "new" / "agent.yaml"
    status, out, err = run("setup", "--config", path)
    assert status == OK
    assert re.fullmatch(r"pf_[0-9a-f]{72}\n", out)
    assert stat.S_IMODE(path.stat().st_mode) in (0o600, 0o640)
    assert out.strip() not in path.read_text() and out.strip() not in err
    assert "blake2b:" in path.read_text() and "role: admin" in path.read_text()
    assert "systemctl restart pifleet-agent" in err and "3000/tcp" in err


def test_setup_adds_to_a_config_and_leaves_the_rest(tmp_path):
    path = tmp_path / "agent.yaml"
    before = "# mine\ncommand: {port: 3001} # not 3000\naccess:\n  mode: open # for now\n"
    path.write_text(before)
    path.chmod(0o640)
    status, _, err = run("setup", "--config", path, "--name", "node-server", "--role", "deployer")
    assert status == OK
    assert path.read_text().startswith(before)
    assert re.fullmatch(r'  tokens:\n    - name: node-server\n      hash: "blake2b:[0-9a-f]{64}"\n'
                        r"      role: deployer\n", path.read_text()[len(before):])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert 'access.mode is "open"' in err and "3001/tcp" in err
    assert os.listdir(tmp_path) == ["agent.yaml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_setup_keeps_the_owner(tmp_path):
    path = tmp_path / "agent.yaml"
    path.write_text("command: {port: 1}\n")
    path.chmod(0o640)
    os.chown(path, 1, 2)
    assert run("setup", "--config", path)[0] == OK
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1, 2, 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("call", ["fchmod", "fchown", "fchownat", "fchmodat", "fsync", "renameat"])
def test_a_kill_leaves_the_agent_a_config_that_it_can_read(tmp_path, call):
    def attempt(name, number, folder):
        folder.mkdir(exist_ok=True)
        path, trace = folder / "agent.yaml", folder / "trace"
        path.write_text("command: {port: 1}\n")
        path.chmod(0o640)
        os.chown(path, 1, 2)
        ended = subprocess.run(["strace", "-f", "-o", trace, *options(name, KILL, number),
                                PROGRAM, "setup", "--config", path], capture_output=True,
                               env=environment(ASAN_OPTIONS="detect_leaks=0"),
                               timeout=SECONDS, check=False)
        status = path.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1, 2, 0o640)
        assert was_reached(trace) or ended.returncode == 0, ended.stderr
        return was_reached(trace)

    each_point(call, attempt, tmp_path / "at", print)


def test_setup_follows_a_link(tmp_path):
    (tmp_path / "real.yaml").write_text("command: {port: 1}\n")
    (tmp_path / "agent.yaml").symlink_to("real.yaml")
    assert run("setup", "--config", tmp_path / "agent.yaml")[0] == OK
    assert (tmp_path / "agent.yaml").is_symlink()
    assert "tokens:" in (tmp_path / "real.yaml").read_text()


def test_setup_refuses_a_name_that_is_taken(tmp_path):
    path = tmp_path / "agent.yaml"
    assert run("setup", "--config", path)[0] == OK
    before = path.read_text()
    status, out, err = run("setup", "--config", path)
    assert (status, out) == (REFUSED, "") and 'a token "admin" already' in err
    assert path.read_text() == before
    assert run("setup", "--config", path, "--name", "second")[0] == OK


def test_setup_prints_the_lines_for_a_file_it_dares_not_change(tmp_path):
    path = tmp_path / "agent.yaml"
    path.write_text("command: {port: 1}\n...\n")
    status, out, err = run("setup", "--config", path)
    assert status == REFUSED
    assert re.fullmatch(r"pf_[0-9a-f]{72}\n", out)
    assert "access:\n  tokens:\n    - name: admin\n      hash: \"blake2b:" in err
    assert path.read_text() == "command: {port: 1}\n...\n"


def test_setup_says_where_a_config_is_broken(tmp_path):
    path = tmp_path / "agent.yaml"
    path.write_text("access: [\n")
    status, out, err = run("setup", "--config", path)
    assert (status, out) == (REFUSED, "") and f"{path}: line 2" in err


def test_setup_in_a_place_that_is_not_ours(tmp_path):
    status, out, err = run("setup", "--config", "/proc/pifleet/agent.yaml")
    assert (status, out) == (REFUSED, "") and "/proc/pifleet/agent.yaml" in err


def test_setup_does_not_run_beside_itself(tmp_path):
    import fcntl
    directory = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    status, _, err = run("setup", "--config", tmp_path / "agent.yaml")
    assert status == REFUSED and "somebody else is changing it" in err
    os.close(directory)


# ---- passwd ----

HASH = r"\$argon2id\$v=19\$m=\d+,t=\d+,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"


def test_passwd_reads_a_line_from_a_pipe():
    status, out, err = run("passwd", stdin=b"correct horse\nmore\n")
    assert status == OK and re.fullmatch(f'hash: "{HASH}"\n', out)
    assert "access" in err
    status, out, _ = run("passwd", "--user", "ann", stdin=b"correct horse")
    assert re.fullmatch(rf'- {{name: "ann", role: viewer, hash: "{HASH}"}}\n', out)


def test_passwd_takes_a_line_break_of_any_kind_for_one():
    assert run("passwd", stdin=b"x" * 512 + b"\r\nmore\n")[0] == OK
    for typed in (b"seven77\r\n", b"seven77\r"):
        status, out, err = run("passwd", stdin=typed)
        assert (status, out) == (REFUSED, "") and "8 to 512 bytes" in err


@pytest.mark.parametrize("typed", [b"", b"short\n", b"x" * 513 + b"\n",
                                   b"x" * 513 + b"\r\n", b"nul\0in the middle\n"])
def test_passwd_refuses_what_is_no_secret(typed):
    status, out, err = run("passwd", stdin=typed)
    assert (status, out) == (REFUSED, "") and err.startswith("pifleet: ")


def test_passwd_asks_twice_and_shows_nothing_of_it():
    terminal = Terminal("passwd")
    terminal.read_until(b"Secret: ")
    terminal.type(b"correct horse\n")
    terminal.read_until(b"The same again: ")
    terminal.type(b"correct horse\n")
    status, shown = terminal.end()
    assert status == OK and re.search(HASH, shown)
    assert "correct" not in shown


def test_passwd_edits_a_password_file(tmp_path):
    users = tmp_path / "users"
    status, out, err = run("passwd", "--file", users, "--user", "ann", stdin=b"correct horse\n")
    assert (status, out, err) == (OK, "", "")
    assert re.fullmatch(f"ann:{HASH}\n", users.read_text())
    assert users.stat().st_mode & 0o7007 == 0 and users.stat().st_mode & 0o600 == 0o600
    users.write_text("# of the house\nben:$6$old\nann:x\n")
    users.chmod(0o640)
    status, _, err = run("passwd", "--file", users, "--user", "ben the younger", "--stdin",
                         stdin=b"battery staple\n")
    assert (status, err) == (OK, "")
    assert re.fullmatch(rf"# of the house\nben:\$6\$old\nann:x\nben the younger:{HASH}\n",
                        users.read_text())
    assert users.stat().st_mode & 0o7777 == 0o640
    before = users.read_text()
    assert run("passwd", "--file", users, "--user", "ann", "--delete")[0] == OK
    assert users.read_text() == before.replace("ann:x\n", "")
    assert os.listdir(tmp_path) == ["users"]


def test_passwd_leaves_the_file_alone_when_it_refuses(tmp_path):
    users = tmp_path / "users"
    users.write_text("ann:x\n")
    status, _, err = run("passwd", "--file", users, "--user", "ben", "--delete")
    assert status == REFUSED and 'no user "ben"' in err
    assert run("passwd", "--file", users, "--user", "ann", stdin=b"short\n")[0] == REFUSED
    for wrong in (["--file", users], ["--delete", "--user", "ann"],
                  ["--file", users, "--user", "a:b"], ["--file", users, "--user", "#a"]):
        status, out, err = run("passwd", *wrong, stdin=b"correct horse\n")
        assert status == USAGE and out == "" and err.startswith("pifleet: "), wrong
    assert users.read_text() == "ann:x\n"
    users.chmod(0o644)
    status, _, err = run("passwd", "--file", users, "--user", "ann", stdin=b"correct horse\n")
    assert status == OK and "chmod o=" in err


def test_passwd_from_standard_input_asks_once():
    terminal = Terminal("passwd", "--stdin")
    terminal.read_until(b"Secret: ")
    terminal.type(b"correct horse\n")
    status, shown = terminal.end()
    assert status == OK and re.search(HASH, shown)
    assert "correct" not in shown and "again" not in shown


def test_passwd_refuses_two_that_differ():
    terminal = Terminal("passwd")
    terminal.read_until(b"Secret: ")
    terminal.type(b"correct horse\n")
    terminal.read_until(b"The same again: ")
    terminal.type(b"correct house\n")
    status, shown = terminal.end()
    assert status == REFUSED and "not the same" in shown and "argon2id" not in shown


def test_passwd_that_is_interrupted_leaves_the_terminal_as_it_was():
    import termios
    terminal = Terminal("passwd")
    before = termios.tcgetattr(terminal.slave)
    terminal.read_until(b"Secret: ")
    assert not termios.tcgetattr(terminal.slave)[3] & termios.ECHO
    terminal.process.send_signal(signal.SIGTERM)
    terminal.process.wait(timeout=SECONDS)
    assert termios.tcgetattr(terminal.slave)[3] & termios.ECHO
    assert before[0] == termios.tcgetattr(terminal.slave)[0]
    assert terminal.end()[0] == -signal.SIGTERM
