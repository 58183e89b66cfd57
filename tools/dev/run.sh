# run.sh - the product on this machine: an agent with a simulated Pi, on loopback.
# shellcheck shell=sh

# run_http_port SOCKET: where HTTP is served; nothing when another program has the port.
run_http_port() {
        build/pifleet call get_status --json --socket "$1" |
                sed -n 's/.*"http":{"listening":true,[^}]*"port":\([0-9]*\).*/\1/p'
}

# run_hints PORT HTTP-PORT: what a newcomer can type next.
run_hints() {
        option=
        [ "$1" = 3000 ] || option=" --port $1"
        cat <<EOF

The agent is up, with a simulated Raspberry Pi, on 127.0.0.1:$1. In another terminal, try:

    build/pifleet status$option
    build/pifleet call led_on pin=17$option
    bash -c 'exec 3<>/dev/tcp/127.0.0.1/$1; echo "{\"command\":\"system_info\"}" >&3; head -n1 <&3'

The last is all that a program has to do: a line of JSON there, a line of JSON back.
EOF
        [ -z "$2" ] || cat <<EOF
Over HTTP, a command, and what happens while it happens:

    curl -d '{"command":"led_off","pin":17}' -H 'Content-Type: application/json' \\
            http://127.0.0.1:$2/api/command
    curl -N http://127.0.0.1:$2/api/events
EOF
        cat <<EOF

Ctrl-C stops the agent.

EOF
}

# run_is_up PID SOCKET: waits until the agent answers; false once it is gone.
run_is_up() {
        tries=100
        until build/pifleet call ping --socket "$2" >/dev/null 2>&1; do
                kill -0 "$1" 2>/dev/null || return 1
                tries=$((tries - 1))
                [ "$tries" -gt 0 ] || return 1
                sleep 0.1
        done
}

# run_port [AGENT OPTIONS]: the TCP port these options lead to.
run_port() {
        port=3000
        while [ $# -gt 0 ]; do
                case $1 in
                --port=*) port=${1#--port=} ;;
                --port) port=${2:-} ;;
                esac
                shift
        done
        echo "$port"
}

## run [AGENT OPTIONS] - build, start an agent with a simulated Pi on loopback, say what to try
dev_run() {
        build_release
        state=$(mktemp -d)
        say 'starting the agent'
        build/pifleet-agent --config tools/dev/demo.yaml --state-dir "$state" \
                --socket "$state/agent.sock" "$@" &
        agent=$!
        trap 'rm -rf "$state"' EXIT
        trap 'kill -TERM "$agent" 2>/dev/null || true' INT TERM HUP

        port=$(run_port "$@")
        if run_is_up "$agent" "$state/agent.sock"; then
                run_hints "$port" "$(run_http_port "$state/agent.sock")"
        fi
        # A signal interrupts the wait while the agent still tidies up: wait again.
        status=0
        wait "$agent" || status=$?
        while kill -0 "$agent" 2>/dev/null; do
                status=0
                wait "$agent" || status=$?
        done
        [ "$status" -eq 0 ] || [ "$status" -gt 128 ] ||
                die "the agent ended with status $status; its last line above says why." \
                        "If port $port is taken, use another: ./dev run --port 3001"
}
