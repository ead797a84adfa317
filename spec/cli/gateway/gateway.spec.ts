// SPDX-License-Identifier: Apache-2.0
/** The command line of `multipath gateway`, as far as it needs no kernel. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../../lib/cli/program.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'

const TO = ['--to', '192.0.2.1:7000@eth0,label=dsl', '--to', '192.0.2.2:7000@wwan0']
const RULE = ['--match', '203.0.113.7', '--interface', 'lan0']

async function said(...args: string[]): Promise<string> {
  const io = new FakeCliIo()
  const code = await runCli(['gateway', ...args], io)
  return code === 0 ? io.printed : `${code} ${io.lines.join()}`
}

describe('multipath gateway', () => {
  it('prints the script that it would run, with the ends of paths and its own packets as exceptions', async () => {
    const proxied = ['--to', 'gw:7000,via=socks5://[2001:db8::9]:1080']
    const script = await said(
      ...TO,
      ...proxied,
      ...RULE,
      '--local-output',
      '--exempt-user',
      'bind',
      '--dry-run',
    )
    expect(script).toMatch(/ip daddr \{ 192\.0\.2\.1, 192\.0\.2\.2 \} return/)
    expect(script).toMatch(/ip6 daddr \{ 2001:db8::9 \} return/)
    expect(script).toMatch(/meta skuid bind return\n +meta skgid 7090 return/)
  })

  it.each([
    [['--interface', 'lan0'], 'no connections to capture (give --match)'],
    [['--match', '203.0.113.7'], 'no connections to capture (give --interface or --local-output)'],
    [
      ['--match', '*.example.org', '--interface', 'lan0'],
      'a rule with a name needs a DNS server here (give --dns)',
    ],
    [[...RULE, '--dns', '0.0.0.0:53'], '0.0.0.0:53 would answer anyone'],
    [[...RULE, '--dns', '53', '--dns-server', '127.0.0.1'], '127.0.0.1:53 cannot be the DNS server'],
    [
      [...RULE, '--dns', '5300', '--dns-server', '127.0.0.53', '--local-output'],
      '127.0.0.53:53 cannot be the DNS server',
    ],
    [
      ['--match', '203.0.113.7,paths=lte', '--interface', 'lan0'],
      'no --to is called lte (paths= takes dsl, ',
    ],
    [['--match', '203.0.113.7,paths=dsl', '--interface', 'lan0', '--all-interfaces'], 'paths= of --match'],
    [['--match', 'x:y', '--interface', 'lan0'], 'It must be [udp:]HOST[:PORTS]'],
    [[...RULE, '--interface', 'lan 0'], 'It must be the name of an interface'],
    [[...RULE, '--exempt-user', 'a b'], 'It must be the name or number of a user'],
    [[...RULE, '--dns-server', 'localhost.'], 'It must be ADDRESS or ADDRESS:PORT'],
    [['--match', 'udp:203.0.113.7', '--local-output'], 'UDP of programs on this machine is not captured'],
    [[...RULE, '--port', '0'], 'It must be a port from 1 to 65535'],
  ])('refuses %j', async (args, message) => {
    const text = await said(...TO, ...args)
    expect(text).toMatch(/^2 /)
    expect(text).toContain(message)
  })

  it('takes the command lines of docs/gateway.md', async () => {
    const page = readFileSync('docs/gateway.md', 'utf8').replaceAll('\\\n', ' ')
    const lines = [...page.matchAll(/^(?:multipath gateway|echo 'OPTIONS=)(.*?--interface .*?)(?:'.*)?$/gm)]
    expect(lines).toHaveLength(3)
    for (const [, words] of lines) {
      const args = words!.replaceAll("'", '').trim().split(/\s+/)
      expect(await said(...args, '--dns-server', '9.9.9.9', '--dry-run')).toContain('tproxy ip to')
    }
  })

  it('takes DNS servers of both families, and prints itself as a file of up', async () => {
    const servers = ['9.9.9.9', '9.9.9.9:5353', '2620:fe::9', '[2620:fe::9]:53']
    const args = servers.flatMap((server) => ['--dns-server', server])
    expect(await said(...TO, ...RULE, '--dns', '192.0.2.7:53', ...args, '--print-config')).toMatch(
      /^gateway:\n {2}match: 203\.0\.113\.7\n {2}interface: lan0\n {2}dns: 192/,
    )
  })
})
