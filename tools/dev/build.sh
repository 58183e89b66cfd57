# build.sh - Meson build directories, each made once and kept up to date.
# shellcheck shell=sh

# build_configure DIRECTORY [MESON OPTIONS]: makes the directory anew when it is
# not there, was left half made, or was made in another way or by another Meson.
build_configure() {
        directory=$1
        shift
        made_by="${top:?} $(meson --version) ${CC:-cc} $*"
        if [ -e "$directory" ] && ! [ -w "$directory" ]; then
                die "$directory/ belongs to somebody else (a run as root?). Remove it:" \
                        "sudo rm -r $directory"
        fi
        if [ -f "$directory/build.ninja" ] &&
                [ "$made_by" = "$(cat "$directory/made-by" 2>/dev/null)" ]; then
                return 0
        fi
        say "configuring $directory/"
        rm -rf "$directory"
        meson setup "$directory" "$@" || die "Meson could not configure $directory/; it says above why"
        printf '%s\n' "$made_by" >"$directory/made-by"
}

build_release() {
        packages_install build
        build_configure build --buildtype=release -Ddebug=true -Db_lto=true -Dtests=false
        say 'building build/'
        ninja -C build || die 'the build failed; the first error above is the one to read'
}

## build - the programs, optimised, in build/
dev_build() {
        build_release
        echo
        echo "built: build/pifleet-agent build/pifleet"
}

## bench [--quick] - measure speed and memory side by side with Redis, Python and mosquitto
dev_bench() {
        packages_install bench
        build_release
        /usr/bin/python3 bench/run.py --build build "$@"
}

## clean - remove everything that was built here
dev_clean() {
        rm -rf build build-*
        find tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
        roots=${XDG_CACHE_HOME:-$HOME/.cache}/pifleet
        [ ! -d "$roots" ] || echo "kept: $roots (the roots of ./dev cross, the kernel of ./dev test-vm)"
}
