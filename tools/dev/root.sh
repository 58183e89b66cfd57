# root.sh - Debian roots beside the running system, for builds that must not touch it.
#
# Packages come from wherever this machine gets its own: apt is asked, nothing is
# written down here.
# shellcheck shell=sh

root_codename() {
        # shellcheck source=/dev/null
        . /etc/os-release
        echo "$VERSION_CODENAME"
}

# root_sources CODENAME: sources.list lines for a release, at this machine's mirrors.
root_sources() {
        # shellcheck disable=SC2016 # the format is apt's
        targets='$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)'
        apt-get indextargets --format "$targets" 'Created-By: Packages' |
                awk -v here="$(root_codename)" -v wanted="$1" '
                        $1 == "Debian" && $4 == "main" &&
                        ($3 == here || $3 == here "-updates" || $3 == here "-security") {
                                sub("^" here, wanted, $3)
                                print "deb", $2, $3, $4
                        }' | sort -u
}

# root_make DIRECTORY CODENAME: the smallest Debian there is. Whole or not there.
root_make() {
        # apt knows whose lists they are only once it has them.
        [ -n "$(root_sources "$2")" ] || packages_update
        sources=$(root_sources "$2")
        mirror=$(printf '%s\n' "$sources" | awk -v suite="$2" '$3 == suite { print $2; exit }')
        [ -n "$mirror" ] || die "apt knows no Debian archive here that could have $2:" \
                'look at /etc/apt/sources.list and /etc/apt/sources.list.d/'
        say "making a Debian $2 in $1"
        rm -rf "$1.partial"
        mkdir -p "$1.partial"
        debootstrap --variant=minbase --include=ca-certificates "$2" "$1.partial" "$mirror" ||
                die "debootstrap failed; $1.partial/debootstrap/debootstrap.log says why"
        printf '%s\n' "$sources" >"$1.partial/etc/apt/sources.list"
        # Proxies and the like that this machine needs to reach its mirrors.
        apt-config dump Acquire >"$1.partial/etc/apt/apt.conf.d/90machine"
        mv "$1.partial" "$1"
}

# root_enter DIRECTORY SOURCE COMMAND...: runs a command in the root, with SOURCE to read
# at /src. In namespaces of its own: mounts and processes are gone when it ends.
root_enter() {
        directory=$1
        cp -L /etc/resolv.conf /etc/hosts "$directory/etc/"
        mkdir -p "$directory/src"
        # shellcheck disable=SC2016 # for the inner shell
        unshare --mount --pid --fork --kill-child --propagation private sh -euc '
                root=$1 source=$2
                shift 2
                mount --bind "$root" "$root"
                mount -t proc proc "$root/proc"
                mount --rbind /dev "$root/dev"
                mount --bind "$source" "$root/src"
                mount -o remount,bind,ro "$root/src"
                # As the root of all mounts, not chroot: a sandbox in there makes its own view of them.
                cd "$root"
                pivot_root . mnt
                exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
                        LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
                        ${http_proxy:+"http_proxy=$http_proxy"} \
                        ${https_proxy:+"https_proxy=$https_proxy"} \
                        ${no_proxy:+"no_proxy=$no_proxy"} \
                        sh -euc "umount -l /mnt; exec \"\$@\"" root_enter "$@"
        ' root_enter "$@"
}
