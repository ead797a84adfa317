// SPDX-License-Identifier: Apache-2.0
/** Resolvers that know nothing of it ask a name server through `forward --local udp:`, over two paths of which one is cut. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { answerQuery } from '../lib/cli/run/dns-message.js'
import { freePorts } from '../spec/support/free-ports.js'
import { at, command, serve } from '../spec/support/streams.js'
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

describe('DNS through a forwarded port of UDP', () => {
  it('answers every query of c-ares, from many resolvers, while a path is cut', async () => {
    const there = await serve(['--allow', `udp:dns=${at(await nameServer())}`])
    await using relay = await PathRelay.open(there.port)
    const [port] = await freePorts(1)
    const to = ['--to', relay.address, '--to', at(there.port)]
    const here = command(['forward', ...to, '--local', `udp:${port}=dns`, '-v'])
    await here.line(/listening on udp/)
    await here.line(new RegExp(`${relay.address}: open`))
    const resolver = (): Resolver => {
      const made = new Resolver({ timeout: 2000, tries: 3 })
      made.setServers([at(port!)])
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
})
