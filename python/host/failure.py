"""What went wrong in a module, told in its own lines: the host's frames are of no interest."""

FRAMES_HEAD = 8
FRAMES_TAIL = 16
CHAIN_MAX = 4
MESSAGE_MAX = 1000
TRACEBACK_MAX = 8000


class Source:
    """The text of a module, for the lines of its tracebacks."""

    def __init__(self, filename, text):
        self.filename = filename
        self._text = text

    def line(self, number):
        """The line without its indentation; empty where there is none."""
        lines = self._text.split(b"\n", number)
        if not 1 <= number <= len(lines):
            return ""
        return lines[number - 1].decode("utf-8", "replace").strip()

    def text(self):
        """All of it, for whoever asks the module's loader."""
        return self._text.decode("utf-8", "replace")


def describe(error, source, line=None):
    """{"type", "message", "line", "traceback"} of an exception. `line` is what to
    name where none of the module's lines took part."""
    try:
        frames = _frames(error, source)
        if frames:
            line = frames[-1][0]
        return {"type": type(error).__name__, "message": _message(error), "line": line,
                "traceback": _cut(_traceback(error, source), TRACEBACK_MAX)}
    except Exception:  # memory is short, or the exception is hostile itself
        return {"type": type(error).__name__, "message": "it cannot be described", "line": line,
                "traceback": ""}


def _message(error):
    if isinstance(error, SyntaxError):
        return _cut(str(error.msg), MESSAGE_MAX)
    if isinstance(error, SystemExit):
        return _cut(f"sys.exit({error.code!r}) was called", MESSAGE_MAX)
    return _cut(str(error), MESSAGE_MAX)


def _frames(error, source):
    """(line, function) of each of the module's frames, the innermost last."""
    frames = []
    entry = error.__traceback__
    while entry:
        code = entry.tb_frame.f_code
        if code.co_filename == source.filename:
            frames.append((entry.tb_lineno, code.co_name))
        entry = entry.tb_next
    if isinstance(error, SyntaxError) and error.filename == source.filename and error.lineno:
        frames.append((error.lineno, "<module>"))
    return frames


def _traceback(error, source):
    """As Python prints it, in at most so many frames and links of the chain."""
    parts = [_one_traceback(error, source)]
    while len(parts) < CHAIN_MAX:
        if error.__cause__ is not None:
            error, words = error.__cause__, "which was caused by"
        elif error.__context__ is not None and not error.__suppress_context__:
            error, words = error.__context__, "while handling"
        else:
            break
        parts.append(f"{words}\n{_one_traceback(error, source)}")
    return "\n".join(parts)


def _one_traceback(error, source):
    frames = _frames(error, source)
    lines = ["Traceback (most recent call last):"] if frames else []
    left_out = len(frames) - FRAMES_HEAD - FRAMES_TAIL
    for position, (number, function) in enumerate(frames):
        if left_out > 0 and FRAMES_HEAD <= position < FRAMES_HEAD + left_out:
            if position == FRAMES_HEAD:
                lines.append(f"  ... {left_out} more ...")
            continue
        lines.append(f'  File "{source.filename}", line {number}, in {function}')
        text = source.line(number)
        if text:
            lines.append(f"    {text}")
    lines.append(f"{type(error).__name__}: {_message(error)}")
    return "\n".join(lines)


def _cut(text, length):
    """Text that travels: bounded, without NUL and halves of surrogate pairs."""
    if len(text) > length:
        text = text[:length] + "..."
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
