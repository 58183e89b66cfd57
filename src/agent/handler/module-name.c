#include "agent/handler/module-name.h"

#include "agent/handler/version.h"
#include "base/attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND_MAX = 64 };

/* Both tables are sorted. */
static const char *const core[] = {
        "agent",
        "channel",
        "codec",
        "command_server",
        "core",
        "failure",
        "handler_host",
        "host",
        "loading",
        "main",
        "pifleet",
        "pifleet_agent",
        "pifleet_host",
        "pifleet_spawner",
        "pifleet_supervisor",
        "pifleet_validator",
        "reload_handler",
        "remove_handler",
        "rollback_handler",
        "safety_validator",
        "server",
        "serving",
        "spawner",
        "supervisor",
        "update_handler",
        "validator",
};

/* sys.stdlib_module_names of Python 3.11 to 3.14, those that a handler could be called. */
static const char *const standard_library[] = {
        "abc",          "aifc",         "annotationlib",
        "antigravity",  "argparse",     "array",
        "ast",          "asynchat",     "asyncio",
        "asyncore",     "atexit",       "audioop",
        "base64",       "bdb",          "binascii",
        "bisect",       "builtins",     "bz2",
        "calendar",     "cgi",          "cgitb",
        "chunk",        "cmath",        "cmd",
        "code",         "codecs",       "codeop",
        "collections",  "colorsys",     "compileall",
        "compression",  "concurrent",   "configparser",
        "contextlib",   "contextvars",  "copy",
        "copyreg",      "crypt",        "csv",
        "ctypes",       "curses",       "dataclasses",
        "datetime",     "dbm",          "decimal",
        "difflib",      "dis",          "distutils",
        "doctest",      "email",        "encodings",
        "ensurepip",    "enum",         "errno",
        "faulthandler", "fcntl",        "filecmp",
        "fileinput",    "fnmatch",      "fractions",
        "ftplib",       "functools",    "gc",
        "genericpath",  "getopt",       "getpass",
        "gettext",      "glob",         "graphlib",
        "grp",          "gzip",         "hashlib",
        "heapq",        "hmac",         "html",
        "http",         "idlelib",      "imaplib",
        "imghdr",       "imp",          "importlib",
        "inspect",      "io",           "ipaddress",
        "itertools",    "json",         "keyword",
        "lib2to3",      "linecache",    "locale",
        "logging",      "lzma",         "mailbox",
        "mailcap",      "marshal",      "math",
        "mimetypes",    "mmap",         "modulefinder",
        "msilib",       "msvcrt",       "multiprocessing",
        "netrc",        "nis",          "nntplib",
        "nt",           "ntpath",       "nturl2path",
        "numbers",      "opcode",       "operator",
        "optparse",     "os",           "ossaudiodev",
        "pathlib",      "pdb",          "pickle",
        "pickletools",  "pipes",        "pkgutil",
        "platform",     "plistlib",     "poplib",
        "posix",        "posixpath",    "pprint",
        "profile",      "pstats",       "pty",
        "pwd",          "py_compile",   "pyclbr",
        "pydoc",        "pydoc_data",   "pyexpat",
        "queue",        "quopri",       "random",
        "re",           "readline",     "reprlib",
        "resource",     "rlcompleter",  "runpy",
        "sched",        "secrets",      "select",
        "selectors",    "shelve",       "shlex",
        "shutil",       "signal",       "site",
        "smtpd",        "smtplib",      "sndhdr",
        "socket",       "socketserver", "spwd",
        "sqlite3",      "sre_compile",  "sre_constants",
        "sre_parse",    "ssl",          "stat",
        "statistics",   "string",       "stringprep",
        "struct",       "subprocess",   "sunau",
        "symtable",     "sys",          "sysconfig",
        "syslog",       "tabnanny",     "tarfile",
        "telnetlib",    "tempfile",     "termios",
        "textwrap",     "this",         "threading",
        "time",         "timeit",       "tkinter",
        "token",        "tokenize",     "tomllib",
        "trace",        "traceback",    "tracemalloc",
        "tty",          "turtle",       "turtledemo",
        "types",        "typing",       "unicodedata",
        "unittest",     "urllib",       "uu",
        "uuid",         "venv",         "warnings",
        "wave",         "weakref",      "webbrowser",
        "winreg",       "winsound",     "wsgiref",
        "xdrlib",       "xml",          "xmlrpc",
        "zipapp",       "zipfile",      "zipimport",
        "zlib",         "zoneinfo",
};

static int compare(const void *key, const void *item)
{
        return strcmp(key, *(const char *const *)item);
}

static bool is_among(const char *name, const char *const names[], size_t count)
{
        return bsearch(name, names, count, sizeof(*names), compare) != NULL;
}

int module_name_check(const char *filename, struct error *error)
{
        char stem[HANDLER_NAME_MAX + 1];
        size_t length = strcspn(filename, ".");

        if (module_command_name_is_valid(filename))
                return error_set(error, -EINVAL,
                                 "Protected file name: \"%s\" lacks its suffix: %s.py or %s.c",
                                 filename, filename, filename);
        if (!handler_name_is_valid(filename))
                return error_set(error, -EINVAL,
                                 "Protected file name: \"%.80s\" is no plain name of a handler: "
                                 "small letters, digits and underscores, a letter first, at most "
                                 "63, then .py or .c; no folders",
                                 filename);
        memcpy(stem, filename, length);
        stem[length] = '\0';
        if (is_among(stem, core, ARRAY_SIZE(core)))
                return error_set(error, -EACCES,
                                 "Protected file name: %s is a name of the agent's own", filename);
        if (is_among(stem, standard_library, ARRAY_SIZE(standard_library)))
                return error_set(error, -EACCES,
                                 "Protected file name: %s would hide %s of Python's own library",
                                 filename, stem);
        return 0;
}

bool module_command_name_is_valid(const char *name)
{
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

        return length > 0 && length <= COMMAND_MAX && name[length] == '\0' && name[0] >= 'a' &&
               name[0] <= 'z';
}
