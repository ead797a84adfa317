// SPDX-License-Identifier: Apache-2.0
/** Inputs for fuzzing: bytes at random, and valid ones damaged. Everything comes out of one seed, which is printed. */
import { env } from 'node:process'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { encodeDatagramAck, encodeDatagramHead } from '../../lib/wire/datagram.js'
import { encodeExtension } from '../../lib/wire/extension.js'
import { encodeDataHeader } from '../../lib/wire/frame.js'
import { writeVarInt } from '../../lib/wire/varint.js'

/** `FUZZ_SEED` repeats a run, `FUZZ_INPUTS` makes it longer. */
export function fuzzSource(what: string, inputs: number): { random: SeededRandom; inputs: number } {
  const seed = Number(env.FUZZ_SEED ?? 20_230_510)
  const count = Math.ceil(inputs * Number(env.FUZZ_TIMES ?? 1))
  console.info(`fuzz ${what}: ${count} inputs, seed ${seed}`)
  return { random: new SeededRandom(seed), inputs: count }
}

const BOUNDARIES = [
  0,
  1,
  9,
  10,
  11,
  63,
  64,
  16_383,
  16_384,
  1_048_576,
  1_048_577,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 53 - 1,
]

function varInt(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  return bytes.subarray(0, writeVarInt(bytes, value))
}

/** A data frame as a well-behaved peer sends it. */
function dataFrame(fn: number, payload: Uint8Array): Buffer {
  return Buffer.concat([encodeDataHeader(payload.length, fn), payload])
}

function oneFrame(random: SeededRandom): Buffer {
  switch (random.integer(0, 9)) {
    case 6:
      return extension(random)
    case 7:
      return datagram(random)
    case 8:
      return Buffer.from(encodeDatagramAck(random.pick(BOUNDARIES)))
    case 0:
      return Buffer.from([0, random.integer(0, 9)])
    case 1:
      return Buffer.concat([Buffer.of(0), varInt(random.pick(BOUNDARIES))])
    case 2:
      return dataFrame(random.integer(10, 40), random.bytes(random.integer(1, 200)))
    case 3:
      return Buffer.concat([varInt(random.pick(BOUNDARIES)), varInt(random.pick(BOUNDARIES))])
    case 4:
      return Buffer.concat([varInt(random.integer(1, 100)), varInt(random.integer(0, 30))])
    case 5:
      return Buffer.from(random.bytes(random.integer(1, 20)))
    default:
      return dataFrame(10 + random.integer(0, 5000), random.bytes(1))
  }
}

/** An extension frame, of a type and with fields at random. */
function extension(random: SeededRandom): Buffer {
  const fields = Array.from({ length: random.integer(0, 5) }, (): [number, number | Uint8Array] => [
    random.integer(0, 8),
    random.integer(0, 1) === 0 ? random.pick(BOUNDARIES) : random.bytes(random.integer(0, 20)),
  ])
  return Buffer.from(encodeExtension(random.integer(0, 8), new Map(fields)))
}

/** A datagram, with its numbers at random. */
function datagram(random: SeededRandom): Buffer {
  const payload = random.bytes(random.integer(0, 200))
  const head = {
    number: random.pick(BOUNDARIES),
    stamp: random.pick(BOUNDARIES),
    lifeMs: random.pick(BOUNDARIES),
  }
  return Buffer.concat([encodeDatagramHead(head, payload.length), payload])
}

/** Frames in a row, then perhaps damaged: a bit flipped, a stretch cut out, doubled, or torn off. */
export function frames(random: SeededRandom): Buffer {
  const parts = Array.from({ length: random.integer(1, 8) }, () => oneFrame(random))
  return damaged(random, Buffer.concat(parts))
}

export function damaged(random: SeededRandom, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes
  const at = random.integer(0, bytes.length - 1)
  const to = random.integer(at, bytes.length)
  switch (random.integer(0, 5)) {
    case 0: {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << random.integer(0, 7)
      return flipped
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    case 2:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    case 3:
      return bytes.subarray(0, to)
    default:
      return bytes
  }
}

/** `bytes` in pieces as a network might bring them. */
export function* pieces(random: SeededRandom, bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const to = Math.min(bytes.length, at + random.integer(1, random.pick([1, 5, 50, 5000])))
    yield bytes.subarray(at, to)
    at = to
  }
}
