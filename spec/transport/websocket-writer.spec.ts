// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { applyMask } from '../../lib/transport/websocket-mask.js'
import { encodeMessages, Masking } from '../../lib/transport/websocket-writer.js'
import { patternAt } from '../support/pattern.js'
import { framesIn } from '../support/websocket-frames.js'

const MESSAGE = 262_144
const SIZES = [1, 20_000, 10, 5000, 16_384, 3, 200_000, 16_383, 1, 65_536, 7]

function chunksOf(sizes: readonly number[]): { chunks: Uint8Array[]; whole: Buffer } {
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  const whole = Buffer.from(patternAt(9, 0, bytes))
  let at = 0
  return { chunks: sizes.map((size) => whole.subarray(at, (at += size))), whole }
}

function seededMasking(): { masking: Masking; drawn: Buffer[] } {
  const random = new SeededRandom(4)
  const drawn: Buffer[] = []
  const masking = new Masking((bytes) => {
    bytes.set(random.bytes(bytes.length))
    drawn.push(Buffer.from(bytes))
  })
  return { masking, drawn }
}

describe('the mask', () => {
  it('turns each byte over, wherever in memory and in the frame the bytes begin', () => {
    const mask = Uint8Array.of(1, 2, 4, 250)
    for (let start = 0; start < 9; start++)
      for (let phase = 0; phase < 5; phase++)
        for (const length of [0, 1, 3, 63, 64, 65, 70, 71, 72, 73, 95, 96, 104, 1003]) {
          const whole = patternAt(1, 0, start + length + 9)
          const wanted = Buffer.from(whole)
          for (let n = 0; n < length; n++) wanted[start + n]! ^= mask[(phase + n) % 4]!
          const memory = new Uint8Array(whole)
          applyMask(mask, memory.subarray(start, start + length), phase)
          expect(Buffer.compare(memory, wanted), `${start} ${phase} ${length}`).toBe(0)
        }
  })
})

describe('messages', () => {
  it.each([
    [[1]],
    [[125]],
    [[126]],
    [[65_535]],
    [[65_536]],
    [[MESSAGE]],
    [[MESSAGE + 1]],
    [[2 * MESSAGE]],
    [SIZES],
  ])('of chunks of %j bytes hold them as they were, in as few frames as may be', (sizes) => {
    const { chunks, whole } = chunksOf(sizes)
    const before = Buffer.from(whole)
    for (const masking of [undefined, seededMasking().masking]) {
      const { parts } = encodeMessages(chunks, whole.length, masking)
      const frames = framesIn(Buffer.concat(parts))
      expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(before)).toBe(true)
      expect(frames.length).toBe(Math.ceil(whole.length / MESSAGE))
      for (const { opcode, payload, mask } of frames) {
        expect(opcode).toBe(0x82)
        expect(payload.length).toBeLessThanOrEqual(MESSAGE)
        expect(mask === undefined).toBe(masking === undefined)
      }
    }
    // They belong to the connection, which may send them again.
    expect(whole.equals(before)).toBe(true)
  })

  it('of a server are not copied where they are large', () => {
    const { chunks, whole } = chunksOf([40_000])
    const { parts } = encodeMessages(chunks, whole.length)
    expect(parts.map(({ length }) => length)).toEqual([4, 40_000])
    expect(parts[1]!.buffer).toBe(whole.buffer)
  })

  it('that are small are one piece', () => {
    const { chunks, whole } = chunksOf([5, 8000, 5, 300])
    expect(encodeMessages(chunks, whole.length).parts.length).toBe(1)
  })

  it('of a client have masks of their own, each used once', () => {
    const { masking, drawn } = seededMasking()
    const { chunks, whole } = chunksOf([20])
    const masks: string[] = []
    for (let n = 0; n < 600; n++) {
      const [frame] = framesIn(Buffer.concat(encodeMessages(chunks, whole.length, masking).parts))
      masks.push(frame!.mask!.toString('hex'))
    }
    const random = Buffer.concat(drawn).toString('hex').match(/.{8}/g)!
    expect(masks).toEqual(random.slice(0, 600))
  })

  it('of a client use memory again, but no more than 2 MiB of it is kept', () => {
    const { masking } = seededMasking()
    const { chunks, whole } = chunksOf([20 * MESSAGE])
    const { taken } = encodeMessages(chunks, whole.length, masking)
    expect(new Set(taken).size).toBe(20)
    masking.giveBack(taken)
    const again = Array.from({ length: 20 }, () => masking.take(MESSAGE))
    expect(again.filter((slab) => taken.includes(slab)).length).toBe(8)
  })

  it('of a client that are not large take what they need, and none of it is kept', () => {
    const { masking } = seededMasking()
    const { chunks, whole } = chunksOf([20_000])
    const { taken } = encodeMessages(chunks, whole.length, masking)
    expect(taken.map(({ length }) => length)).toEqual([20_014])
    masking.giveBack(taken)
    expect(taken).not.toContain(masking.take(20_000))
    expect(taken).not.toContain(masking.take(MESSAGE))
  })
})
