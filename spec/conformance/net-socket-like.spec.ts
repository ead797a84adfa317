// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { MuxSession } from '../../lib/mux/index.js'
import { tcpPair } from '../support/mux.js'
import { listening, pathTo, portOf } from '../support/tcp.js'
import type { MakePair, PairOptions } from './net-socket-like.js'
import { netSocketLike, pairOf } from './net-socket-like.js'
import { netSocketUsers } from './net-socket-users.js'

async function socketPair(options: PairOptions = {}): Promise<[Socket, Socket]> {
  const server = await listening(createServer(options))
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect({ port: portOf(server), host: '127.0.0.1', ...options })
  await once(near, 'connect')
  const [far] = await accepted
  server.close()
  return [near, far]
}

async function multipathPair(options: PairOptions = {}): Promise<[Socket, Socket]> {
  const servers = [await listening(), await listening()]
  const listener = new MultipathListener(servers, [], options)
  const dialer = new MultipathDialer(
    'loopback',
    servers.map((server) => pathTo(server)),
    options,
  )
  const pair = await Promise.all([dialer.dial(), listener.accept()])
  await listener.close()
  return pair as unknown as [Socket, Socket]
}

/** A stream of a mux session; each has a connection of its own. */
async function muxPair(options: PairOptions = {}): Promise<[Socket, Socket]> {
  const carriers = await tcpPair()
  const client = new MuxSession(carriers[0], { ...options, role: 'client' })
  const server = new MuxSession(carriers[1], { ...options, role: 'server' })
  onTestFinished(() => {
    for (const session of [client, server]) session.destroy()
  })
  const near = client.open()
  const far = await server.accept()
  await once(near, 'connect')
  return [near, far] as unknown as [Socket, Socket]
}

const KINDS: readonly [string, MakePair][] = [
  ['net.Socket itself', socketPair],
  ['MultipathConn', multipathPair],
  ['MuxStream', muxPair],
]

for (const [name, makePair] of KINDS) {
  netSocketLike(name, makePair)
  netSocketUsers(name, makePair)
}

describe('the members of net.Socket', () => {
  const root = dirname(createRequire(import.meta.url).resolve('@types/node/package.json'))
  const declared = /class Socket extends stream\.Duplex \{([\s\S]*?)\n {4}\}/.exec(
    readFileSync(join(root, 'net.d.ts'), 'utf8'),
  )![1]!
  const members = [...declared.matchAll(/^ {8}(?:readonly )?(\w+)\??[(:]/gm)].map(([, name]) => name!)
  const events = [...declared.matchAll(/ {8}on\(\s*event: "(\w+)"/g)].map(([, name]) => name!)

  /** One socket's dialling: a connection over several paths has no one of them to tell of. */
  const NO_MEMBERS = new Set(['constructor', 'connect', 'autoSelectFamilyAttemptedAddresses'])
  const NO_EVENTS = ['connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout', 'lookup']

  it('are all there, of the same types, but for those of one dialling', async () => {
    const [socket] = await pairOf(socketPair)
    const [conn] = await pairOf(multipathPair)
    const typesOf = (end: Socket): Record<string, string> =>
      Object.fromEntries(
        [...new Set(members)]
          .filter((name) => !NO_MEMBERS.has(name))
          .map((name) => [name, typeof end[name as keyof Socket]]),
      )
    for (const end of [socket, conn]) end.setTimeout(60_000)
    expect(members.length).toBeGreaterThan(30)
    expect(typesOf(conn)).toEqual(typesOf(socket))
  })

  it('emit the same events, but for those of one dialling', () => {
    expect([...new Set(events)].filter((name) => !NO_EVENTS.includes(name)).sort()).toEqual(
      // connect and ready: spec/net.spec.ts; the others: the suite above.
      ['close', 'connect', 'data', 'drain', 'end', 'error', 'ready', 'timeout'],
    )
  })
})
