// SPDX-License-Identifier: Apache-2.0
/**
 * Clients as they come from npm, opened as docs/integrations.md says, over three paths of which one is reset and one falls
 * silent while they work.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../spec/support/free-ports.js'
import { clientsOfPage } from './support/integrations-page.js'
import { ClientProcess, Entrance, grpcEntrance, installClients } from './support/real-clients.js'
import { startServer, whyNoServer } from './support/real-servers.js'

const CLIENTS = [
  ...['ws', 'undici', 'http', 'http2', 'ioredis', 'pg'],
  ...['mysql2', 'ssh2', 'mqtt', 'nodemailer', 'grpc'],
]
/** Those that try again by themselves. */
const RETRIERS = ['undici', 'ioredis', 'mqtt']
/** They wait for most of their time. */
const SIDE_BY_SIDE = { concurrent: true }

beforeAll(installClients)

it('the page shows each of these clients, and no others', () => {
  expect(clientsOfPage().sort()).toEqual([...CLIENTS].sort())
})

for (const name of CLIENTS) {
  const missing = whyNoServer(name)
  if (missing !== undefined) console.log(`${name} is skipped, its server is missing: ${missing}`)
}

describe('a client works on through a reset and a silent path, and ends by itself without a warning:', () => {
  for (const name of CLIENTS)
    it.skipIf(whyNoServer(name) !== undefined)(name, SIDE_BY_SIDE, () => survives(name))
})

describe('a client hears ECONNREFUSED where all paths are refused, and tries again as it does over net:', () => {
  for (const name of RETRIERS)
    it.skipIf(whyNoServer(name) !== undefined)(name, SIDE_BY_SIDE, () => retries(name))
})

async function survives(name: string): Promise<void> {
  if (name === 'grpc') {
    await using entrance = await grpcEntrance()
    await survivesAt(entrance, name)
    return
  }
  await using server = await startServer(name)
  await using entrance = await Entrance.open(server.port)
  await survivesAt(entrance, name, server.settings)
}

async function survivesAt(entrance: Entrance, name: string, settings?: object): Promise<void> {
  await using client = new ClientProcess(name, entrance.ports, settings)
  const [first, second] = entrance.relays
  await client.rounds(1)
  await Promise.race([client.ended, Promise.all([first!.joined(), second!.joined()])])

  first!.reset()
  second!.freeze()
  await client.rounds(5)
  // What comes after is the server's last word to a client that may have gone.
  expect(entrance.errors).toEqual([])
  expect(await client.finish()).toEqual({ code: 0, stderr: '' })
}

async function retries(name: string): Promise<void> {
  await using server = await startServer(name)
  await using entrance = await Entrance.open(server.port)
  const settings = { ...server.settings, deadPorts: await freePorts(3) }
  await using client = new ClientProcess(name, entrance.ports, settings)

  expect(await client.finish()).toEqual({ code: 0, stderr: 'ECONNREFUSED\nECONNREFUSED\n' })
}
