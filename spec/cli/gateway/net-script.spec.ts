// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parseMatch } from '../../../lib/cli/gateway/match-rule.js'
import type { NetScriptInit } from '../../../lib/cli/gateway/net-script.js'
import { clearScript, setScript } from '../../../lib/cli/gateway/net-script.js'

const RULES = ['203.0.113.0/24:443,8000-8100', '[2001:db8::/32]:80', '10.0.0.0/8', '*.example.org', '*']
const UDP_RULES = ['udp:203.0.113.0/24:443', 'udp:[2001:db8::/32]:80', 'udp:*.example.org', 'udp:*']
const INIT: NetScriptInit = {
  port: 7090,
  rules: RULES.map(parseMatch),
  interfaces: ['lan0', 'wg*'],
  isLocal: true,
  exempt: [
    { kind: 'skuid', owner: 0 },
    { kind: 'skgid', owner: 7090 },
  ],
  dns: [
    { host: '127.0.0.1', port: 5353 },
    { host: '192.168.7.1', port: 53 },
    { host: 'fd00::1', port: 53 },
  ],
  ends: [
    { address: '198.51.100.1', family: 4 },
    { address: '2001:db8::1', family: 6 },
  ],
  owner: '17',
}

/** Lines of a chain of the rules. */
function chain(name: string, init: NetScriptInit = INIT): string[] {
  const text = new RegExp(`chain ${name} \\{\\n([^}]*(?:\\}[^\\n]+[^}]*)*)\\n  \\}`).exec(
    setScript(init),
  )?.[1]
  return (text ?? '').split('\n').map((line) => line.trim())
}

describe('the rules of a gateway', () => {
  it('capture what was asked for, and neither this machine nor the ends of paths', () => {
    expect(chain('capture_tcp').slice(2)).toEqual([
      'fib daddr type { local, broadcast, multicast, anycast } return',
      'ip daddr { 198.51.100.1 } return',
      'ip6 daddr { 2001:db8::1 } return',
      'ip daddr 198.18.0.0/15 goto caught',
      'ip daddr 203.0.113.0/24 tcp dport { 443, 8000-8100 } goto caught',
      'ip6 daddr 2001:db8::/32 tcp dport { 80 } goto caught',
      'ip daddr 10.0.0.0/8 tcp dport { 1-65535 } goto caught',
      'ip daddr != @special4 tcp dport { 1-65535 } goto caught',
      'ip6 daddr != @special6 tcp dport { 1-65535 } goto caught',
    ])
  })

  it('leave what the gateway itself sends alone, before anything else', () => {
    const own = ['meta skuid 0 return', 'meta skgid 7090 return']
    expect(chain('leaving').slice(2, 4)).toEqual(own)
    expect(chain('own_queries').slice(1, 3)).toEqual(own)
  })

  it('are about this machine only where that was asked for, and about queries of names likewise', () => {
    const script = setScript({ ...INIT, isLocal: false, dns: [] })
    expect(script).not.toMatch(/hook output|"lo"|dport 53/)
    expect(chain('queries')).toEqual([
      'type nat hook prerouting priority dstnat',
      ...['lan0', 'wg*'].flatMap((name) => [
        `meta nfproto ipv4 iifname "${name}" udp dport 53 dnat ip to 192.168.7.1:53`,
        `meta nfproto ipv6 iifname "${name}" udp dport 53 dnat ip6 to [fd00::1]:53`,
      ]),
    ])
  })

  it('lead UDP to the port after queries of names, and keep all other packets from it', () => {
    const udp = { ...INIT, rules: ['203.0.113.0/24:443', 'udp:10.0.0.0/8:53', 'udp:*'].map(parseMatch) }
    expect(chain('arriving_udp', udp)[0]).toBe('type nat hook prerouting priority dstnat + 1')
    const lead = 'meta l4proto udp meta nftrace set 1 redirect to :7090'
    expect(chain('capture_udp', udp).slice(3)).toEqual([
      `ip daddr 198.18.0.0/15 ${lead}`,
      `ip daddr 10.0.0.0/8 udp dport { 53 } ${lead}`,
      `ip daddr != @special4 udp dport { 1-65535 } ${lead}`,
      `ip6 daddr != @special6 udp dport { 1-65535 } ${lead}`,
    ])
    expect(chain('udp_port', udp)[1]).toBe('udp dport 7090 ct status & dnat != dnat drop')
    expect(chain('capture', udp).at(-2)).toBe('meta l4proto udp return')
    // Without a name among them, UDP to a name is refused at once, so that HTTP/3 falls back to TCP.
    expect(chain('capture', { ...udp, rules: udp.rules.slice(0, 2) }).join()).not.toContain('return')
    expect(setScript(INIT)).not.toContain('udp_port')
  })

  const tools = ['unshare', 'nft', 'ip'].every((name) => spawnSync(name, ['-V']).error === undefined)
  const within = (script: string): { status: number | null; out: string } => {
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
    const { status, stdout, stderr } = spawnSync('unshare', [
      ...user,
      '--net',
      'sh',
      '-c',
      `ip link set lo up; ${script}`,
    ])
    return { status, out: `${String(stdout)}${String(stderr)}` }
  }
  const show = 'nft list tables; ip rule; ip -6 rule; ip route show table 0x6d701bb2 2>/dev/null; :'

  it.skipIf(!tools || within('nft list tables').status !== 0)(
    'are taken by the kernel, may be set again, and leave nothing behind; those of another process stay',
    () => {
      const before = within(show).out
      const udp = { ...INIT, rules: UDP_RULES.map(parseMatch) }
      expect(within(`(${setScript(udp)})\n(${setScript(udp)})`)).toEqual({ status: 0, out: '' })
      expect(within(`(${setScript(INIT)})\n(${setScript(INIT)})`)).toEqual({ status: 0, out: '' })
      expect(within(`(${setScript(INIT)})\n(${clearScript(7090, '17')})\n${show}`).out).toBe(before)
      expect(within(`(${setScript(INIT)})\n(${clearScript(7090, '18')})\n${show}`).out).toMatch(
        /multipath_gateway_7090[^]*fwmark 0x6d701bb2/,
      )
      expect(within(`(${clearScript(7090)})\n${show}`)).toEqual({ status: 0, out: before })
      const route = 'ip route show table 7090'
      const beside = `ip route add default dev lo table 7090\n(${setScript(INIT)})\n(${clearScript(7090)})\n${route}`
      expect(within(beside).out).toContain('default dev lo')
    },
  )
})
