# vm.sh - the tests that need a real kernel, in a machine of its own (tests/vm).
# shellcheck shell=sh

# Why no machine can be had here, whatever one does; nothing: it can.
vm_obstacle() {
        machine=$(uname -m)
        if [ "$machine" != x86_64 ]; then
                echo "the test machine runs this machine's programs, and is there for x86_64 only," \
                        "not for $machine"
        elif ! have dpkg-query; then
                echo 'its kernel is built from a Debian package, and this is no Debian'
        else
                unavailable=$(packages_unavailable vm | tr '\n' ' ')
                [ -z "$unavailable" ] || echo "no archive that apt knows here has ${unavailable% }"
        fi
}

# The kernel that the build is tested on.
vm_build() {
        (
                packages_install vm
                say 'the kernel: some minutes when it is not there yet'
                tests/vm/build-kernel >/dev/null || die 'without its kernel there is no machine'
        ) || {
                echo '0 passed, 1 failed, 0 skipped'
                exit 1
        }
}

# vm_stage MACHINE MODE SECONDS: a machine that runs tests/vm/suite. It leaves NAME.xml
# and NAME.status for each of its stages in $results; a machine that failed leaves a
# status only.
vm_stage() {
        say "the machine: $2"
        status=0
        tests/vm/machine "$1" --timeout "$3" --rw "$results" -- \
                tests/vm/suite "$2" "$results" || status=$?
        [ "$status" -eq 0 ] || echo "$status" >"$results/machine-$2.status"
}

# Adds what vm_stage left to the sums.
vm_results() {
        for file in "$results"/*.status; do
                [ ! -e "$file" ] || sums="$sums ${file%.status}.xml $(cat "$file")"
        done
}

# An empty folder for results. What is tested there follows in stages.
vm_begin() {
        results=build-test/vm
        rm -rf "$results"
        mkdir -p "$results"
}

## test-vm - the tests that need a real kernel: GPIO, PWM, systemd, in a small machine
dev_test_vm() {
        obstacle=$(vm_obstacle)
        if [ -n "$obstacle" ]; then
                # Not a failure: what is tested there cannot be tested here.
                echo "skipped: $obstacle"
                echo '0 passed, 0 failed, 1 skipped'
                return
        fi
        test_environment
        test_build
        # What is measured in there is what users run.
        build_release
        export PIFLEET_RELEASE="${top:?}/build"
        vm_build
        vm_begin
        vm_stage run run 480
        vm_stage systemd systemd 480

        sums=
        vm_results
        test_sum
}

# What takes minutes there: programs are optimised, as tracing them costs enough.
vm_long() {
        obstacle=$(vm_obstacle)
        if [ -n "$obstacle" ]; then
                echo "skipped: $obstacle"
                return
        fi
        build_release
        vm_build
        vm_begin
        export PIFLEET_PROGRAMS="${top:?}/build"
        vm_stage run long 7200
        unset PIFLEET_PROGRAMS
        vm_results
}
