// SPDX-License-Identifier: Apache-2.0
/**
 * `node run.js CLIENT SETTINGS`: one client in a process of its own, over the paths that the settings name. It exchanges
 * payloads until standard input ends, and three more, and says `round` for each. At the end it
 * prints on standard error the codes that a client which tries again was told; whatever else is there is a defect.
 */
import console from 'node:console'
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { connect, MultipathSocket } from '../../dist/index.js'
import { clients, retriers } from './clients.js'

const LAST_ROUNDS = 3
const PAYLOAD_BYTES = 100_000

const [, , name, text] = process.argv
const settings = JSON.parse(text)
let isCalm = false
process.stdin.on('end', () => (isCalm = true)).resume()

const pathsTo = (ports) => ports.map((port) => ({ host: '127.0.0.1', port }))
/** The first dials go where nobody listens, if the settings say so. */
const dead = settings.deadPorts ? [settings.deadPorts, settings.deadPorts] : []
const dial = () => connect({ paths: pathsTo(dead.shift() ?? settings.ports) })

/** For clients that connect a socket which they were given. */
const socket = () => new MultipathSocket({ paths: pathsTo(settings.ports) })

const kind = settings.deadPorts ? retriers : clients
const client = await kind[name](dial, settings, socket)
for (let left = LAST_ROUNDS; left > 0; left -= isCalm ? 1 : 0) {
  const payload = randomBytes(PAYLOAD_BYTES)
  const answer = await client.exchange(payload)
  if (!payload.equals(answer)) throw new Error(`${answer.length} bytes came back, and others than were sent`)
  console.log('round')
}
await client.close()
for (const code of client.codes ?? []) console.error(code)
