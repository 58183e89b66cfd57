"""c_tokens - C source as tokens that know their place, and its directives.

Comments are no tokens, a string is one; lines that end in a backslash are one line with the
next, whatever blanks follow the backslash, as the compiler has it.
"""

import re
from bisect import bisect_right

_TOKEN = re.compile(r"""
    (?P<blank>[ \t\f\v\r]+ | //[^\n]* | /\*.*?(?:\*/|\Z))
  | (?P<newline>\n)
  | (?P<string>(?:u8|[LuU])?"(?:\\.|[^"\\\n])*"?)
  | (?P<character>[LuU]?'(?:\\.|[^'\\\n])*'?)
  | (?P<name>[A-Za-z_$\u0080-\U0010ffff][\w$]*)
  | (?P<number>\.?[0-9](?:[eEpP][+-]|'(?=[0-9a-zA-Z_])|[\w.])*)
  | (?P<mark>%:%: | %: | <: | :> | <% | %> | -> | \#\# | .)
""", re.VERBOSE | re.DOTALL)
_SPLICE = re.compile(r"\\[ \t\f\v]*\r?\n")
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]+)|(.))", re.DOTALL)
_DIGRAPHS = {"%:": "#", "%:%:": "##", "<:": "[", ":>": "]", "<%": "{", "%>": "}"}
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b",
            "f": "\f", "v": "\v"}
_LINE_MARK = re.compile(r'# (\d+) "((?:\\.|[^"\\])*)"')


class Token:
    """kind is one of string, character, name, number, mark; lines and columns count from 1."""

    __slots__ = ("kind", "text", "line", "column")

    def __init__(self, kind, text, line, column):
        self.kind, self.text, self.line, self.column = kind, text, line, column

    def place(self):
        return self.line, self.column, self.line, self.column + len(self.text)

    def value(self):
        """What a string holds."""
        return _ESCAPE.sub(_unescape, self.text[self.text.index('"') + 1:].removesuffix('"'))


class Directive:
    """A line that begins with #: its name, its tokens behind the name, its text there."""

    __slots__ = ("name", "tokens", "text", "token")

    def __init__(self, token, tokens, text):
        self.token = token
        self.name = tokens[0].text if tokens else ""
        self.tokens = tokens[1:]
        self.text = text


def read(text):
    """(tokens outside of directives, directives) of a source."""
    spliced, places = _splice(text)
    plain, directives, line, hash_mark = [], [], [], None
    at_start, begin = True, 0
    for match in _TOKEN.finditer(spliced):
        kind = match.lastgroup
        if kind == "newline":
            if hash_mark:
                directives.append(Directive(hash_mark, line, spliced[begin:match.start()]))
            line, hash_mark, at_start = [], None, True
            continue
        if kind == "blank":
            continue
        text = _DIGRAPHS.get(match[0], match[0]) if kind == "mark" else match[0]
        token = Token(kind, text, *places(match.start()))
        if at_start and token.text == "#" and kind == "mark":
            hash_mark = token
        elif hash_mark:
            if not line:
                begin = match.end()
            line.append(token)
        else:
            plain.append(token)
        at_start = False
    if hash_mark:
        directives.append(Directive(hash_mark, line, spliced[begin:]))
    return plain, directives


def read_preprocessed(text, filename):
    """Tokens of what the preprocessor made of the file itself, with the file's lines. Columns
    are 1: the preprocessor keeps none."""
    tokens, line, ours = [], 1, False
    part, first = [], 1
    for row in text.split("\n"):
        mark = _LINE_MARK.match(row)
        if not mark:
            if ours:
                part.append(row)
            line += 1
            continue
        tokens += _tokens_of(part, first)
        line = first = int(mark[1])
        ours = mark[2] == filename
        part = []
    return tokens + _tokens_of(part, first)


def _tokens_of(rows, first):
    text = "\n".join(rows)
    plain, directives = read(text) if text.strip() else ([], [])
    plain += [token for one in directives for token in one.tokens]
    for token in plain:
        token.line += first - 1
        token.column = 1
    return plain


def _splice(text):
    """The text with its lines joined, and a function from an offset in it to line and column."""
    parts, begin, shifts, offsets = [], 0, [], []
    for match in _SPLICE.finditer(text):
        parts.append(text[begin:match.start()])
        begin = match.end()
        offsets.append(len(parts[-1]) + (offsets[-1] if offsets else 0))
        shifts.append(begin - offsets[-1])
    parts.append(text[begin:])
    starts = [0] + [at + 1 for at, letter in enumerate(text) if letter == "\n"]

    def place(offset):
        behind = bisect_right(offsets, offset)
        offset += shifts[behind - 1] if behind else 0
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1
    return "".join(parts), place


def _unescape(match):
    octal, hexadecimal, letter = match.groups()
    if octal or hexadecimal:
        return chr(int(octal, 8) if octal else int(hexadecimal, 16) & 0xFF)
    return _LETTERS.get(letter, letter)
