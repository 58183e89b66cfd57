"""c_rules - what is refused in a module written in C, as data.

A rule: id, layer, severity (low is a warning unless policy says otherwise), reason (why, for
the person who wrote the module), example (the body of a command that it must find) and
counterexample (one that looks alike and is fine); `top` and `top_counter` stand outside of
functions. `symbols` are functions of which every use is an offence: the object's symbol table
tells, so that macros and function pointers hide nothing. docs/handlers-c.md has the table. What
holds for every language comes from the validator.
"""

from shared_rules import shared

_TABLE = (
    shared("source-size"),
    {"id": "compile-time", "layer": "quota", "severity": "high",
     "reason": "the compiler needs more time or memory than a module may take"},
    shared("file-name",
           reason="a name is small letters, digits and _, ends in .c, and is not the agent's"),
    shared("source-encoding"),
    shared("compile-error", example="int x = ;", counterexample="int x = 1; (void)x;"),
    shared("compile-warning", example="int x;", counterexample="(void)call;"),

    shared("bidirectional-control", example="/* \u202e */", counterexample="puts(\"\\u202e\");"),
    {"id": "include-path", "layer": "security", "severity": "high",
     "reason": "headers are named without their place: no path from /, no ..",
     "top": "#include \"/etc/passwd\"", "top_counter": "#include <sys/stat.h>"},
    {"id": "computed-include", "layer": "security", "severity": "high",
     "reason": "which file it includes is not written there",
     "top": "#define H <stdio.h>\n#include H",
     "top_counter": "/* #include H */"},
    {"id": "directive", "layer": "security", "severity": "high",
     "reason": "a directive that reads files, or hides where code comes from",
     "top": "#line 7 \"other.c\"", "top_counter": "#pragma GCC diagnostic push"},
    {"id": "inline-assembly", "layer": "security", "severity": "high",
     "reason": "machine code that no table of symbols tells of",
     "example": "__asm__(\"nop\");", "counterexample": "puts(\"asm\");"},
    {"id": "attribute", "layer": "security", "severity": "high",
     "reason": "runs code before the host is ready for it, or puts data where code is",
     "attributes": ("constructor", "destructor", "section", "ifunc", "alias", "weakref", "copy",
                    "init_priority", "resolver"),
     "top": "__attribute__((constructor)) static void early(void) {}",
     "top_counter": "__attribute__((unused)) static void constructor(void) {}"},
    {"id": "load-time-code", "layer": "security", "severity": "high",
     "reason": "the object runs code while it is loaded"},
    {"id": "executable-data", "layer": "security", "severity": "high",
     "reason": "the object wants memory that is writable and executable"},

    {"id": "shell-call", "layer": "security", "severity": "high",
     "reason": "hands a text to a shell: posix_spawn() starts a program itself",
     "symbols": "system popen wordexp",
     "example": "system(\"ls\");", "counterexample": "puts(\"system(1)\"); /* system(2) */"},
    {"id": "process-start", "layer": "security", "severity": "high",
     "reason": "copies or replaces the host process; posix_spawn() starts another",
     "symbols": "fork vfork clone clone3 forkpty daemon execl execle execlp execv execve execvp "
                "execvpe execveat fexecve login_tty",
     "example": "execl(\"/bin/ls\", \"ls\", NULL);",
     "counterexample": "int fork = 1; (void)fork;"},
    {"id": "command-shell", "layer": "security", "severity": "high",
     "reason": "the command is a shell",
     "example": "char *argv[] = {(char *)\"sh\", (char *)\"-c\", NULL};\npid_t pid;\n"
                "posix_spawnp(&pid, argv[0], NULL, NULL, argv, NULL);",
     "counterexample": "puts(\"sh\");"},
    {"id": "command-privilege", "layer": "security", "severity": "high",
     "reason": "asks for another user's rights; a handler has none to gain",
     "example": "char *argv[] = {(char *)\"/usr/bin/sudo\", NULL};\npid_t pid;\n"
                "posix_spawnp(&pid, argv[0], NULL, NULL, argv, NULL);",
     "counterexample": "puts(\"sudo\");"},
    {"id": "command-machine", "layer": "security", "severity": "high",
     "reason": "restarts or stops the machine, or changes its kernel",
     "symbols": "reboot kexec_load kexec_file_load init_module finit_module delete_module swapon "
                "swapoff acct",
     "example": "reboot(0);", "counterexample": "puts(\"reboot\");"},
    {"id": "dynamic-code", "layer": "security", "severity": "high",
     "reason": "loads code, or makes data to code, that nobody has checked",
     "symbols": "dlopen dlmopen dlsym dlvsym dlinfo dladdr dladdr1 dl_iterate_phdr mprotect "
                "pkey_mprotect memfd_create remap_file_pages libc_dlopen_mode libc_dlsym "
                "r_debug dl_open",
     "example": "dlopen(\"libm.so.6\", 1);", "counterexample": "puts(\"dlopen\");"},
    {"id": "raw-system-call", "layer": "security", "severity": "high",
     "reason": "calls the kernel past every name",
     "symbols": "syscall io_uring_setup io_uring_queue_init",
     "example": "syscall(39);", "counterexample": "getpid();"},
    {"id": "other-processes", "layer": "security", "severity": "high",
     "reason": "looks into, or steers, other processes",
     "symbols": "ptrace process_vm_readv process_vm_writev pidfd_getfd process_madvise "
                "process_mrelease prctl arch_prctl personality setns unshare",
     "example": "ptrace(0, 0, 0, 0);", "counterexample": "kill(getpid(), 0);"},
    {"id": "privileges", "layer": "security", "severity": "high",
     "reason": "changes who the process is; a handler has nothing to gain",
     "symbols": "setuid seteuid setreuid setresuid setgid setegid setregid setresgid setgroups "
                "initgroups setfsuid setfsgid capset chroot pivot_root mount umount umount2 iopl "
                "ioperm sethostname setdomainname vhangup quotactl",
     "example": "setuid(0);", "counterexample": "getuid();"},
    {"id": "kernel-interface", "layer": "security", "severity": "high",
     "reason": "an interface of the kernel that the sandbox keeps closed",
     "symbols": "bpf perf_event_open userfaultfd keyctl add_key request_key fanotify_init "
                "fanotify_mark open_by_handle_at name_to_handle_at seccomp_load seccomp_init",
     "example": "extern int bpf(int); bpf(0);", "counterexample": "puts(\"bpf\");"},
    {"id": "machine-clock", "layer": "security", "severity": "medium",
     "reason": "sets the machine's clock",
     "symbols": "settimeofday stime clock_settime adjtime adjtimex clock_adjtime ntp_adjtime",
     "example": "settimeofday(NULL, NULL);", "counterexample": "clock_gettime(0, NULL);"},
    {"id": "exit-hook", "layer": "security", "severity": "medium",
     "reason": "runs code when the host ends, or forks; a module has no such moment",
     "symbols": "atexit on_exit cxa_atexit at_quick_exit pthread_atfork register_atfork",
     "example": "atexit(abort);", "counterexample": "puts(\"atexit\");"},
    {"id": "process-end", "layer": "security", "severity": "low",
     "reason": "ends the host, and the call without an answer: return a failure",
     "symbols": "exit abort quick_exit Exit",
     "example": "exit(0);", "counterexample": "return -EIO;"},
    {"id": "system-path", "layer": "security", "severity": "medium",
     "reason": "a path of the system's configuration",
     "example": "fopen(\"/etc/passwd\", \"r\");", "counterexample": "puts(\"see /etc/passwd\");"},
    {"id": "memory-path", "layer": "security", "severity": "high",
     "reason": "the memory of the machine or of a process, as a file",
     "example": "open(\"/dev/\" \"mem\", 0);", "counterexample": "fopen(\"/proc/meminfo\", \"r\");"},

    {"id": "core-header", "layer": "protected", "severity": "high",
     "reason": "the agent's own code is not for handlers: pifleet/handler.h is",
     "top": "#include \"agent/agent.h\"", "top_counter": "#include <net/if.h>"},
    {"id": "exported-symbol", "layer": "protected", "severity": "high",
     "reason": "a module exports its table and nothing else",
     "top": "__attribute__((visibility(\"default\"))) int json_parse = 1;",
     "top_counter": "int json_parse = 1;"},
    {"id": "command-name", "layer": "protected", "severity": "high",
     "reason": "a command is a small letter, then small letters, digits and underscores, 64 at "
               "most"},
    {"id": "no-table", "layer": "protected", "severity": "high",
     "reason": "PIFLEET_MODULE(...) names the module's commands, once"},

    {"id": "missing-compiler", "layer": "dependency", "severity": "high",
     "reason": "modules in C are compiled on the device"},
    {"id": "missing-header", "layer": "dependency", "severity": "high",
     "reason": "not installed on this device",
     "top": "#include <no_such_header_here.h>", "top_counter": "#include <math.h>"},
    {"id": "missing-function", "layer": "dependency", "severity": "high",
     "reason": "no library that the module names has it: #pragma pifleet library NAME",
     "example": "extern int no_such_function(void); no_such_function();",
     "counterexample": "extern int getppid(void); getppid();"},
    {"id": "missing-library", "layer": "dependency", "severity": "high",
     "reason": "not installed on this device",
     "top": "#pragma pifleet library no_such_library", "top_counter": "#pragma pifleet library m"},
)

