"""tools/mqtt-conformance: this tree's tables are whole, each kind of fault is found."""

import importlib.machinery
import importlib.util
import pathlib

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]

TEST_FILE = '''
/* {"no row", 0} "no string */
TEST(it_works)
{
        static const struct row rows[] = {
                {"[MQTT-1.0.0-1] first, and \\"second\\"", "00"}, // {"no row either", 0}
                {"a name /* in "
                 "two parts", SCRIPT "01"},
                {"twice", 1},
                {"twice", 2},
        };
}
'''
TABLE = ("# number\tasks\tbinds\tproof\n"
         "1.0.0-1\tone\tserver\tsrc/mqtt/test-a.c:it_works\n"
         "1.0.0-2\ttwo\tclient\tnot ours: nobody can see it\n"
         "2.0.0-1\tthree\tboth\tsrc/mqtt/test-a.c:a name /* in two parts; "
         "tests/test_b.py:test_b\n"
         "2.0.0-2\tfour\tboth\tdoes not arise: it is not offered\n")


@pytest.fixture
def tool(monkeypatch):
    loader = importlib.machinery.SourceFileLoader("conformance",
                                                  str(TOP / "tools/mqtt-conformance"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    loader.exec_module(module)
    return module


class Tree:
    """A checkout with a small standard, whose table is whole."""

    def __init__(self, tool, top):
        self.tool, self.top = tool, top
        self.write("src/mqtt/test-a.c", TEST_FILE)
        self.write("src/mqtt/meson.build", "foreach name : ['a']\n")
        self.write("tests/test_b.py", "def test_b():\n")
        self.write("tests/conformance/mqtt-9.tsv", TABLE)
        self.write("docs/mqtt-conformance.md", "")
        self.tool.main(["--write", str(top)])

    def write(self, path, text):
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def complaints(self, capsys):
        capsys.readouterr()
        failed = self.tool.main([str(self.top)])
        lines = capsys.readouterr().out.splitlines()
        assert failed == (len(lines) > 1)
        return lines[:-1]


@pytest.fixture
def tree(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "STATEMENTS", {"9": "1.0.0: 1-2, 2.0.0: 1-2"})
    return Tree(tool, tmp_path)


def test_all_statements_of_this_tree_are_proved(tool, capsys):
    assert tool.main([]) == 0, capsys.readouterr().out


def test_the_standards_have_as_many_statements_as_they_say(tool):
    assert {version: len(tool.numbers_of(text)) for version, text in tool.STATEMENTS.items()} == {
        "3.1.1": 141, "5.0": 251}


def test_a_whole_table_passes(tree, capsys):
    assert tree.complaints(capsys) == []


@pytest.mark.parametrize("old, new, complaint", [
    ("1.0.0-2\ttwo\tclient\tnot ours: nobody can see it\n", "", "1: 1.0.0-2 is there 0 times"),
    ("1.0.0-2", "1.0.0-1", "1: 1.0.0-1 is there 2 times"),
    ("1.0.0-2", "1.0.0-3", "3: there is no statement 1.0.0-3"),
    ("2.0.0-1\tthree", "2.0.0-2\tthree", "1: not in the standard's order"),
    ("\ttwo\t", "\t\t", "3: not four columns with tabs between"),
    ("\ttwo\t", " two ", "3: not four columns with tabs between"),
    ("\tserver\t", "\tservers\t", "2: binds servers, and not server, client or both"),
    ("\tclient\t", "\tboth\t", "3: 1.0.0-2 is ours: it binds both"),
    ("test-a.c:it_works", "test-c.c:it_works", "2: there is no file src/mqtt/test-c.c"),
    ("test-a.c:it_works", "test-a.c:it_does", "2: src/mqtt/test-a.c has no test “it_does”"),
    ("test-a.c:it_works", "test-a.c:no row", "2: src/mqtt/test-a.c has no test “no row”"),
    ("test-a.c:it_works", "test-a.c:no row either",
     "2: src/mqtt/test-a.c has no test “no row either”"),
    ("test-a.c:it_works", "test-a.c:twice", "2: src/mqtt/test-a.c has more than one “twice”"),
    ("tests/test_b.py:test_b", "src/mqtt/test-a.c:a name /* in two parts",
     "4: 2.0.0-1 names a test twice"),
    ("tests/test_b.py:test_b", "tests/test_b.py:test", "4: tests/test_b.py has no test “test”"),
    ("src/mqtt/test-a.c:it_works", "because", "2: there is no file because"),
])
def test_a_fault_of_a_table_is_found(tree, capsys, old, new, complaint):
    assert old in TABLE
    tree.write("tests/conformance/mqtt-9.tsv", TABLE.replace(old, new, 1))
    assert f"tests/conformance/mqtt-9.tsv:{complaint}" in tree.complaints(capsys)


def test_a_row_may_be_a_proof_whatever_is_in_its_name(tree, capsys):
    table = TABLE.replace("it_works", 'it_works; src/mqtt/test-a.c:[MQTT-1.0.0-1] first, and '
                                      '\\"second\\"')
    tree.write("tests/conformance/mqtt-9.tsv", table)
    tree.tool.main(["--write", str(tree.top)])
    assert tree.complaints(capsys) == []


def test_a_test_that_is_not_built_proves_nothing(tree, capsys):
    tree.write("src/mqtt/meson.build", "foreach name : ['b']\n")
    assert tree.complaints(capsys)[0] == (
        "tests/conformance/mqtt-9.tsv:2: src/mqtt/test-a.c is not built")


def test_a_source_that_names_a_statement_which_there_is_not_is_found(tree, capsys):
    tree.write("src/proto/mqtt/a.c", "/* [MQTT-1.0.0-1],\n * [MQTT-1.0.0-7] */\n")
    assert tree.complaints(capsys) == ["src/proto/mqtt/a.c:2: there is no statement 1.0.0-7"]


def test_a_page_that_says_something_else_is_found_and_written_anew(tree, capsys):
    page = tree.top / "docs/mqtt-conformance.md"
    assert "| 2.0.0-2 | four | both | *does not arise*: it is not offered |\n" in page.read_text()
    page.write_text("old\n")
    assert tree.complaints(capsys) == [
        "docs/mqtt-conformance.md:1: is not what the tables say; tools/mqtt-conformance --write"]
    tree.tool.main(["--write", str(tree.top)])
    assert tree.complaints(capsys) == []


def test_what_suites_ask_for_is_on_the_page_and_has_five_cells(tree, capsys):
    tree.write("tests/conformance/suites.tsv", "# head\none\ttwo\tthree\tfour\tfi|ve\n")
    assert tree.complaints(capsys) == [
        "docs/mqtt-conformance.md:1: is not what the tables say; tools/mqtt-conformance --write"]
    tree.tool.main(["--write", str(tree.top)])
    assert "| one | two | three | four | fi\\|ve |" in (
        tree.top / "docs/mqtt-conformance.md").read_text()
    tree.write("tests/conformance/suites.tsv", "one\ttwo\n")
    assert "tests/conformance/suites.tsv:1: a row has five cells" in tree.complaints(capsys)
