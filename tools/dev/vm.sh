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

# vm_stage MACHINE MODE SECONDS [OPTION...]: a machine that runs tests/vm/suite. It leaves
# NAME.xml and NAME.status for each of its stages in $results; a machine that failed leaves
# a status only.
vm_stage() {
        machine=$1 mode=$2 seconds=$3
        shift 3
        test_stage "the machine: $mode" tests/vm/machine "$machine" "$@" --timeout "$seconds" \
                --rw "$results" -- tests/vm/suite "$mode" "$results"
        [ "${status:?}" -eq 0 ] || echo "$status" >"$results/machine-$mode.status"
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
        vm_stage run run 1200
        vm_stage systemd systemd 1200

        sums=
        vm_results
        test_sum
}

# vm_long, without what it takes: the kernel.
vm_prepare() {
        obstacle=$(vm_obstacle)
        [ -n "$obstacle" ] || vm_build
}

# What takes minutes there. Two emulated processors mostly wait for each other, and what
# runs beside has the second of this computer.
vm_long() {
        if [ -n "$obstacle" ]; then
                echo "skipped: $obstacle"
                return
        fi
        vm_begin
        vm_stage run long 7200 --cpus 1
        vm_results
}
