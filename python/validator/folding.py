"""folding - what operators, methods and functions make of texts, as far as they are known.

Each function takes the `values` of a module first (values.py) and an expression, and gives the
expression's possible values. What precedes an unknown part of a text stays known.
"""

import _ast as ast

VALUES_MAX = 12  # of one expression
TEXT_MAX = 64 * 1024


def operation(values, node, scope):
    left, right = values.of(node.left, scope), values.of(node.right, scope)
    if isinstance(node.op, ast.Add):
        return _joined_pairs(left, right)
    if isinstance(node.op, ast.Div):
        return _joined_paths(values, [node.left, node.right])
    if isinstance(node.op, ast.Mult):
        for text, count in ((left, right), (right, left)):
            if text and count and text[0][0] == "str" and count[0][0] == "int":
                if 0 <= count[0][1] * len(text[0][1]) <= TEXT_MAX:
                    return (("str", text[0][1] * count[0][1], text[0][2]),)
    if isinstance(node.op, ast.Mod) and left and left[0][0] == "str":
        arguments = values.elements(node.right) or (node.right,)
        return _filled(values, left[0][1], "%", arguments, {})
    return ()


def fstring(values, node, scope):
    text = ""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            inner = _as_text(values, part.value) if part.format_spec is None else None
        else:
            inner = values.text(part)
        if inner is None:
            return (("str", text, False),)
        text += inner
        if len(text) > TEXT_MAX:
            return (("str", text, False),)
    return (("str", text, True),)


def sliced(values, value, index):
    """A character or a slice of a text that is known."""
    if isinstance(index, ast.Slice):
        parts = [None if one is None else values.number(one)
                 for one in (index.lower, index.upper, index.step)]
        given = (index.lower, index.upper, index.step)
        if any(one is not None and part is None for one, part in zip(given, parts)):
            return ()
        at = slice(*parts)
    else:
        at = values.number(index)
        if at is None:
            return ()
    if value[0] == "str" and not value[2]:
        return ()
    try:
        piece = value[1][at]
    except (IndexError, ValueError):
        return ()
    if isinstance(piece, int):
        return (("int", piece),)
    return (("str", piece, True),) if isinstance(piece, str) else (("bytes", piece),)


def method(values, value, name, node):
    """A method called `name` of a text, called by `node`."""
    text, whole = value[1], value[0] == "bytes" or value[2]
    if name == "format" and value[0] == "str":
        named = {one.arg: one.value for one in node.keywords if one.arg}
        return _filled(values, text, "{", node.args, named)
    if not whole:
        return ()
    if name == "join" and node.args:
        return _join(values, text, node.args[0])
    if name in ("decode", "encode"):
        return _recoded(value, values.text(node.args[0]) if node.args else "utf-8")
    if name in ("split", "rsplit", "splitlines"):
        return _words(text) if isinstance(text, str) and not node.args else ()
    arguments = [values.text(one) for one in node.args]
    if value[0] != "str" or None in arguments or len(text) > TEXT_MAX:
        return ()
    if name in ("lower", "upper", "strip", "lstrip", "rstrip", "casefold", "title",
                "swapcase", "capitalize", "removeprefix", "removesuffix"):
        try:
            return (("str", getattr(text, name)(*arguments), True),)
        except TypeError:
            return ()
    if name == "replace" and len(arguments) == 2 and len(arguments[1]) <= 64:
        return (("str", text.replace(*arguments), True),)
    return ()


def _filled(values, template, style, arguments, named):
    """`template % arguments` and `template.format(...)`: what precedes an unknown is known."""
    text, at, index = "", 0, 0
    mark = "%" if style == "%" else "{"
    while at < len(template):
        if template[at] != mark:
            doubled = style == "{" and template[at:at + 2] == "}}"
            text += template[at]
            at += 2 if doubled else 1
            continue
        if template[at + 1:at + 2] == mark:
            text, at = text + mark, at + 2
            continue
        end = at + 2 if style == "%" else template.find("}", at) + 1
        field = template[at + 1:end] if style == "%" else template[at + 1:end - 1]
        node = None
        if style == "%" and field in ("s", "d") or field == "":
            node = arguments[index] if index < len(arguments) else None
            index += 1
        elif field.isdecimal() and len(field) < 4 and int(field) < len(arguments):
            node = arguments[int(field)]
        elif field in named:
            node = named[field]
        inner = None if node is None else _as_text(values, node)
        if inner is None or end <= at or len(text) > TEXT_MAX:
            return (("str", text, False),)
        text, at = text + inner, end
    return (("str", text, True),)


def _join(values, between, node):
    if not isinstance(between, str):
        return ()
    nodes = values.elements(node)
    parts = []
    if nodes is None:
        texts = values.text(node)
        parts = list(texts) if texts is not None else None
    else:
        for one in nodes:
            part = values.text(one)
            if part is None:
                return (("str", between.join(parts), False),) if parts else ()
            parts.append(part)
    if parts is None:
        return ()
    if sum(map(len, parts)) + len(between) * len(parts) > TEXT_MAX:
        return ()
    return (("str", between.join(parts), True),)


