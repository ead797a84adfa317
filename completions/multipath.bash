# Generated from the parser of multipath by: npm run docs:cli
_multipath() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' words=''
  ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]}
  ((COMP_CWORD > 2)) && case "$command ${COMP_WORDS[2]}" in
    'speed serve') command="$command ${COMP_WORDS[2]}" ;;
  esac
  case "$command $prev" in
    "nc -p" | "nc --port") mapfile -t COMPREPLY < <(:); return ;;
    "nc -x" | "nc --multiplier") mapfile -t COMPREPLY < <(:); return ;;
    "nc -i" | "nc --idle-timeout") mapfile -t COMPREPLY < <(:); return ;;
    "nc --quit-after") mapfile -t COMPREPLY < <(:); return ;;
    "nc -e" | "nc --exec") mapfile -t COMPREPLY < <(:); return ;;
    "nc --relay") mapfile -t COMPREPLY < <(:); return ;;
    "nc --peer") mapfile -t COMPREPLY < <(compgen -W 'any ours' -- "$cur"); return ;;
    "nc --tls-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "nc --tls-fingerprint") mapfile -t COMPREPLY < <(:); return ;;
    "nc --tls-name") mapfile -t COMPREPLY < <(:); return ;;
    "nc --tls-cert") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "nc --tls-key") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "nc --tls-client-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "nc --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "nc --scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "nc --suspect-ms") mapfile -t COMPREPLY < <(:); return ;;
    "nc --dead-ms") mapfile -t COMPREPLY < <(:); return ;;
    "nc --keep-alive-ms") mapfile -t COMPREPLY < <(:); return ;;
    "nc --hold") mapfile -t COMPREPLY < <(:); return ;;
    "nc --peer-scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "nc --metrics") mapfile -t COMPREPLY < <(:); return ;;
    "serve --listen") mapfile -t COMPREPLY < <(:); return ;;
    "serve --allow") mapfile -t COMPREPLY < <(:); return ;;
    "serve --allow-socks") mapfile -t COMPREPLY < <(:); return ;;
    "serve --allow-private") mapfile -t COMPREPLY < <(:); return ;;
    "serve --allow-remote") mapfile -t COMPREPLY < <(:); return ;;
    "serve --tls-cert") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "serve --tls-key") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "serve --tls-client-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "serve --max-sessions") mapfile -t COMPREPLY < <(:); return ;;
    "serve --connect-timeout") mapfile -t COMPREPLY < <(:); return ;;
    "serve --scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "serve --suspect-ms") mapfile -t COMPREPLY < <(:); return ;;
    "serve --dead-ms") mapfile -t COMPREPLY < <(:); return ;;
    "serve --keep-alive-ms") mapfile -t COMPREPLY < <(:); return ;;
    "serve --hold") mapfile -t COMPREPLY < <(:); return ;;
    "serve --metrics") mapfile -t COMPREPLY < <(:); return ;;
    "serve --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "serve --max-streams") mapfile -t COMPREPLY < <(:); return ;;
    "serve --drain") mapfile -t COMPREPLY < <(:); return ;;
    "forward --local") mapfile -t COMPREPLY < <(:); return ;;
    "forward --remote") mapfile -t COMPREPLY < <(:); return ;;
    "forward --to") mapfile -t COMPREPLY < <(:); return ;;
    "forward --all-interfaces") mapfile -t COMPREPLY < <(:); return ;;
    "forward --tls-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "forward --tls-fingerprint") mapfile -t COMPREPLY < <(:); return ;;
    "forward --tls-name") mapfile -t COMPREPLY < <(:); return ;;
    "forward --tls-cert") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "forward --tls-key") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "forward --wait") mapfile -t COMPREPLY < <(:); return ;;
    "forward --scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "forward --suspect-ms") mapfile -t COMPREPLY < <(:); return ;;
    "forward --dead-ms") mapfile -t COMPREPLY < <(:); return ;;
    "forward --keep-alive-ms") mapfile -t COMPREPLY < <(:); return ;;
    "forward --hold") mapfile -t COMPREPLY < <(:); return ;;
    "forward --peer-scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "forward --metrics") mapfile -t COMPREPLY < <(:); return ;;
    "forward --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "forward --max-streams") mapfile -t COMPREPLY < <(:); return ;;
    "forward --drain") mapfile -t COMPREPLY < <(:); return ;;
    "socks --listen") mapfile -t COMPREPLY < <(:); return ;;
    "socks --login-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "socks --early") mapfile -t COMPREPLY < <(compgen -W 'known always never' -- "$cur"); return ;;
    "socks --to") mapfile -t COMPREPLY < <(:); return ;;
    "socks --all-interfaces") mapfile -t COMPREPLY < <(:); return ;;
    "socks --tls-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "socks --tls-fingerprint") mapfile -t COMPREPLY < <(:); return ;;
    "socks --tls-name") mapfile -t COMPREPLY < <(:); return ;;
    "socks --tls-cert") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "socks --tls-key") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "socks --wait") mapfile -t COMPREPLY < <(:); return ;;
    "socks --scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "socks --suspect-ms") mapfile -t COMPREPLY < <(:); return ;;
    "socks --dead-ms") mapfile -t COMPREPLY < <(:); return ;;
    "socks --keep-alive-ms") mapfile -t COMPREPLY < <(:); return ;;
    "socks --hold") mapfile -t COMPREPLY < <(:); return ;;
    "socks --peer-scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "socks --metrics") mapfile -t COMPREPLY < <(:); return ;;
    "socks --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "socks --max-streams") mapfile -t COMPREPLY < <(:); return ;;
    "socks --drain") mapfile -t COMPREPLY < <(:); return ;;
    "status -t" | "status --target") mapfile -t COMPREPLY < <(:); return ;;
    "monitor -t" | "monitor --target") mapfile -t COMPREPLY < <(:); return ;;
    "ctl -t" | "ctl --target") mapfile -t COMPREPLY < <(:); return ;;
    "doctor --address") mapfile -t COMPREPLY < <(:); return ;;
    "doctor -s" | "doctor --seconds") mapfile -t COMPREPLY < <(:); return ;;
    "doctor --max-mib") mapfile -t COMPREPLY < <(:); return ;;
    "doctor --tls-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "doctor --tls-fingerprint") mapfile -t COMPREPLY < <(:); return ;;
    "doctor --tls-name") mapfile -t COMPREPLY < <(:); return ;;
    "doctor --tls-cert") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "doctor --tls-key") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "doctor --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed -s" | "speed --seconds") mapfile -t COMPREPLY < <(:); return ;;
    "speed --max-mib") mapfile -t COMPREPLY < <(:); return ;;
    "speed --tls-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed --tls-fingerprint") mapfile -t COMPREPLY < <(:); return ;;
    "speed --tls-name") mapfile -t COMPREPLY < <(:); return ;;
    "speed --tls-cert") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed --tls-key") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed serve --listen") mapfile -t COMPREPLY < <(:); return ;;
    "speed serve --tls-cert") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed serve --tls-key") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed serve --tls-client-ca") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed serve --token-file") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "speed serve --max-sessions") mapfile -t COMPREPLY < <(:); return ;;
    "speed serve --scheduler") mapfile -t COMPREPLY < <(compgen -W 'lowest-rtt redundant hybrid weighted round-robin' -- "$cur"); return ;;
    "speed serve --suspect-ms") mapfile -t COMPREPLY < <(:); return ;;
    "speed serve --dead-ms") mapfile -t COMPREPLY < <(:); return ;;
    "speed serve --keep-alive-ms") mapfile -t COMPREPLY < <(:); return ;;
    "speed serve --hold") mapfile -t COMPREPLY < <(:); return ;;
    "speed serve --metrics") mapfile -t COMPREPLY < <(:); return ;;
    "trace -o" | "trace --output") mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    "trace -c" | "trace --connection") mapfile -t COMPREPLY < <(:); return ;;
  esac
  case $command in
    '') words='nc serve forward socks status monitor ctl doctor speed trace --help --version' ;;
    'nc') words='-l --listen -p --port -4 --ipv4 -6 --ipv6 -a --no-auto-detect -x --multiplier -i --idle-timeout --quit-after -b --benchmark -e --exec --relay --peer -k --keep-open --tls --tls-ca --tls-fingerprint --tls-name --tls-cert --tls-key --tls-client-ca --token-file --scheduler --suspect-ms --dead-ms --keep-alive-ms --hold --peer-scheduler --metrics --no-ctl --json -q --quiet -v --verbose -h --help' ;;
    'serve') words='--listen --allow --allow-socks --allow-private --allow-remote --tls-cert --tls-key --tls-client-ca --insecure --max-sessions --connect-timeout --no-speed --scheduler --suspect-ms --dead-ms --keep-alive-ms --hold --metrics --no-ctl --monitor --token-file --max-streams --drain --json -v --verbose -h --help' ;;
    'forward') words='--local --remote --to --all-interfaces --tls --tls-ca --tls-fingerprint --tls-name --tls-cert --tls-key --wait --once --scheduler --suspect-ms --dead-ms --keep-alive-ms --hold --peer-scheduler --metrics --no-ctl --monitor --token-file --max-streams --drain --json -v --verbose -h --help' ;;
    'socks') words='--listen --login-file --insecure --early --to --all-interfaces --tls --tls-ca --tls-fingerprint --tls-name --tls-cert --tls-key --wait --once --scheduler --suspect-ms --dead-ms --keep-alive-ms --hold --peer-scheduler --metrics --no-ctl --monitor --token-file --max-streams --drain --json -v --verbose -h --help' ;;
    'status') words='-t --target --json -h --help' ;;
    'monitor') words='-t --target -h --help' ;;
    'ctl') words='-t --target --json -h --help' ;;
    'doctor') words='--address -s --seconds --max-mib --no-load --tls --tls-ca --tls-fingerprint --tls-name --tls-cert --tls-key --token-file --json -4 --ipv4 -6 --ipv6 -h --help' ;;
    'speed') words='serve -s --seconds --max-mib -a --no-auto-detect --tls --tls-ca --tls-fingerprint --tls-name --tls-cert --tls-key --token-file --json -4 --ipv4 -6 --ipv6 -h --help' ;;
    'speed serve') words='--listen --tls-cert --tls-key --tls-client-ca --token-file --max-sessions --scheduler --suspect-ms --dead-ms --keep-alive-ms --hold --metrics --no-ctl --json -v --verbose -h --help' ;;
    'trace') words='-o --output -c --connection -h --help' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _multipath multipath
