# test.sh - every suite under the sanitizers, and one line that adds them up.
# shellcheck shell=sh

# A leak, a bad address or undefined behaviour fails the test it happens in.
test_environment() {
        export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
        export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
        export PYTHONDONTWRITEBYTECODE=1
        export PIFLEET_BUILD="${top:?}/build-test"
}

# What cannot be built has failed: the last line is a sum then, too.
test_build() {
        (
                packages_install build test
                build_configure build-test --buildtype=debug -Doptimization=1 \
                        -Db_sanitize=address,undefined
                say 'building build-test/'
                ninja -C build-test || die 'the build failed; the first error above is the one to read'
        ) || {
                echo '0 passed, 1 failed, 0 skipped'
                exit 1
        }
}

# Runs a command whose failure is a result like any other; $status is its exit status.
test_stage() {
        say "$1"
        shift
        status=0
        "$@" || status=$?
}

# test_suites MESON-OPTIONS MARK SECONDS: the suites, and then the sum. MARK chooses
# system tests, which have SECONDS in all: a hang ends as a failure.
test_suites() {
        rm -rf build-test/meson-logs/testlog* build-test/pytest.xml
        # shellcheck disable=SC2086 # options are words
        test_stage 'unit tests and fuzz corpora' \
                meson test -C build-test --no-rebuild --print-errorlogs $1
        meson_status=$status
        test_stage 'tools and system tests' timeout -k 10 "$3" \
                /usr/bin/python3 -m pytest -q -c tests/pytest.ini --rootdir=. -p no:cacheprovider \
                -m "$2" --junitxml=build-test/pytest.xml tests/tools tests/system tests/handlers bench
        say 'all suites'
        exec tests/summary build-test/meson-logs "$meson_status" build-test/pytest.xml "$status"
}

## test - build with sanitizers, run every suite, end in one line of sums
dev_test() {
        test_environment
        test_build
        test_suites '' 'not long' 600
}

## test-long - the same and the soaks, which take minutes
dev_test_long() {
        test_environment
        export PIFLEET_LONG=1
        test_build
        test_suites '--timeout-multiplier 10' '' 7200
}
