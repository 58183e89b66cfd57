"""commandline - programs that a handler must not start, whatever stands in front of them.

A command is a list of words; None is a word that the source does not tell.
"""

SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish",
                    "rbash", "pwsh", "watch"))
PRIVILEGE = frozenset(("sudo", "su", "pkexec", "doas", "runuser", "gosu", "sudoedit", "run0"))
MACHINE = frozenset(("reboot", "shutdown", "poweroff", "halt", "kexec", "telinit", "insmod",
                     "modprobe", "rmmod"))
DISKS = frozenset(("mke2fs", "wipefs", "fdisk", "sfdisk", "cfdisk", "parted", "mkswap",
                   "blkdiscard"))
SERVICE_VERBS = frozenset(("reboot", "poweroff", "halt", "kexec", "rescue", "emergency",
                           "suspend", "hibernate"))
# Programs that start the rest of their words.
WRAPPERS = frozenset(("env", "nice", "nohup", "setsid", "timeout", "stdbuf", "ionice", "chrt",
                      "taskset", "time", "xargs", "busybox", "toybox", "exec", "command", "flock",
                      "systemd-run", "unshare", "nsenter", "chroot", "find", "script", "setpriv",
                      "start-stop-daemon", "strace", "ltrace", "gdb", "parallel", "daemonize",
                      "xterm", "setarch", "linux64", "linux32", "proot", "fakeroot", "prlimit"))
# What makes an interpreter take code from its words.
CODE_OPTIONS = {"python": "c", "pypy": "c", "perl": "eE", "ruby": "e", "lua": "e", "luajit": "e",
                "node": "ep", "nodejs": "ep", "php": "r", "tclsh": "", "awk": "", "gawk": "",
                "mawk": ""}
LONG_CODE_OPTIONS = ("--eval", "--print", "--run")
WORDS_MAX = 256


def offence(words):
    """The rule a command breaks, or None."""
    words = words[:WORDS_MAX]
    if not words or words[0] is None:
        return None
    name = _program(words[0])
    rule = _own_offence(name, words[1:])
    if rule is None and name in WRAPPERS:
        for at in range(1, len(words)):
            if words[at] is None:
                continue
            rule = _own_offence(_program(words[at]), words[at + 1:])
            if rule is None and " " in words[at]:
                rule = text_offence(words[at])
            if rule is not None:
                break
    return rule


def text_offence(text):
    """The rule that a command line, as one text for a shell, breaks, or None."""
    for mark in ("&&", "||", ";", "|", "&", "`", "$(", "(", ")", "{", "}"):
        text = text.replace(mark, "\n")
    for line in text.split("\n")[:WORDS_MAX]:
        words = line.replace('"', "").replace("'", "").split()
        while words and "=" in words[0] and not words[0].startswith("-"):
            words = words[1:]
        rule = offence(words)
        if rule is not None:
            return rule
    return None


def _program(word):
    return word.rstrip("/").rpartition("/")[2]


def _own_offence(name, rest):
    if name in SHELLS:
        return "command-shell"
    if name in PRIVILEGE:
        return "command-privilege"
    if name in MACHINE or name == "init" and rest[:1] in (["0"], ["6"]):
        return "command-machine"
    if name in ("systemctl", "loginctl") and any(word in SERVICE_VERBS for word in rest):
        return "command-machine"
    if name in DISKS or name.startswith("mkfs"):
        return "command-destructive"
    if name == "rm" and any(_is_recursive(word) for word in rest):
        return "command-destructive"
    if name == "dd" and any(_writes_device(word) for word in rest):
        return "command-destructive"
    return "command-interpreter" if _runs_words(name, rest) else None


def _is_recursive(word):
    if word is None or not word.startswith("-"):
        return False
    if word.startswith("--"):
        return len(word) > 3 and "--recursive".startswith(word)
    return "r" in word or "R" in word


def _writes_device(word):
    return word is not None and word.startswith("of=/dev/") and word not in (
        "of=/dev/null", "of=/dev/stdout")


def _runs_words(name, rest):
    family = name.rstrip("0123456789.")
    letters = CODE_OPTIONS.get(family)
    if letters is None:
        return False
    if not letters:  # the program is a word by itself
        return any(word is not None and ("system(" in word.replace(" ", "") or "|" in word)
                   for word in rest)
    for word in rest:
        if word is None or not word.startswith("-"):
            return False  # the script's own words begin here
        if word == "-" or word.split("=")[0] in LONG_CODE_OPTIONS:
            return True
        if not word.startswith("--") and any(letter in word for letter in letters):
            return True
        if word == "-m" and family in ("python", "pypy"):
            return False
    return False
