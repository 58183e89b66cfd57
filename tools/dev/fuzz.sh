# fuzz.sh - search for inputs that break a decoder, with libFuzzer.
#
# What is found goes into tests/fuzz/corpus/TARGET/, where every ./dev test replays it.
# shellcheck shell=sh

## fuzz TARGET [SECONDS] - feed a decoder strange bytes for a while (60 s by itself)
dev_fuzz() {
        target=${1:-} seconds=${2:-60}
        corpus=tests/fuzz/corpus/$target
        if [ -z "$target" ] || ! [ -d "$corpus" ]; then
                die 'which target?' "$(cd tests/fuzz/corpus && echo *)"
        fi
        packages_install build test fuzz
        CC=clang build_configure build-fuzz --buildtype=debugoptimized -Dfuzzers=true \
                -Db_sanitize=address,undefined -Db_lundef=false
        say 'building build-fuzz/'
        ninja -C build-fuzz "tests/fuzz/fuzz-$target" ||
                die 'the build failed; the first error above is the one to read'
        mkdir -p "build-fuzz/found/$target"
        say "fuzzing $target for $seconds s; new inputs go to build-fuzz/found/$target/"
        "build-fuzz/tests/fuzz/fuzz-$target" -max_total_time="$seconds" -print_final_stats=1 \
                -artifact_prefix="build-fuzz/found/$target-" \
                "build-fuzz/found/$target" "$corpus" ||
                die "an input breaks it: build-fuzz/found/$target-*." \
                        "Mend the code, and keep the input as a test: mv it to $corpus/"
}
