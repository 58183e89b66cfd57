"""tools/compile-python: what it leaves is what runs, and nothing else."""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"
SAY = "import word\nprint(word.WORD, word.__spec__.cached)\n"


def run(*words, **more):
    return subprocess.run([PYTHON, TOP / "tools/compile-python", *words], text=True,
                          capture_output=True, timeout=60, env={**os.environ, **more}, check=False)


def place(tmp_path, **sources):
    """Makes tmp_path/built of sources, and gives what the tool said."""
    folder = tmp_path / "sources"
    folder.mkdir(exist_ok=True)
    files = []
    for name, text in sources.items():
        files.append(folder / f"{name}.py")
        files[-1].write_text(text)
    return run(tmp_path / "stamp", tmp_path / "built", *files)


def said(folder, *flags):
    return subprocess.run([PYTHON, "-I", "-S", "-B", *flags, folder], text=True,
                          capture_output=True, timeout=60, check=False)


SEARCH = "import sys\nsys.path.insert(0, __file__.rpartition('/')[0])\n"


@pytest.fixture
def built(tmp_path):
    done = place(tmp_path, __main__=SEARCH + SAY, word="WORD = 'first'\n")
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "stamp").exists()
    return tmp_path / "built"


def test_bytecode_is_used_without_the_source_being_compiled(built):
    (cached,) = (built / "__pycache__").glob("word.*.pyc")
    done = said(built, "-v")
    assert done.stdout == f"first {cached}\n"
    assert f"code object from '{built}/word.py'" not in done.stderr
    assert f"# {cached} matches {built}/word.py" in done.stderr


def test_an_edited_source_runs_whatever_its_time_says(built):
    source = built / "word.py"
    times = source.stat()
    source.write_text("WORD = 'other'\n")
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert said(built).stdout.startswith("other ")


def test_what_a_package_does_to_times_does_not_matter(built):
    os.utime(built / "word.py", (0, 0))
    assert f"matches {built}/word.py" in said(built, "-v").stderr


def test_a_source_that_is_no_more_leaves_nothing(tmp_path, built):
    assert place(tmp_path, __main__="print('alone')\n").returncode == 0
    assert sorted(one.name for one in built.iterdir()) == ["__main__.py", "__pycache__"]
    assert len(list((built / "__pycache__").iterdir())) == 1
    assert said(built).stdout == "alone\n"


def test_whoever_runs_it_may_read_it(tmp_path):
    before = os.umask(0o077)
    try:
        assert place(tmp_path, __main__="print('hello')\n").returncode == 0
    finally:
        os.umask(before)
    built = tmp_path / "built"
    modes = {one.stat().st_mode & 0o777 for one in (built, built / "__pycache__")}
    assert modes == {0o755}
    assert {one.stat().st_mode & 0o777 for one in built.rglob("*.py*") if one.is_file()} == {0o644}


def test_a_source_that_does_not_compile_fails_the_build(tmp_path):
    done = place(tmp_path, __main__="print(\n")
    assert done.returncode != 0 and "SyntaxError" in done.stderr
    assert not (tmp_path / "stamp").exists()


def test_an_installed_folder_is_compiled_below_destdir(tmp_path):
    folder = tmp_path / "root/usr/libexec/it"
    folder.mkdir(parents=True)
    (folder / "word.py").write_text("WORD = 'there'\n")
    assert run("--installed", "/usr/libexec/it", DESTDIR=str(tmp_path / "root")).returncode == 0
    assert list((folder / "__pycache__").glob("word.*.pyc"))


@pytest.mark.parametrize("words, status", [([], 2), (["--help"], 0), (["a", "b"], 2)])
def test_it_says_how_it_is_used(words, status):
    done = run(*words)
    assert done.returncode == status and "Usage: compile-python" in done.stdout
