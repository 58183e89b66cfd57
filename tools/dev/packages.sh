# packages.sh - Debian packages: which are missing, and installing those.
#
# The lists are packaging/packages/NAME: a package a line, # begins a comment.
# shellcheck shell=sh

packages_names() {
        for list in "$@"; do
                sed 's/#.*//; s/[[:space:]]//g; /^$/d' "${top:?}/packaging/packages/$list"
        done
}

# Of the names on standard input, those that are not installed.
packages_missing() {
        names=$(cat)
        # shellcheck disable=SC2016,SC2086 # the format is dpkg's; names are words
        {
                dpkg-query -W -f '${db:Status-Status} ${Package}\n' $names 2>/dev/null || true
                printf 'wanted %s\n' $names
        } | awk '$1 == "installed" { there[$2] } $1 == "wanted" && !($2 in there) { print $2 }'
}

# Runs a command as root: at once, or by sudo.
as_root() {
        if [ "$(id -u)" -eq 0 ]; then
                "$@"
        elif ! have sudo; then
                die "this needs root, and there is no sudo here:" "su -c '$*'"
        elif ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
                die 'this needs root, and sudo would ask for a password that nobody can type:' \
                        "sudo $*"
        else
                sudo "$@"
        fi
}

# The lock may be held by unattended-upgrades on a machine that has just come up.
packages_apt() {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
                -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# One archive that fails need not be the one that is needed: installing decides.
packages_update() {
        packages_apt update || say 'not all package lists could be had; going on with those that could'
}

# packages_known: true when the archives have all names on standard input.
packages_known() {
        xargs -r -n 1 apt-cache show --no-all-versions >/dev/null 2>&1
}

# Of the lists named, what is neither installed nor to be had.
packages_unavailable() {
        missing=$(packages_names "$@" | packages_missing)
        ! printf '%s\n' "$missing" | packages_known || return 0
        packages_update >&2
        for package in $missing; do
                echo "$package" | packages_known || echo "$package"
        done
}

# Makes sure of all packages of the lists named; does nothing when they are there.
packages_install() {
        have dpkg-query || die 'this is no Debian system: install by hand what these files list:' \
                "$(printf 'packaging/packages/%s ' "$@")"
        missing=$(packages_names "$@" | packages_missing | tr '\n' ' ')
        [ -n "$missing" ] || return 0
        say "installing $missing"
        # shellcheck disable=SC2086 # names are words
        printf '%s\n' $missing | packages_known || packages_update
        # shellcheck disable=SC2086 # names are words
        packages_apt install --no-install-recommends $missing || {
                # Lists that are older than what the mirror still has: 404.
                say 'once more, with fresh package lists'
                packages_update
                packages_apt install --no-install-recommends $missing
        } || die 'the packages could not be installed; apt says above why. Once it is mended:' \
                "apt-get install --no-install-recommends $missing"
}
