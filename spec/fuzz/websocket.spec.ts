// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { SeededRandom } from '../../lib/testing/seeded-random.js'
import { WebSocketError } from '../../lib/transport/websocket-frame.js'
import { WebSocketReader } from '../../lib/transport/websocket-reader.js'
import { damaged, fuzzSource, pieces } from '../support/fuzz.js'
import { frameOf } from '../support/websocket-frames.js'

const LIMIT = 2000
/** What a peer may send, and now and then what it may not. */
class Session {
  readonly #random: SeededRandom
  readonly #isServer: boolean
  #isInMessage = false

  constructor(random: SeededRandom, isServer: boolean) {
    this.#random = random
    this.#isServer = isServer
  }

  frame(): Buffer {
    const random = this.#random
    if (random.integer(0, 40) === 0) return this.#made(random.integer(0, 15), random.integer(0, 1) === 0, 3)
    if (random.integer(0, 2) === 0)
      return this.#made(random.pick([8, 9, 9, 9, 10]), true, random.integer(0, 125))
    const opcode = this.#isInMessage ? 0 : 2
    this.#isInMessage = random.integer(0, 1) === 0
    return this.#made(opcode, !this.#isInMessage, random.pick([0, 1, 2, 10, 125, 126, 300, 1500]))
  }

  #made(opcode: number, isFinal: boolean, bytes: number): Buffer {
    const random = this.#random
    const payload = opcode === 8 ? Uint8Array.of(3, 0xe8) : random.bytes(bytes)
    const isOdd = random.integer(0, 60) === 0
    return frameOf({ opcode, isFinal, payload, mask: this.#isServer === isOdd ? undefined : random.bytes(4) })
  }
}

/** What a reader made of its input, as text; the last word is its refusal. */
function digest(isServer: boolean, feed: Iterable<Buffer>): string {
  let data = ''
  const seen: string[] = []
  // What is asked between two parts of a message may be told before the first of them.
  const pings: string[] = []
  const tell = (what: string): void => {
    if (data !== '') seen.push(data)
    data = ''
    seen.push(what)
  }
  const reader = new WebSocketReader(isServer, LIMIT, {
    onData: (bytes) => (data += Buffer.from(bytes).toString('hex')),
    onPing: (payload) => pings.push(`ping ${Buffer.from(payload).toString('hex')}`),
    onClose: (code) => tell(`close ${code}`),
  })
  try {
    // A copy: bytes are unmasked where they are.
    for (const chunk of feed) reader.push(Buffer.from(chunk), 0)
  } catch (error) {
    if (!(error instanceof WebSocketError)) throw error
    tell(`${error.closeCode} ${error.message}`)
  }
  tell('')
  return [...seen, ...pings].join()
}

describe.each([true, false])('the reader of WebSockets (a server: %s)', (isServer) => {
  it('given anything, makes the same of it in whatever pieces it comes, or refuses it', () => {
    const { random, inputs } = fuzzSource('WebSocket reader', 20_000)
    const ends = { refused: 0, closed: 0, pinged: 0 }
    for (let n = 0; n < inputs; n++) {
      const session = new Session(random, isServer)
      const frames = Array.from({ length: random.integer(1, 8) }, () => session.frame())
      const bytes = damaged(random, Buffer.concat(frames))
      const whole = digest(isServer, [bytes])
      expect(digest(isServer, pieces(random, bytes))).toBe(whole)
      if (/10\d\d /.test(whole)) ends.refused++
      if (whole.includes('close 1') || whole.includes('close 3')) ends.closed++
      if (whole.includes('ping')) ends.pinged++
    }
    console.info(ends)
    for (const count of Object.values(ends)) expect(count).toBeGreaterThan(inputs / 200)
  }, 120_000)
})
