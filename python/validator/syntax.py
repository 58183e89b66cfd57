"""syntax - the compiler's own opinion of the very bytes that will be loaded.

Parsing alone is not enough: `return` outside a function, a name that is both parameter
and global, `await` in the wrong place are found by the compiler only.
"""

import warnings

PARSE_ONLY = 0x400  # ast.PyCF_ONLY_AST; importing ast costs as much as starting Python
WARNINGS_MAX = 20


def parse(source, filename):
    """(tree, findings): no tree where the compiler refuses the bytes."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            tree = compile(source.data, filename, "exec", PARSE_ONLY, True)
            heard.clear()  # the next line says it again
            compile(source.data, filename, "exec", 0, True)
        except SyntaxError as error:
            return None, [_refused(source, error.msg, error)]
        except (RecursionError, MemoryError):
            return None, [_refused(source, "too deeply nested for the compiler")]
        except (ValueError, UnicodeError, OverflowError, SystemError) as error:
            return None, [_refused(source, str(error))]
    return tree, [_warning(source, one) for one in heard[:WARNINGS_MAX]]


def _refused(source, words, error=None):
    line = getattr(error, "lineno", None) or 1
    column = max(getattr(error, "offset", None) or 1, 1)
    end_line = getattr(error, "end_lineno", None) or line
    end_column = max(getattr(error, "end_offset", None) or column, 1)
    if (end_line, end_column) <= (line, column):
        end_line, end_column = line, column + 1
    text = f"Syntax Error at line {line}: {words}"
    return source.finding("compile-error", text, (line, column, end_line, end_column))


def _warning(source, heard):
    text = f"Syntax Warning at line {heard.lineno}: {heard.message}"
    return source.finding_at_line("compile-warning", text, heard.lineno or 1)
