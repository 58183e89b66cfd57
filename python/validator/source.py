"""source - the bytes as they were sent: size, encoding, cookie, and places in them.

What is checked here is what the compiler would let pass or see differently from the
person who reads the file: a cookie that turns a comment into code, controls that show
a line in another order than it runs.
"""

from report import FRAGMENT_MAX, Finding
from rules import RULES

SIZE_MAX = 256 * 1024
BOM = b"\xef\xbb\xbf"
BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
                          "\u2066\u2067\u2068\u2069")
COOKIE_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Source:
    """A module's bytes and its lines. Lines and columns count from 1, columns in characters."""

    def __init__(self, data):
        self.data = data
        text = data[len(BOM):] if data.startswith(BOM) else data
        self.lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")

    def column(self, line, offset):
        """The column of what lies `offset` bytes into a line."""
        if not 1 <= line <= len(self.lines):
            return 1
        return len(self.lines[line - 1][:offset].decode("utf-8", "replace")) + 1

    def place(self, node):
        """(line, column, end line, end column) of a node; the end is one past the last."""
        end_line = node.end_lineno or node.lineno
        end_offset = node.col_offset if node.end_col_offset is None else node.end_col_offset
        return (node.lineno, self.column(node.lineno, node.col_offset),
                end_line, self.column(end_line, end_offset))

    def fragment(self, place):
        """The text at a place, its first line only."""
        line, column, end_line, end_column = place
        if not 1 <= line <= len(self.lines):
            return ""
        text = self.lines[line - 1].decode("utf-8", "replace")
        return text[column - 1:end_column - 1 if end_line == line else None].rstrip()[:FRAGMENT_MAX]

    def finding(self, rule, text, place):
        return Finding(RULES[rule], text, place, self.fragment(place))

    def finding_at_line(self, rule, text, line):
        return self.finding(rule, text, (line, 1, line, self.column(line, None)))


def check_size(data):
    if len(data) <= SIZE_MAX:
        return []
    text = f"Source too large: more than {SIZE_MAX} bytes"
    return [Finding(RULES["source-size"], text, (1, 1, 1, 1), "")]


def check_bytes(source):
    """What makes the bytes unfit for any compiler: the first of NUL, bad UTF-8, a cookie."""
    at = source.data.find(b"\0")
    if at >= 0:
        return [_unfit(source, "source-encoding", at, "source code cannot contain null bytes")]
    try:
        source.data.decode("utf-8")
    except UnicodeDecodeError as error:
        words = f"source code is not UTF-8: byte 0x{source.data[error.start]:02x}"
        return [_unfit(source, "source-encoding", error.start, words)]
    for number, line in enumerate(source.lines[:2], 1):
        cookie = _cookie(line)
        if cookie and not _is_utf8(cookie):
            words = f"coding cookie {cookie}: a handler is UTF-8"
            return [source.finding_at_line("coding-cookie", _syntax_error(number, words), number)]
        if not _is_blank(line):
            break
    return []


def check_direction(source):
    """Controls that make a reader see another order of characters than the compiler."""
    found = []
    if source.data.isascii():
        return found
    for number, line in enumerate(source.lines, 1):
        for column, letter in enumerate(line.decode("utf-8"), 1):
            if letter in BIDIRECTIONAL:
                text = f"Dangerous pattern detected: bidirectional control U+{ord(letter):04X}"
                place = (number, column, number, column + 1)
                found.append(source.finding("bidirectional-control", text, place))
    return found


def _unfit(source, rule, at, words):
    head = source.data[:at].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = head.count(b"\n") + 1
    return source.finding_at_line(rule, _syntax_error(line, words), line)


def _syntax_error(line, words):
    return f"Syntax Error at line {line}: {words}"


def _is_blank(line):
    """The second line is looked at for a cookie after such a first one only."""
    line = line.lstrip(b" \t\f")
    return not line or line.startswith(b"#")


def _cookie(line):
    """The encoding that a comment names, as the tokenizer reads it."""
    line = line.lstrip(b" \t\f")
    if not line.startswith(b"#"):
        return None
    at = line.find(b"coding")
    while at >= 0:
        rest = line[at + len(b"coding"):]
        if rest[:1] in (b":", b"="):
            rest = rest[1:].lstrip(b" \t")
            end = 0
            while end < len(rest) and rest[end] in COOKIE_LETTERS:
                end += 1
            if end:
                return rest[:end].decode("ascii")
        at = line.find(b"coding", at + 1)
    return None


def _is_utf8(cookie):
    name = cookie.lower().replace("_", "-")
    return name in ("utf-8", "utf8") or name.startswith("utf-8-")
