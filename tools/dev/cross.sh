# cross.sh - builds for the Raspberry Pi's processors, tested under qemu-user.
#
# In a Debian root of its own, since libraries of a foreign architecture would
# otherwise have to come onto this machine. The root is kept and used again.
# shellcheck shell=sh

# cross_machine ARCHITECTURE: sets what the tools call it.
cross_machine() {
        case $1 in
        arm64) triplet=aarch64-linux-gnu family=aarch64 cpu=aarch64 qemu=qemu-aarch64 ;;
        armhf) triplet=arm-linux-gnueabihf family=arm cpu=armv7 qemu=qemu-arm ;;
        *) die 'which processor?' \
                './dev cross arm64    64-bit Raspberry Pi OS, Debian arm64' \
                './dev cross armhf    32-bit Raspberry Pi OS, Debian armhf' ;;
        esac
}

# Meson's cross file. A test runs by $qemu, which finds the foreign loader and
# libraries where Debian's multi-arch puts them: beside the native ones.
cross_file() {
        cat <<EOF
[binaries]
c = '$triplet-gcc'
ar = '$triplet-ar'
strip = '$triplet-strip'
pkgconfig = 'pkg-config'
exe_wrapper = '$1'

[properties]
needs_exe_wrapper = true
pkg_config_libdir = ['/usr/lib/$triplet/pkgconfig', '/usr/share/pkgconfig']

[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$cpu'
endian = 'little'
EOF
}

# cross_packages ARCHITECTURE: libraries of that architecture, tools of this one; of what
# the tests need only the libraries, since no system tests run here.
cross_packages() {
        echo "crossbuild-essential-$1 qemu-user-static"
        packages_names build | grep -v '^lib.*-dev$'
        packages_names build test | sed -n "s/^lib.*-dev\$/&:$1/p"
}

cross_install() {
        packages=$(cross_packages "$1" | tr '\n' ' ')
        [ "$packages" != "$(cat "$root/etc/pifleet-packages" 2>/dev/null)" ] || return 0
        say "installing compilers and libraries for $1"
        # shellcheck disable=SC2086,SC2016 # names are words; for the inner shell
        root_enter "$root" "${top:?}" sh -euc '
                dpkg --add-architecture "$1"
                shift
                apt-get -q -o Acquire::Retries=3 update || echo "not all package lists could be had"
                apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends "$@"
                apt-get clean
        ' install "$1" $packages || die "the packages for $1 could not be installed; apt says above why"
        printf %s "$packages" >"$root/etc/pifleet-packages"
}

## cross arm64|armhf - build for a Pi's processor and run the unit tests under qemu
dev_cross() {
        cross_machine "${1:-}"
        cache=${XDG_CACHE_HOME:-$HOME/.cache}/pifleet
        if [ "$(id -u)" -ne 0 ]; then
                as_root env "XDG_CACHE_HOME=${cache%/pifleet}" "${top:?}/dev" cross "$1"
                return
        fi
        packages_install cross
        root=$cache/cross-$1-$(root_codename)
        [ -d "$root" ] || root_make "$root" "$(root_codename)"
        cross_install "$1"

        emulator=
        for name in "$qemu-static" "$qemu"; do
                [ ! -x "$root/usr/bin/$name" ] || { emulator=$name && break; }
        done
        [ -n "$emulator" ] || die "$root has no $qemu: remove that folder and run this again"
        cross_file "$emulator" >"$root/etc/pifleet-cross.ini"
        say "building for $1, then its unit tests under $emulator"
        # shellcheck disable=SC2016 # for the inner shell
        root_enter "$root" "${top:?}" sh -euc '
                if ! cmp -s /etc/pifleet-cross.ini /build/cross.ini; then
                        rm -rf /build
                        meson setup --cross-file /etc/pifleet-cross.ini /build /src
                        cp /etc/pifleet-cross.ini /build/cross.ini
                fi
                ninja -C /build
                meson test -C /build --no-rebuild --print-errorlogs --timeout-multiplier 5 \
                        --suite unit
        ' || die "not clean on $1; the first failure above is the one to read"
        echo "built for $1: $root/build/pifleet-agent $root/build/pifleet"
}
