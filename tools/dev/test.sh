# test.sh - every suite under the sanitizers, and one line that adds them up.
# shellcheck shell=sh

# A leak, a bad address or undefined behaviour fails the test it happens in.
test_environment() {
        export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
        export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
        export PYTHONDONTWRITEBYTECODE=1
        export PIFLEET_BUILD="${top:?}/build-test"
}

# test_build [DIRECTORY SANITIZERS]. What cannot be built has failed: the last line is a
# sum then, too.
test_build() {
        (
                directory=${1:-build-test}
                packages_install build test
                build_configure "$directory" --buildtype=debug -Doptimization=1 \
                        -Db_sanitize="${2:-address,undefined}"
                say "building $directory/"
                ninja -C "$directory" ||
                        die 'the build failed; the first error above is the one to read'
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

# test_suites MESON-OPTIONS MARK SECONDS: the suites. MARK chooses system tests, which
# have SECONDS in all: a hang ends as a failure. What they left is added to $sums.
test_suites() {
        rm -rf build-test/meson-logs/testlog* build-test/pytest.xml
        # shellcheck disable=SC2086 # options are words
        test_stage 'unit tests and fuzz corpora' \
                meson test -C build-test --no-rebuild --print-errorlogs $1
        sums="$sums build-test/meson-logs $status"
        test_stage 'tools and system tests' timeout -k 10 "$3" \
                /usr/bin/python3 -m pytest -q -c tests/pytest.ini --rootdir=. -p no:cacheprovider \
                -m "$2" --junitxml=build-test/pytest.xml tests/tools tests/system tests/handlers bench
        sums="$sums build-test/pytest.xml $status"
}

# Data races, which the other sanitizers do not see: all units, and the supervisor with
# the real agent.
test_threads() {
        test_build build-threads thread
        rm -rf build-threads/meson-logs/testlog* build-threads/pytest.xml
        test_stage 'unit tests under ThreadSanitizer' \
                meson test -C build-threads --no-rebuild --print-errorlogs --suite unit \
                --timeout-multiplier 4
        sums="$sums build-threads/meson-logs $status"
        test_stage 'the supervisor under ThreadSanitizer' \
                env PIFLEET_BUILD="${top:?}/build-threads" timeout -k 10 600 \
                /usr/bin/python3 -m pytest -q -c tests/pytest.ini --rootdir=. -p no:cacheprovider \
                --junitxml=build-threads/pytest.xml tests/system/test_supervisor.py
        sums="$sums build-threads/pytest.xml $status"
}

# The last line. What is added up lies in this checkout and is named by relative paths.
test_sum() {
        say 'all suites'
        # shellcheck disable=SC2086 # pairs of words
        exec tests/summary $sums
}

## test - build with sanitizers, run every suite, end in one line of sums
dev_test() {
        test_environment
        test_build
        sums=
        test_suites '' 'not long' 600
        test_sum
}

## test-long - the same, soaks, ThreadSanitizer, a kill at every system call: three hours
dev_test_long() {
        test_environment
        test_build
        sums=
        test_threads
        export PIFLEET_LONG=1
        vm_long
        # Some look at what users run, too.
        build_release
        export PIFLEET_PROGRAMS="${top:?}/build"
        test_suites '--timeout-multiplier 10' '' 7200
        test_sum
}
