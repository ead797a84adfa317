// SPDX-License-Identifier: Apache-2.0
/** The command line that makes the namespace, with all that is in it, and becomes the helper. */

/** All connections and packets arrive at this port. It is privileged, so that no program inside can take it. */
export const CATCH_PORT = 1
/** The descriptor of a socket that the command and its helper hold; on it, the command gets nftables' trace. */
export const LINK = 6
/** Writes nftables' trace, and ends with the process that has begun it, however that ends. */
export const TRACE_MONITOR = ['setpriv', '--pdeathsig', 'KILL', 'nft', 'monitor', 'trace'] as const
/** Of programs inside, beside loopback: some look whether there is any other address. */
const IPV4 = '198.18.0.1'
const IPV6 = 'fd6d:7061:7468::1'

/** Every address is local: the kernel itself answers for it. */
const IPV4_BATCH = `link set lo up
addr add ${IPV4}/32 dev lo
route add local default dev lo src ${IPV4} table local
`
const IPV6_BATCH = `link set lo up
addr add ${IPV6}/128 dev lo nodad
route add local ::/0 dev lo src ${IPV6} table local
`

/**
 * What is not for the namespace itself: TCP and UDP to all ports, names wherever they are asked for, and no ping, which would lie. The
 * first packet of a flow may leave before `nft monitor` listens. Until the flow is answered, later packets are therefore traced too.
 */
const rules = (family: 'ip' | 'ip6', own: string, loopback: string, icmp: string): string => `
table ${family} multipath {
  chain again {
    type filter hook output priority -150
    ${family} daddr { ${own} } accept
    udp dport 53 accept
    meta l4proto udp ct state new ct status confirmed limit rate 10/second meta nftrace set 1
  }
  chain lead {
    type nat hook output priority -100
    ${family} daddr { ${own} } accept
    meta l4proto tcp dnat to :${CATCH_PORT}
    udp dport 53 dnat to ${loopback}:53
    meta l4proto udp meta nftrace set 1 dnat to :${CATCH_PORT}
  }
  chain refuse {
    type filter hook output priority 0
    ${family} daddr { ${own} } accept
    ${icmp} type echo-request reject
  }
}
`
const IPV4_RULES = rules('ip', `127.0.0.0/8, ${IPV4}`, '127.0.0.1', 'icmp')
const IPV6_RULES = rules('ip6', `::1, ${IPV6}`, '[::1]', 'icmpv6')

/**
 * Which port was dialled stands in the kernel's table of sockets. A namespace in this one gets a small table, where the
 * kernel can do that: to read one of the whole machine's size takes milliseconds.
 */
const OUTER = `{ echo 4096 >/proc/sys/net/ipv4/tcp_child_ehash_entries; } 2>/dev/null
exec unshare --net -- "$@"`

/**
 * A process in the background sets everything up while the helper starts, and writes to descriptor 5 when it is done. Another one
 * writes nftables' trace, and ends with the helper, however that ends.
 * Standard error is that of the command until the helper has begun, and that of the program is descriptor 4. Sockets that have
 * closed are not kept: no packet of theirs can be under way. A flow of UDP that
 * ends outside is a new one inside by then, and answers of UDP come from addresses that no interface has. Names are not asked for by sockets in the file system.
 */
const INNER = `own=$PATH
PATH="$PATH:/usr/sbin:/sbin"
${TRACE_MONITOR.join(' ')} >&${LINK} 2>/dev/null 3>&- 4>&- 5>&- ${LINK}>&- &
(
  set -e
  exec 3>&- 4>&- ${LINK}>&-
  printf %s "$1" | ip -batch - & ipv4=$!
  printf %s "$2" | ip -batch - 2>/dev/null & ipv6=$!
  [ ! -e /proc/net/if_inet6 ] || more=$4
  printf %s "$3$more" | nft -f - & rules=$!
  [ ! -e /etc/resolv.conf ] || mount --bind "$5" /etc/resolv.conf
  for socket in /run/nscd/socket /run/systemd/resolve/io.systemd.Resolve; do
    [ ! -e $socket ] || mount --bind /dev/null $socket
  done
  wait $ipv4
  wait $ipv6 || :
  wait $rules
  (
    cd /proc/sys/net
    echo 0 >ipv4/tcp_max_tw_buckets
    echo 60 >netfilter/nf_conntrack_udp_timeout_stream
    echo 1 >ipv6/ip_nonlocal_bind
    echo 1 >netfilter/nf_conntrack_tcp_timeout_time_wait
    echo 1 >netfilter/nf_conntrack_tcp_timeout_close
  ) 2>/dev/null || :
  echo done >&5
) &
PATH=$own
exec 2>&4 4>&- 5>&-
shift 5
exec "$@"`

export interface SetupInit {
  /** Whether the namespaces need no user namespace around them. */
  readonly isPrivileged: boolean
  /** The file that is /etc/resolv.conf inside. */
  readonly resolvConf: string
  /** What it all becomes in the end. */
  readonly helper: readonly string[]
}

export function setupWords({ isPrivileged, resolvConf, helper }: SetupInit): string[] {
  const user = isPrivileged ? [] : ['--user', '--map-root-user']
  return [
    ...['unshare', ...user, '--net', '--mount', '--', 'sh', '-c', OUTER, 'multipath'],
    ...['sh', '-c', INNER, 'multipath', IPV4_BATCH, IPV6_BATCH, IPV4_RULES, IPV6_RULES, resolvConf],
    ...helper,
  ]
}

/** What to put before a program so that it is the user's again, and no master of the namespace. */
export function asUser(uid: number, gid: number): string[] {
  return ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--']
}
