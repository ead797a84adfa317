// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { readHello } from '../../lib/conn/hello-io.js'
import { systemClock } from '../../lib/clock.js'
import type { MultipathError } from '../../lib/errors.js'
import { RemoteProtocolError } from '../../lib/errors.js'
import { EXTENSION, Extension } from '../../lib/wire/extension.js'
import { decodeFin, decodeReset } from '../../lib/wire/end-frames.js'
import { decodeDatagram, decodeDatagramAck } from '../../lib/wire/datagram.js'
import { decodeHave } from '../../lib/wire/have.js'
import { decodePath } from '../../lib/wire/path-frame.js'
import { decodeStarving } from '../../lib/wire/starving-frame.js'
import { decodeWindow } from '../../lib/wire/window-frame.js'
import { decodeProof } from '../../lib/wire/proof.js'
import { decodeSettings } from '../../lib/wire/settings.js'
import { DATAGRAM_ACK_FRAME, DATAGRAM_FRAME } from '../../lib/wire/limits.js'
import { decodeHello, encodeHello } from '../../lib/wire/hello.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { Payload } from '../../lib/wire/payload.js'
import { damaged, frames, fuzzSource, pieces } from '../support/fuzz.js'
import { MemoryStream } from '../support/memory-path.js'
import { inMib, memoryInUse } from '../support/memory.js'
import { catchUncaught } from '../support/outside.js'
import type { SeededRandom } from '../../lib/testing/seeded-random.js'

const MIB = 1_048_576

const DECODERS: Readonly<Record<number, (frame: Extension) => unknown>> = {
  [EXTENSION.settings]: decodeSettings,
  [EXTENSION.have]: decodeHave,
  [EXTENSION.fin]: decodeFin,
  [EXTENSION.reset]: decodeReset,
  [EXTENSION.proof]: decodeProof,
  [EXTENSION.path]: decodePath,
  [EXTENSION.window]: decodeWindow,
  [EXTENSION.starving]: decodeStarving,
}

/** What the fields of an extension frame came to: all that is asked of it is that it comes out the same. */
function fieldsOf(bytes: Uint8Array): string {
  const frame = new Extension(bytes)
  return `${frame.type} ${JSON.stringify(DECODERS[frame.type]?.(frame))}`
}

/** What stands in a frame, by its number. */
const READERS: Readonly<Record<number, (bytes: Uint8Array) => string>> = {
  [DATAGRAM_FRAME]: (frame) => {
    const { bytes, ...head } = decodeDatagram(frame)
    return `${JSON.stringify(head)} ${Buffer.from(bytes).toString('base64')}`
  },
  [DATAGRAM_ACK_FRAME]: (frame) => String(decodeDatagramAck(frame)),
}

/** What a reader made of its input, as text; the last word is its refusal. */
function digest(feed: Iterable<Buffer>): string {
  const seen: string[] = []
  const reader = new FrameReader({
    begin: (fn, size) => (fn % 3 === 0 ? undefined : new Payload(size)),
    onData: (fn, size, parts) => {
      // One that came whole with its header was not asked about.
      const bytes = fn % 3 === 0 || parts === undefined ? 'unwanted' : Buffer.concat(parts).toString('base64')
      if (parts !== undefined && Buffer.concat(parts).length !== size) seen.push('wrong size')
      seen.push(`${fn}:${size}:${bytes}`)
    },
    onAck: (fn) => seen.push(`ack ${fn}`),
    onCode: (code) => seen.push(`code ${code}`),
    onExtension: (number, bytes) => seen.push(`extension ${number} ${(READERS[number] ?? fieldsOf)(bytes)}`),
  })
  try {
    for (const chunk of feed) reader.push(Buffer.from(chunk))
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error
    seen.push(error.message)
  }
  return seen.join()
}

describe('the frame reader', () => {
  it('given anything, makes the same of it in whatever pieces it comes, or refuses it', async () => {
    const { random, inputs } = fuzzSource('frame reader', 60_000)
    const before = await memoryInUse()
    let refusals = 0
    for (let n = 0; n < inputs; n++) {
      const bytes = frames(random)
      const whole = digest([bytes])
      expect(whole).not.toContain('wrong size')
      expect(digest(pieces(random, bytes))).toBe(whole)
      if (whole.includes('more than') || whole.includes('reserved')) refusals++
    }
    const grown = (await memoryInUse()) - before
    console.info(`${refusals} of ${inputs} refused; memory ${inMib(grown)}`)
    expect(refusals).toBeGreaterThan(inputs / 100)
    expect(grown).toBeLessThan(16 * MIB)
  }, 120_000)
})

function hello(random: SeededRandom): Buffer {
  if (random.integer(0, 3) === 0) return Buffer.from(random.bytes(random.integer(0, 40)))
  const bytes = encodeHello(random.bytes(16))
  return damaged(random, Buffer.concat([bytes, random.bytes(random.integer(0, 20))]))
}

describe('the handshake', () => {
  it('given anything, brings a CID and the rest, wants more, or refuses the version', () => {
    const { random, inputs } = fuzzSource('hello', 30_000)
    for (let n = 0; n < inputs; n++) {
      const bytes = hello(random)
      try {
        const cid = decodeHello(bytes)
        expect(cid === undefined).toBe(bytes.length < 17)
        if (cid !== undefined) expect(Buffer.from(cid).equals(bytes.subarray(1, 17))).toBe(true)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_MULTIPATH_UNEXPECTED_VERSION' })
        expect(bytes[0]).not.toBe(0)
      }
    }
  }, 60_000)

  it('over a stream, in any pieces and with any end, settles and leaves nothing behind', async () => {
    const caught = catchUncaught()
    const { random, inputs } = fuzzSource('handshake', 10_000)
    const before = await memoryInUse()
    const codes = new Map<string, number>()
    for (let n = 0; n < inputs; n++) {
      const [near, far] = MemoryStream.pair()
      near.on('error', () => {})
      const reading = readHello(far, { clock: systemClock, timeoutMs: 60_000 })
      for (const piece of pieces(random, hello(random))) near.write(piece)
      if (random.integer(0, 1) === 0) near.end()
      else near.cut()
      const outcome = await reading.then(
        () => 'hello',
        (error: unknown) => (error as MultipathError).code,
      )
      codes.set(outcome, (codes.get(outcome) ?? 0) + 1)
      far.destroy()
      near.destroy()
    }
    console.info(Object.fromEntries(codes))
    const known = ['hello', 'ERR_MULTIPATH_HANDSHAKE', 'ERR_MULTIPATH_UNEXPECTED_VERSION']
    expect([...codes.keys()].sort()).toEqual(known.sort())
    expect((await memoryInUse()) - before).toBeLessThan(16 * MIB)
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  }, 120_000)
})
