# vm.sh - the tests that need a real kernel, in a machine of its own (tests/vm).
# shellcheck shell=sh

# Not a failure: what is tested there cannot be tested here.
vm_skip() {
        echo "skipped: $*"
        echo '0 passed, 0 failed, 1 skipped'
        exit 0
}

# Ends the command when no machine can be had here, whatever one does.
vm_possible() {
        machine=$(uname -m)
        [ "$machine" = x86_64 ] ||
                vm_skip "the test machine runs this machine's programs, and is there for x86_64 only," \
                        "not for $machine"
        have dpkg-query || vm_skip 'its kernel is built from a Debian package, and this is no Debian'
        unavailable=$(packages_unavailable vm | tr '\n' ' ')
        [ -z "$unavailable" ] || vm_skip "no archive that apt knows here has ${unavailable% }"
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

# vm_stage MODE SECONDS: a machine that runs tests/vm/suite. It leaves NAME.xml and
# NAME.status for each of its stages; a machine that failed leaves a status only.
vm_stage() {
        say "the machine: $1"
        status=0
        tests/vm/machine "$1" --timeout "$2" --rw "$results" -- \
                tests/vm/suite "$1" "$results" || status=$?
        [ "$status" -eq 0 ] || echo "$status" >"$results/machine-$1.status"
}

## test-vm - the tests that need a real kernel: GPIO, PWM, systemd, in a small machine
dev_test_vm() {
        vm_possible
        test_environment
        test_build
        vm_build
        results=$PIFLEET_BUILD/vm
        rm -rf "$results"
        mkdir -p "$results"
        vm_stage run 480
        vm_stage systemd 480

        say 'all stages'
        set --
        for file in "$results"/*.status; do
                set -- "$@" "${file%.status}.xml" "$(cat "$file")"
        done
        exec tests/summary "$@"
}