RULES = {rule["id"]: rule for rule in _TABLE}
SYMBOLS = {name: rule for rule in _TABLE for name in rule.get("symbols", "").split()}
ATTRIBUTES = frozenset(RULES["attribute"]["attributes"])

ASSEMBLY = frozenset(("asm", "__asm", "__asm__"))
DIRECTIVES = frozenset(("define", "undef", "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef",
                        "else", "endif", "include", "error", "warning", "pragma"))
# Words in a pragma by which it reads a file or hides one.
PRAGMA_WORDS = frozenset(("dependency", "system_header", "include_alias", "redefine_extname",
                          "section", "code_seg", "plugin", "weak", "init", "fini"))

# Functions whose arguments may be paths.
PATH_FUNCTIONS = frozenset("""
open open64 openat openat2 creat creat64 fopen fopen64 freopen freopen64 opendir unlink unlinkat
remove rename renameat renameat2 rmdir mkdir mkdirat chmod fchmodat chown lchown fchownat symlink
symlinkat link linkat truncate truncate64 mknod mkfifo scandir ftw nftw readlink readlinkat
posix_spawn posix_spawnp
""".split())
SPAWNERS = frozenset(("posix_spawn", "posix_spawnp"))

CORE_FOLDERS = frozenset("""
agent base cli client command data fetch host ipc loop mqtt proto sandbox server store supervisor
support
""".split())
PUBLIC_HEADERS = frozenset(("pifleet/handler.h",))

