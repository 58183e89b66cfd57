# check.sh - what can be said about the code without running it.
# shellcheck shell=sh

# clang-format differs between its versions; 14 (Debian 12's) is the one that counts.
check_formatter() {
        if have clang-format-14; then
                echo clang-format-14
        elif have clang-format; then
                echo clang-format
        else
                return 1
        fi
}

check_c_files() {
        git ls-files -co --exclude-standard '*.c' '*.h'
}

# check_with TITLE TOOL COMMAND...: runs one check, or says that its tool is not here.
check_with() {
        title=$1
        tool=$2
        shift 2
        if ! have "$tool"; then
                echo "-- $title: left out, $tool is not installed"
                return 0
        fi
        say "$title"
        "$@" || check_failed="$check_failed $tool"
}

check_format() {
        check_c_files | xargs "$(check_formatter)" --dry-run -Werror
}

check_shell() {
        git grep -lE '^#!/bin/sh|^# shellcheck shell=sh' -- dev .ci tools bench packaging tests |
                xargs shellcheck
}

# cppcheck does not know the cleanup attribute and takes what it releases for leaked, and
# mistakes the bound of an index in `a && b`: both are for the sanitizers.
check_cppcheck() {
        cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
                --enable=warning,performance,portability \
                --suppress=memleak --suppress=resourceLeak \
                --suppress=arrayIndexOutOfBoundsCond --library=tools/dev/cppcheck.cfg \
                --project=build-check/compile_commands.json
}

check_tidy() {
        run-clang-tidy -quiet -p build-check "${top:?}/(src|bench)/.*" 2>/dev/null
}

## check - layers, format, shellcheck, cppcheck, clang-tidy (those that are installed)
dev_check() {
        check_failed=
        check_with 'rooms include what they may' /usr/bin/python3 tools/check-layers
        check_with 'C code is formatted' "$(check_formatter || echo clang-format)" check_format
        check_with 'shell scripts' shellcheck check_shell
        if have meson && { have cppcheck || have run-clang-tidy; }; then
                packages_install build test
                build_configure build-check --buildtype=debug
        fi
        check_with 'cppcheck' cppcheck check_cppcheck
        check_with 'clang-tidy' run-clang-tidy check_tidy
        [ -z "$check_failed" ] || die "not clean:$check_failed"
        echo 'clean'
}

## format - rewrite the C code as .clang-format says
dev_format() {
        formatter=$(check_formatter) || die 'clang-format is not installed:' \
                'apt-get install clang-format'
        check_c_files | xargs "$formatter" -i
}
