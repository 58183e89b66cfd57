# test.sh - every suite under the sanitizers, and one line that adds them up.
# shellcheck shell=sh

test_folders='tests/tools tests/system tests/handlers bench'

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

# Runs a command whose failure is a result like any other; $status is its exit status. A
# shell that waits can be told to end, one whose command is in the foreground cannot.
test_stage() {
        say "$1"
        shift
        status=0
        if [ -n "${lane:-}" ]; then
                "$@" &
                command=$!
                wait "$command" || status=$?
        else
                "$@" || status=$?
        fi
}

# test_units BUILD MESON-OPTIONS
test_units() {
        rm -f "$1"/meson-logs/testlog.*
        # shellcheck disable=SC2086 # options are words
        test_stage "unit tests in $1/" meson test -C "$1" --no-rebuild --print-errorlogs $2
        sums="$sums $1/meson-logs/testlog $status"
}

# test_late BUILD: the units again, each time with other threads late, so that none passes
# only because one thread is faster than another (tests/support/late-threads.c).
test_late() {
        for setup in late_loop late_pool late_any; do
                rm -f "$1/meson-logs/testlog-$setup".*
                test_stage "unit tests in $1/, $setup" meson test -C "$1" --no-rebuild \
                        --print-errorlogs --suite unit --num-processes 8 --setup "$setup"
                sums="$sums $1/meson-logs/testlog-$setup $status"
        done
}

# test_python BUILD NAME SECONDS PYTEST-ARGUMENT...: SECONDS are for all of them: a hang
# ends as a failure. What they left is added to $sums.
test_python() {
        build=$1 results=$1/$2.xml seconds=$3
        shift 3
        rm -f "$results"
        test_stage "tools and system tests in $build/" env PIFLEET_BUILD="${top:?}/$build" \
                timeout -k 10 "$seconds" /usr/bin/python3 -m pytest -q -c tests/pytest.ini \
                --rootdir=. -p no:cacheprovider --junitxml="$results" "$@"
        sums="$sums $results $status"
}

# test_beside NAME COMMAND: runs it beside what follows. Its lines begin with its name, and
# its sums lie in a file when it is through.
test_beside() {
        rm -f "build-test/$1.sums" "build-test/$1.lines"
        mkfifo "build-test/$1.lines"
        sed -u "s/^/$1: /" <"build-test/$1.lines" &
        # shellcheck disable=SC2030 # the sums of this one
        (
                lane=$1 command='' sums=
                trap '[ -z "$command" ] || kill "$command"; exit 143' TERM
                "$2"
                echo "$sums" >"build-test/$1.sums"
        ) >"build-test/$1.lines" 2>&1 </dev/null &
        lanes="$lanes $!"
        besides="$besides $1"
}

# Waits for what runs beside, and for its last line, and adds its sums. One that left none
# has failed.
test_join() {
        wait
        lanes=
        for name in $besides; do
                # shellcheck disable=SC2031 # the sums of all
                sums="$sums $(cat "build-test/$name.sums" || echo "build-test/$name.xml 1")"
        done
}

# Data races, which the other sanitizers do not see: all units, and the supervisor with
# the real agent. Faults at every call were looked for by the other sanitizers.
test_threads() {
        unset PIFLEET_LONG
        test_units build-threads '--suite unit --timeout-multiplier 10 --num-processes 1'
        test_late build-threads
        test_python build-threads pytest 900 tests/system/test_supervisor.py
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
        test_units build-test ''
        # shellcheck disable=SC2086 # folders are words
        test_python build-test pytest 1200 -m 'not long' $test_folders
        test_sum
}

# One processor has an emulated machine to run, the other the rest; when the machine is
# through, races are looked for.
test_machine_and_threads() {
        vm_long
        test_threads
}

## test-long - the same, soaks, races, late threads, a kill at every system call: two hours
dev_test_long() {
        test_environment
        test_build
        test_build build-threads thread
        # Some look at what users run, too.
        build_release
        vm_prepare
        export PIFLEET_PROGRAMS="${top:?}/build" PIFLEET_LONG=1
        sums='' lanes='' besides=''
        # shellcheck disable=SC2086 # numbers of processes
        trap '[ -z "$lanes" ] || kill $lanes 2>/dev/null' EXIT
        trap 'exit 130' INT TERM HUP
        test_beside beside test_machine_and_threads
        test_units build-test '--timeout-multiplier 10'
        # shellcheck disable=SC2086 # folders are words
        test_python build-test pytest 7200 -m 'not sample' --durations=10 $test_folders
        test_join
        trap - EXIT INT TERM HUP
        test_sum
}
