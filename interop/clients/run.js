// SPDX-License-Identifier: Apache-2.0
/**
 * `node run.js CLIENT SETTINGS`: one client in a process of its own, over the paths that the settings name. It exchanges
 * payloads until standard input ends, and three more, and says `round` for each. At the end it
 * prints on standard error the codes that a client which tries again was told; whatever else is there is a defect.
 */
import console from 'node:console'
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { connect } from 'multipath-net'
import { clients, retriers } from './clients.js'
import { pathsTo, settings } from './settings.js'

const LAST_ROUNDS = 3
const PAYLOAD_BYTES = 100_000

const name = process.argv[2]
let isCalm = false
process.stdin.on('end', () => (isCalm = true)).resume()

/** The first dials of a client that tries again go where nothing listens. */
const dead = settings.deadPorts ? [settings.deadPorts, settings.deadPorts] : []
const dial = () => connect({ paths: pathsTo(dead.shift() ?? settings.ports) })

const client = settings.deadPorts
  ? await retriers[name](dial)
  : await clients[name](await import(`./page/${name}.js`))
for (let left = LAST_ROUNDS; left > 0; left -= isCalm ? 1 : 0) {
  const payload = randomBytes(PAYLOAD_BYTES)
  const answer = await client.exchange(payload)
  if (!payload.equals(answer)) throw new Error(`${answer.length} bytes came back, and others than were sent`)
  console.log('round')
}
await client.close()
for (const code of client.codes ?? []) console.error(code)
