"""pifleet sign: its keys and signatures and those of minisign are each other's."""

import shutil
import stat
import subprocess

import pytest

from command_line import OK, PROGRAM, REFUSED, SECONDS, USAGE, Terminal, environment, run

needs_minisign = pytest.mark.skipif(not shutil.which("minisign"),
                                    reason="minisign is not installed")


def minisign(*words):
    return subprocess.run(["minisign", *map(str, words)], capture_output=True, text=True,
                          check=False, timeout=60)


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "lamp.py"
    path.write_text("def handle_lamp_on(request):\n    return {}\n")
    return path


def test_a_new_key_is_for_its_owners_eyes(tmp_path):
    key = tmp_path / "key"
    status, out, err = run("sign", "--make-key", key, "--unlocked")
    assert status == OK and out.strip() in (tmp_path / "key.pub").read_text()
    assert "trusted_keys" in err
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    status, _, err = run("sign", "--make-key", key, "--unlocked")
    assert status == REFUSED and "never replaced" in err and key.read_bytes() == before


@needs_minisign
def test_minisign_verifies_what_we_sign_with_a_key_of_ours(tmp_path, code):
    key = tmp_path / "key"
    public = run("sign", "--make-key", key, "--unlocked")[1].strip()
    assert run("sign", "--key", key, code)[0] == OK
    done = minisign("-V", "-P", public, "-m", code)
    assert done.returncode == 0 and "file:lamp.py" in done.stdout
    code.write_text("other\n")
    assert minisign("-V", "-P", public, "-m", code).returncode != 0


@pytest.mark.parametrize("where", ["folder", "here"])
def test_a_signature_is_on_the_disk_before_it_takes_the_place_of_another(tmp_path, code, where):
    key, trace = tmp_path / "key", tmp_path / "trace"
    run("sign", "--make-key", key, "--unlocked")
    path = code if where == "folder" else code.name
    subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=fsync,rename,renameat,renameat2",
                    PROGRAM, "sign", "--key", key, path], cwd=tmp_path, check=True,
                   env=environment(ASAN_OPTIONS="detect_leaks=0"), capture_output=True,
                   timeout=SECONDS)
    calls = [line.split()[1].partition("(")[0] for line in trace.read_text().splitlines()
             if "(" in line]
    assert [call.removesuffix("2").removesuffix("at") for call in calls] == ["fsync", "rename", "fsync"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "key", "key.pub", "lamp.py", "lamp.py.minisig", "trace"]


@needs_minisign
def test_we_sign_with_a_key_of_minisign(tmp_path, code):
    key, public = tmp_path / "key", tmp_path / "key.pub"
    assert minisign("-G", "-W", "-s", key, "-p", public).returncode == 0
    assert run("sign", code, PIFLEET_SIGN_KEY=str(key))[0] == OK
    assert minisign("-V", "-p", public, "-m", code).returncode == 0


@needs_minisign
def test_minisign_opens_a_locked_key_of_ours(tmp_path, code):
    key = tmp_path / "key"
    terminal = Terminal("sign", "--make-key", key)
    for _ in range(2):
        terminal.read_until(b": ")
        terminal.seen = b""
        terminal.type(b"correct horse\n")
    status, _ = terminal.end()
    assert status == OK
    done = subprocess.run(["minisign", "-S", "-s", key, "-m", code], input="correct horse\n",
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert run("sign", "--key", key, code, stdin=b"correct horse\n")[0] == OK
    assert minisign("-V", "-p", tmp_path / "key.pub", "-m", code).returncode == 0
    status, _, err = run("sign", "--key", key, code, stdin=b"wrong horse\n")
    assert status == REFUSED and "not the secret key's password" in err


@pytest.mark.parametrize("words", [[], ["--unlocked", "x"], ["--make-key", "k", "x"],
                                   ["--make-key", "k", "--key", "l"]])
def test_wrong_usage(words):
    assert run("sign", *words)[0] == USAGE


@pytest.mark.parametrize("key, sentence", [
    (None, "make one: pifleet sign --make-key"), ("nonsense", "no secret key of minisign")])
def test_a_key_that_cannot_be_used_names_the_next_step(tmp_path, code, key, sentence):
    path = tmp_path / "key"
    if key:
        path.write_text(key)
    status, _, err = run("sign", "--key", path, code)
    assert status == REFUSED and sentence in err
    assert not code.with_name("lamp.py.minisig").exists()


def test_one_file_that_is_not_there_does_not_hold_up_the_others(tmp_path, code):
    key = tmp_path / "key"
    run("sign", "--make-key", key, "--unlocked")
    status, _, err = run("sign", "--key", key, tmp_path / "absent", code)
    assert status == REFUSED and "absent cannot be read" in err
    assert code.with_name("lamp.py.minisig").exists()
