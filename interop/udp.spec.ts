// SPDX-License-Identifier: Apache-2.0
/** Resolvers that know nothing of it ask name servers through `forward --local udp:`, over two paths of which one is cut. */
import { execFile, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Program } from '../bench/shared/program.js'
import { answerQuery } from '../lib/cli/run/dns-message.js'
import { freePorts } from '../spec/support/free-ports.js'
import { at, command, serve } from '../spec/support/streams.js'
import type { CliProcess } from '../spec/support/cli-process.js'
import { PathRelay } from './support/path-relay.js'

vi.setConfig({ testTimeout: 60_000 })

/** A name server for the names `n-NUMBER.example`. */
async function nameServer(): Promise<number> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const answer = answerQuery(query, (name) => {
      const number = /^n-(\d+)\.example$/.exec(name)?.[1]
      return number === undefined ? undefined : { ipv4: [10, 0, 0, Number(number)] }
    })
    if (answer !== undefined) socket.send(answer, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => {
    socket.close()
  })
  return socket.address().port
}

/** A port of UDP here that leads to a port there, by way of `relay` and directly. */
async function forwardTo(target: number): Promise<{ port: number; here: CliProcess; relay: PathRelay }> {
  const there = await serve(['--allow', `udp:dns=${at(target)}`])
  const relay = await PathRelay.open(there.port)
  onTestFinished(() => relay[Symbol.asyncDispose]())
  const [port] = await freePorts(1)
  const to = ['--to', relay.address, '--to', at(there.port)]
  const here = command(['forward', ...to, '--local', `udp:${port}=dns`, '-v'])
  await here.line(/listening on udp/)
  await here.line(new RegExp(`${relay.address}: open`))
  return { port: port!, here, relay }
}

const missing = (['dnsmasq', 'dig'] as const).find(
  (name) => spawnSync(name, [name === 'dig' ? '-v' : '--version']).error !== undefined,
)

describe('DNS through a forwarded port of UDP', () => {
  it('answers every query of c-ares, from many resolvers, while a path is cut', async () => {
    const { port, here, relay } = await forwardTo(await nameServer())
    const resolver = (): Resolver => {
      const made = new Resolver({ timeout: 2000, tries: 3 })
      made.setServers([at(port)])
      return made
    }
    const ask = (number: number): Promise<string[]> => resolver().resolve4(`n-${number}.example`)
    for (let round = 0; round < 10; round++) {
      if (round === 5) relay.reset()
      const numbers = Array.from({ length: 20 }, (_, n) => round * 20 + n)
      const answers = await Promise.all(numbers.map(ask))
      expect(answers).toEqual(numbers.map((number) => [`10.0.0.${number}`]))
    }
    await expect(resolver().resolve4('other.example')).rejects.toThrow('ENOTFOUND')
    expect(here.lines.filter((line) => line.includes('connected to'))).toHaveLength(1)
  })

  it.skipIf(missing !== undefined)(
    `brings the answers of dnsmasq to dig, long ones too${missing ? ` (skipped: ${missing} is missing)` : ''}`,
    async () => {
      const [dnsPort] = await freePorts(1)
      const long = Array.from({ length: 12 }, (_, n) => `${n}`.repeat(200).slice(0, 200))
      const records = long.map((text) => `--txt-record=long.example,${text}`)
      const listen = ['--port', String(dnsPort), '--listen-address', '127.0.0.1', '--bind-interfaces']
      const files = ['--conf-file=/dev/null', '--no-hosts', '--no-resolv', '--pid-file', '--user=']
      const dnsmasq = new Program([
        ...['dnsmasq', '--keep-in-foreground', '--log-facility=-', '--edns-packet-max=4096'],
        ...[...files, ...listen, '--address=/n.example/10.1.2.3', ...records],
      ])
      onTestFinished(() => dnsmasq[Symbol.asyncDispose]())
      await dnsmasq.line(/started/)
      const { port, relay } = await forwardTo(dnsPort!)
      const dig = async (...words: readonly string[]): Promise<string[]> => {
        const how = ['+short', '+notcp', '+ignore', '+tries=1', '+timeout=5', '+bufsize=4096']
        const run = await promisify(execFile)('dig', [...how, '@127.0.0.1', '-p', String(port), ...words])
        return run.stdout.trim().split('\n').sort()
      }
      expect(await dig('a.n.example')).toEqual(['10.1.2.3'])
      relay.reset()
      expect(await dig('b.n.example')).toEqual(['10.1.2.3'])
      expect(await dig('TXT', 'long.example')).toEqual(long.map((text) => `"${text}"`).sort())
    },
  )
})
