# Completion of pifleet(1) for bash. Installed as
# /usr/share/bash-completion/completions/pifleet.

_pifleet_subcommands='call status setup passwd doctor deploy rollback handlers logs sign pub sub rpc clients kick'

# Prints the options of a subcommand, as its own help lists them.
_pifleet_options()
{
        "$1" help "$2" 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
        echo --help
}

# Prints the agent's commands; asks the local agent, for a second at most, and
# says nothing when there is none. Only plain names pass: compgen -W expands what
# it is given as the shell would.
_pifleet_commands()
{
        "$1" call list_commands --json --timeout 1 2>/dev/null |
                grep -o '{"name":"[a-z][a-z0-9_.]*"' | cut -d'"' -f4
}

# Prints the agent's modules, in the same way.
_pifleet_modules()
{
        "$1" handlers --json --timeout 1 2>/dev/null |
                grep -oE '"[a-z][a-z0-9_]*\.(py|c)":\{' | cut -d'"' -f2
}

# Prints the clients of its broker, in the same way.
_pifleet_clients()
{
        "$1" clients --json --timeout 1 2>/dev/null |
                grep -oE '"client_id":"[A-Za-z0-9_.:-]+"' | cut -d'"' -f4
}

_pifleet()
{
        local program="${COMP_WORDS[0]}" subcommand="${COMP_WORDS[1]}"
        local word="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"

        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
                mapfile -t COMPREPLY < <(compgen -W \
                        "$_pifleet_subcommands help --help --version" -- "$word")
                return
        fi
        case "$previous" in
        --config | --socket | --ca | --cert | --token-file | --password-file | --key | --make-key | --file | -f)
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
                return
                ;;
        --host)
                mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
                return
                ;;
        --role)
                mapfile -t COMPREPLY < <(compgen -W "viewer operator deployer admin" -- "$word")
                return
                ;;
        --qos | -q | --will-qos)
                mapfile -t COMPREPLY < <(compgen -W "0 1 2" -- "$word")
                return
                ;;
        --port | -p | --token | --timeout | --name | --user | --version | --comment | \
                -u | --client-id | -i | --count | -C | -W | --expiry | --session-expiry | \
                --topic | --content-type | --response-topic | --user-property | --will-topic | \
                --will-payload | --will-delay)
                return
                ;;
        esac
        # Of logs a number, of pub a switch.
        if [ "$previous" = --lines ] && [ "$subcommand" = logs ]; then
                return
        fi
        if [ "$subcommand" = help ]; then
                mapfile -t COMPREPLY < <(compgen -W "$_pifleet_subcommands" -- "$word")
        elif [[ "$word" == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W \
                        "$(_pifleet_options "$program" "$subcommand")" -- "$word")
        elif [ "$subcommand" = deploy ] || [ "$subcommand" = sign ]; then
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
        elif [[ "$subcommand" =~ ^(call|rpc)$ ]] && [ "$COMP_CWORD" -eq 2 ]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_pifleet_commands "$program")" -- "$word")
        elif [[ "$subcommand" =~ ^(rollback|handlers|logs)$ ]] && [ "$COMP_CWORD" -eq 2 ]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_pifleet_modules "$program")" -- "$word")
        elif [[ "$subcommand" =~ ^(clients|kick)$ ]] && [ "$COMP_CWORD" -eq 2 ]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_pifleet_clients "$program")" -- "$word")
        fi
}

complete -F _pifleet pifleet
