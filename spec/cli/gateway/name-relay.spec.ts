// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NameRelay } from '../../../lib/cli/gateway/name-relay.js'
import type { HostPort } from '../../../lib/cli/parse.js'
import { NameTable } from '../../../lib/cli/run/name-table.js'
import { askedName } from '../../../lib/cli/run/dns-message.js'
import { Log } from '../../../lib/cli/streams/log.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'
import { freePorts } from '../../support/free-ports.js'
import { damaged, fuzzSource } from '../../support/fuzz.js'

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  onTestFinished(() => void socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** A relay for names below example.org. `outOfReach`: name servers that come first. */
async function relayTo(
  server: Socket,
  outOfReach: readonly HostPort[] = [],
): Promise<{ port: number; relay: NameRelay }> {
  const [port] = await freePorts(1)
  const relay = new NameRelay({
    binds: [{ host: '127.0.0.1', port: port! }],
    servers: () => [...outOfReach, { host: '127.0.0.1', port: server.address().port }],
    names: new NameTable(),
    takes: (name) => name.endsWith('.example.org'),
    log: new Log(new FakeCliIo(), { isJson: false, isVerbose: false }),
  })
  await relay.open()
  onTestFinished(() => relay.close())
  return { port: port!, relay }
}

function query(name: string, id = 0x1234): Buffer {
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]))
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])])
}

describe('a relay of names', () => {
  it('answers for a name of a rule by itself, with an IPv4 address that stands for it', async () => {
    const { port } = await relayTo(await bound())
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${port}`])
    expect(await resolver.resolve4('WWW.example.org')).toEqual(['198.18.1.0'])
    await expect(resolver.resolve6('www.example.org')).rejects.toMatchObject({ code: 'ENODATA' })
  })

  it('asks its name server for all else, takes no answer to another query, and hands one over as it is', async () => {
    const server = await bound()
    const { port } = await relayTo(server)
    const client = await bound()
    client.send(query('other.test', 0xbeef), port, '127.0.0.1')
    const [asked, from] = (await once(server, 'message')) as [Buffer, { port: number }]
    expect(asked).toEqual(query('other.test', 0xbeef))
    server.send(Buffer.from([1]), from.port)
    server.send(query('other.test', 0xbeee), from.port)
    const answer = Buffer.concat([asked, Buffer.from('whatever')])
    server.send(answer, from.port)
    expect((await once(client, 'message'))[0]).toEqual(answer)
  })

  it('asks the next name server, once one cannot be reached or refuses', async () => {
    const server = await bound()
    const [nobody] = await freePorts(1)
    // The kernel refuses to connect to the broadcast address, as it does where there is no route.
    const refusing = [
      { host: '255.255.255.255', port: 53 },
      { host: '127.0.0.1', port: nobody! },
    ]
    const { port } = await relayTo(server, refusing)
    const client = await bound()
    const asked = once(server, 'message')
    const again = setInterval(() => {
      // As resolvers do, for both families.
      for (const id of [1, 2]) client.send(query('other.test', id), port, '127.0.0.1')
    }, 20)
    onTestFinished(() => clearInterval(again))
    expect((await asked)[0]).toEqual(query('other.test', 1))
  })

  it('asks for at most 256 names at a time', async () => {
    const server = await bound()
    let asked = 0
    server.on('message', () => asked++)
    const { port } = await relayTo(server)
    const client = await bound()
    client.on('message', () => expect.fail('an answer'))
    for (let n = 0; n < 300; n++) {
      client.send(query(`n${n}.test`, n), port, '127.0.0.1')
      if (n % 20 === 0) await new Promise(setImmediate)
    }
    // One that is answered at once comes behind all of them.
    const last = await bound()
    last.send(query('www.example.org'), port, '127.0.0.1')
    await once(last, 'message')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(asked).toBe(256)
  })

  it('given anything, finds a canonical name in it or none', () => {
    const { random, inputs } = fuzzSource('asked names', 10_000)
    for (let n = 0; n < inputs; n++) {
      const name = askedName(damaged(random, query('www.example.org')))
      if (name !== undefined) expect(name).toMatch(/^[a-z0-9_.-]{1,253}$/)
    }
  })
})
