// SPDX-License-Identifier: Apache-2.0
/** Hostile bytes on a mux session: it ends with an error of ours or goes on, and never takes more than its limits. */
import { describe, expect, it } from 'vitest'
import { Flag } from '../../lib/mux/frame.js'
import type { SeededRandom } from '../../lib/testing/seeded-random.js'
import { damaged, fuzzSource, pieces } from '../support/fuzz.js'
import { frame, KIB, ScriptedSession } from '../support/mux-core.js'

const LIMITS = { maxStreams: 8, maxBacklog: 4, maxUnreadBytes: 300 * KIB, maxWaitingAnswers: 100 }
const FLAGS = [0, Flag.syn, Flag.ack, Flag.fin, Flag.rst, Flag.syn | Flag.fin, Flag.syn | Flag.rst, 0xff]
const LENGTHS = [0, 1, 255, 256 * KIB, 256 * KIB + 1, 2 ** 31, 2 ** 32 - 1]
const CODES = ['ERR_MULTIPATH_MUX_PROTOCOL', 'ERR_MULTIPATH_MUX_LIMIT']

function oneFrame(random: SeededRandom): Buffer {
  const id = random.pick([0, 1, 1, 2, 3, 5, 7, 2 ** 32 - 1])
  switch (random.integer(0, 7)) {
    case 0:
    case 1:
      return frame.window(id, 0, Flag.syn)
    case 2:
      return frame.window(id, random.pick(LENGTHS), random.pick(FLAGS))
    case 3:
    case 4:
      return frame.data(id, random.integer(0, 5000), random.pick(FLAGS))
    case 5:
      return frame.ping(random.integer(0, 9), random.pick([Flag.syn, Flag.ack]))
    case 6:
      return random.integer(0, 9) === 0 ? frame.goAway(random.integer(0, 3)) : frame.data(id, 20)
    default:
      return random.integer(0, 9) === 0 ? Buffer.from(random.bytes(12)) : frame.window(id, 9)
  }
}

/** What an application might do meanwhile. */
function use(random: SeededRandom, session: ScriptedSession): void {
  for (const event of session.events()) {
    if (event.type !== 'stream' && event.type !== 'changed') continue
    const { stream } = event
    if (event.type === 'stream' && random.integer(0, 3) > 0) session.core.accept(stream)
    switch (random.integer(0, 9)) {
      case 0:
        session.core.abandon(stream, random.integer(0, 1) === 0, session.now)
        break
      case 1:
        session.core.end(stream)
        break
      case 2:
        if (stream.isOpen && !stream.isWriteEnd) session.write(stream, random.integer(1, 5000))
        break
      default:
        if (random.integer(0, 3) > 0) session.read(stream)
    }
  }
}

function attack(random: SeededRandom): void {
  const session = new ScriptedSession(random.pick(['client', 'server']), LIMITS)
  if (random.integer(0, 1) === 0) session.core.open(0)
  const parts = Array.from({ length: random.integer(1, 40) }, () => oneFrame(random))
  const bytes = random.integer(0, 2) === 0 ? damaged(random, Buffer.concat(parts)) : Buffer.concat(parts)
  for (const piece of pieces(random, bytes)) {
    session.receive(piece)
    expect(session.core.unreadBytes).toBeLessThanOrEqual(LIMITS.maxUnreadBytes)
    expect(session.core.streams).toBeLessThanOrEqual(LIMITS.maxStreams + 1)
    use(random, session)
    if (random.integer(0, 3) === 0) session.sent()
    session.wait(random.integer(0, 100))
  }
  session.core.ended()
  session.sent()
  const over = session.events().find(({ type }) => type === 'over')
  if (over?.type === 'over' && over.error !== undefined) {
    const { code } = over.error as NodeJS.ErrnoException
    expect([...CODES, 'ERR_MULTIPATH_MUX_CLOSED']).toContain(code)
  }
  expect(session.core.isOver).toBe(true)
  expect(session.core.streams).toBe(0)
}

describe('a mux session', () => {
  it('keeps its limits and its temper against anything', () => {
    const { random, inputs } = fuzzSource('mux', 3000)
    for (let n = 0; n < inputs; n++) attack(random)
  })
})
