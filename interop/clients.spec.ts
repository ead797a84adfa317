// SPDX-License-Identifier: Apache-2.0
/** Clients as they come from npm, over three paths of which one is reset and one falls silent while they work. */
import { beforeAll, describe, expect, it } from 'vitest'
import { ClientProcess, Entrance, installClients } from './support/real-clients.js'
import { startServer, whyNoServer } from './support/real-servers.js'

const CLIENTS = [
  ...['ws', 'undici', 'express', 'http2', 'ioredis', 'pg'],
  ...['mysql2', 'ssh2', 'mqtt', 'nodemailer', 'grpc'],
]

beforeAll(installClients)

describe.each(CLIENTS)('%s', (name) => {
  const missing = whyNoServer(name)
  if (missing !== undefined) console.log(`${name} is skipped, its server is missing: ${missing}`)

  it.concurrent.skipIf(missing !== undefined)(
    'works on through a reset and a silent path, gets its bytes, and ends by itself without a warning',
    async () => {
      await using server = await startServer(name)
      await using entrance = await Entrance.open(server.port)
      await using client = new ClientProcess(name, entrance.ports, server.settings)
      const [first, second] = entrance.relays
      await Promise.all(entrance.relays.map((relay) => relay.joined()))
      await client.rounds(1)

      first!.reset()
      second!.freeze()
      await client.rounds(5)

      expect(await client.finish()).toEqual({ code: 0, stderr: '' })
      expect(entrance.errors).toEqual([])
    },
  )
})