# Where people find what is missing.
HEADER_PACKAGES = {
    "stdio.h": "libc6-dev", "stdlib.h": "libc6-dev", "string.h": "libc6-dev",
    "stdint.h": "libc6-dev", "unistd.h": "libc6-dev", "features.h": "libc6-dev",
    "linux/gpio.h": "linux-libc-dev", "linux/limits.h": "linux-libc-dev",
    "gpiod.h": "libgpiod-dev", "i2c/smbus.h": "libi2c-dev", "pigpio.h": "libpigpio-dev",
    "lgpio.h": "liblgpio-dev", "alsa/asoundlib.h": "libasound2-dev", "curl/curl.h": "libcurl4-dev",
    "libusb-1.0/libusb.h": "libusb-1.0-0-dev", "cjson/cJSON.h": "libcjson-dev",
    "sqlite3.h": "libsqlite3-dev", "zlib.h": "zlib1g-dev", "libudev.h": "libudev-dev",
    "pifleet/handler.h": "pifleet",
}


def rule_of_symbol(name):
    """(rule, plain name) of a function that is refused, under any of the names that a C library
    has for it; (None, name) of others."""
    for prefix in ("__isoc99_", "__isoc23_"):
        name = name.removeprefix(prefix)
    bare = name.lstrip("_")
    if name.startswith("__"):
        bare = bare.removesuffix("_chk")
    for one in (name, bare, bare.removeprefix("libc_"), bare.removesuffix("_time64"),
                bare.removesuffix("64_time64"), bare.removesuffix("64")):
        if one in SYMBOLS:
            return SYMBOLS[one], one
    return None, name
