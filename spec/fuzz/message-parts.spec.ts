// SPDX-License-Identifier: Apache-2.0
/** Hostile parts of messages: the reader gets messages or one error of ours, and never keeps more than the window. */
import { describe, expect, it } from 'vitest'
import { MultipathError } from '../../lib/errors.js'
import { Inbox } from '../../lib/messages/inbox.js'
import { encodeEnd, encodeLimit, encodePiece, encodeWhole, PIECE_BYTES } from '../../lib/messages/part.js'
import type { SeededRandom } from '../../lib/testing/seeded-random.js'
import { damaged, fuzzSource } from '../support/fuzz.js'

const LIMITS = { maxMessageBytes: 40_000, windowBytes: 200_000 }
const LENGTHS = [16_385, 20_000, 40_000, 40_001, 2 ** 53 - 1]
const CODES = ['ERR_MULTIPATH_FRAME', 'ERR_MULTIPATH_LIMIT']

function onePart(random: SeededRandom): Uint8Array {
  switch (random.integer(0, 9)) {
    case 0:
      return encodeLimit(random.integer(0, 2 ** 40))
    case 1:
      return encodeEnd(random.integer(0, 12))
    case 2:
      return random.bytes(random.integer(0, 30))
    case 3:
    case 4:
    case 5:
      return encodeWhole(random.bytes(random.integer(0, 300)))
    default: {
      const [message, length, index] = [random.integer(0, 5), random.pick(LENGTHS), random.integer(0, 3)]
      const bytes = new Uint8Array(Math.max(0, Math.min(PIECE_BYTES, length - index * PIECE_BYTES)))
      return encodePiece({ message, length, index, bytes })
    }
  }
}

describe('parts of messages', () => {
  it('given anything, are kept within the window, or refused with a code', () => {
    const { random, inputs } = fuzzSource('message parts', 4000)
    const seen = { messages: 0, refusals: 0, ends: 0 }
    for (let n = 0; n < inputs; n++) {
      const inbox = new Inbox(LIMITS)
      try {
        for (let parts = random.integer(1, random.pick([3, 30])); parts > 0; parts--) {
          const part = onePart(random)
          inbox.add(random.integer(0, 9) === 0 ? damaged(random, Buffer.from(part)) : part)
          expect(inbox.keptBytes).toBeLessThanOrEqual(LIMITS.windowBytes)
          if (random.integer(0, 1) === 0) for (; inbox.take() !== undefined; seen.messages++);
          inbox.limitDue()
        }
        if (inbox.hasEnded) seen.ends++
      } catch (error) {
        if (!(error instanceof MultipathError)) throw error
        expect(CODES).toContain(error.multipathCode)
        seen.refusals++
      }
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(inputs / 4000)
  })
})
