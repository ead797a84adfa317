// SPDX-License-Identifier: Apache-2.0
/**
 * `node run.js CLIENT SETTINGS`: one client in a process of its own, over the paths that the settings name. It exchanges
 * payloads until standard input ends, and three more, and says `round` for each. Whatever else it prints is a defect.
 */
import console from 'node:console'
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { connect } from '../../dist/index.js'
import { clients } from './clients.js'

const LAST_ROUNDS = 3
const PAYLOAD_BYTES = 100_000

const [, , name, text] = process.argv
const settings = JSON.parse(text)
const paths = settings.ports.map((port) => ({ host: '127.0.0.1', port }))
let isCalm = false
process.stdin.on('end', () => (isCalm = true)).resume()

const client = await clients[name](() => connect({ paths }), settings)
for (let left = LAST_ROUNDS; left > 0; left -= isCalm ? 1 : 0) {
  const payload = randomBytes(PAYLOAD_BYTES)
  const answer = await client.exchange(payload)
  if (!payload.equals(answer)) throw new Error(`${answer.length} bytes came back, and others than were sent`)
  console.log('round')
}
await client.close()
