# say.sh - what a person at the terminal sees.
# shellcheck shell=sh

# One line for each stage, so that a long command shows where it is.
say() {
        printf '== %s\n' "$*"
}

# The end: what went wrong, and as further lines what to do about it.
die() {
        printf 'dev: %s\n' "$1" >&2
        shift
        [ $# -eq 0 ] || printf '     %s\n' "$@" >&2
        exit 1
}

have() {
        command -v "$1" >/dev/null 2>&1
}
