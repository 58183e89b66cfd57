"""paths - constant paths that are no business of a handler."""

# Deleting one of these, or anything below, or one of the others themselves or what lies directly
# below, takes more than the module's own files.
WHOLE_TREES = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root",
               "/sbin", "/sys", "/usr")
SHALLOW_TREES = ("/home", "/opt", "/var", "/run", "/srv", "/mnt", "/media")
EXACT_TREES = ("/", "/tmp", "/var/tmp", "~", "~root", "..", ".")
MEMORY = ("/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore")


def normal(path):
    """Without //, /./ and /../; /proc/self/root is where it leads."""
    if path.startswith("file://"):
        path = path[len("file://"):]
    parts = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
            if len(parts) == 3 and parts[0] == "proc" and part in ("root", "cwd"):
                parts = []
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def offence(path, whole):
    """The rule a path breaks, or None; `whole` is false when only its beginning is known."""
    if not path.startswith(("/", "file:///")):
        return None
    open_end = not whole and path.endswith("/")
    path = normal(path)
    if path in MEMORY:
        return "memory-path"
    parts = path.split("/")
    if len(parts) >= 4 and parts[1] == "proc" and parts[-1] == "mem":
        return "memory-path"
    if len(parts) > 2 and parts[1] == "etc" or path == "/etc" and (whole or open_end):
        return "system-path"
    return None


def is_system_tree(path, whole):
    if path in ("~", "~root", ".", ".."):
        return True
    if not path.startswith("/"):
        return False
    ended = whole or path.endswith("/")
    path = normal(path)
    top = "/" + path.split("/")[1]
    if top in WHOLE_TREES:
        return path != top or ended
    if not whole:
        return False
    return path in EXACT_TREES or top in SHALLOW_TREES and path.count("/") <= 2