def _as_text(values, node):
    number = values.number(node)
    if number is None:
        return values.text(node)
    return str(number) if abs(number) < 1 << 64 else None


def _joined_pairs(left, right):
    found = []
    for one in left:
        if one[0] == "seq":
            for other in right or (("seq", (ast.Starred(),)),):
                if other[0] == "seq":
                    found.append(("seq", one[1] + other[1]))
        elif one[0] == "bytes":
            found += [("bytes", one[1] + other[1]) for other in right
                      if other[0] == "bytes" and len(one[1]) + len(other[1]) <= TEXT_MAX]
        elif one[0] == "str" and not one[2]:
            found.append(one)
        elif one[0] == "str":
            texts = [other for other in right if other[0] == "str"]
            if not texts:
                found.append(("str", one[1], False))
            for other in texts:
                if len(one[1]) + len(other[1]) <= TEXT_MAX:
                    found.append(("str", one[1] + other[1], other[2]))
    return found[:VALUES_MAX]


def _joined_paths(values, nodes):
    path, whole = "", True
    for position, node in enumerate(nodes):
        texts = values.strings(node)
        if not texts:
            if position == 0:
                return ()
            return (("str", path.rstrip("/") + "/", False),)
        text, whole = texts[0]
        path = text if text.startswith("/") or not path else path.rstrip("/") + "/" + text
        if not whole:
            break
    return (("str", path, whole),)


def _recoded(value, encoding):
    if encoding is None:
        return ()
    encoding = encoding.lower().replace("_", "-")
    if value[0] == "str":
        if encoding in ("utf-8", "utf8", "ascii", "latin-1"):
            return (("bytes", value[1].encode("utf-8", "replace")),)
        return ()
    if encoding in ("utf-8", "utf8", "ascii", "latin-1"):
        return (("str", value[1].decode("utf-8", "replace"), True),)
    return ()


def _words(text):
    """Words between blanks, without quotation marks: enough to know a command by its name."""
    words = text.replace('"', "").replace("'", "").split() if len(text) <= TEXT_MAX else []
    return (("seq", tuple(ast.Constant(word) for word in words)),)


def _path(values, node, _):
    return _joined_paths(values, node.args) if node.args else ()


def _chr(values, node, _):
    number = values.number(node.args[0]) if node.args else None
    if number is None or not 0 <= number < 0x110000 or 0xD800 <= number < 0xE000:
        return ()
    return (("str", chr(number), True),)


def _str(values, node, _):
    found = []
    for one in node.args[:1]:
        for value in values.of(one):
            if value[0] == "bytes" and len(node.args) > 1:
                found += _recoded(value, "utf-8")
            elif value[0] == "str":
                found.append(value)
    return found


def _bytes(values, node, _):
    for one in node.args[:1]:
        nodes = values.elements(one)
        if nodes is not None:
            numbers = [values.number(inner) for inner in nodes[:TEXT_MAX]]
            if all(number is not None and 0 <= number < 256 for number in numbers):
                return (("bytes", bytes(numbers)),)
        return [value for value in values.of(one) if value[0] == "bytes"]
    return ()


def _reversed(values, node, _):
    for one in node.args[:1]:
        text = values.text(one)
        if text is not None:
            return (("str", text[::-1], True),)
        nodes = values.elements(one)
        if nodes is not None:
            return (("seq", nodes[::-1]),)
    return ()


def _map(values, node, _):
    """map(chr, [...]) as text; what else is mapped is not followed."""
    if len(node.args) == 2 and ("builtin", "chr") in values.of(node.args[0]):
        numbers = [values.number(one) for one in values.elements(node.args[1]) or ()]
        if numbers and all(one is not None and 0 <= one < 0xD800 for one in numbers):
            return (("str", "".join(map(chr, numbers)), True),)
    return ()


def _shlex(values, node, _):
    text = values.text(node.args[0]) if node.args else None
    return _words(text) if isinstance(text, str) else ()


def _base64(values, node, _):
    text = values.text(node.args[0]) if node.args else None
    if text is None or len(text) > TEXT_MAX:
        return ()
    import binascii  # only for the few modules that have such a constant
    try:
        return (("bytes", binascii.a2b_base64(text.encode("ascii"))),)
    except ValueError:
        return ()


# Calls, by their canonical names.
CALLS = {
    "chr": _chr,
    "str": _str,
    "bytes": _bytes,
    "bytearray": _bytes,
    "reversed": _reversed,
    "map": _map,
    "os.path.join": _path,
    "pathlib.Path": _path,
    "pathlib.PosixPath": _path,
    "pathlib.PurePath": _path,
    "pathlib.PurePosixPath": _path,
    "shlex.split": _shlex,
    "base64.b64decode": _base64,
}
