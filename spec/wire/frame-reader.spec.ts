// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import { AckWriter, encodeDataHeader } from '../../lib/wire/frame.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { MAX_PAYLOAD_BYTES } from '../../lib/wire/limits.js'
import { Payload } from '../../lib/wire/payload.js'
import { patternAt } from '../support/pattern.js'

interface Found {
  readonly frames: string[]
  /** Pieces of the last data frame. */
  pieces: Uint8Array[] | undefined
  readonly reader: FrameReader
}

function reading(isWanted: (fn: number) => boolean = () => true): Found {
  const found: Found = {
    frames: [],
    pieces: undefined,
    reader: new FrameReader({
      begin: (fn, size) => (isWanted(fn) ? new Payload(size) : undefined),
      onData: (fn, size, pieces) => {
        found.pieces = pieces
        const payload = pieces && Buffer.concat(pieces)
        const text = payload === undefined ? 'unwanted' : payload.length < 20 ? payload.toString() : 'long'
        found.frames.push(`data ${fn} ${size} ${text}`)
      },
      onAck: (fn) => found.frames.push(`ack ${fn}`),
      onCode: (code) => found.frames.push(`code ${code}`),
    }),
  }
  return found
}

function data(fn: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([encodeDataHeader(payload.length, fn), payload])
}

function acks(...values: number[]): Uint8Array {
  const writer = new AckWriter()
  for (const value of values) writer.add(value)
  return writer.take()
}

/** Everything a subflow can carry: codes known and reserved, acks and numbers of every length. */
const STREAM = Buffer.concat([
  acks(1, 2, 0),
  data(10, Buffer.from('hello')),
  acks(10, 0, 9),
  data(11, Buffer.from(', ')),
  data(70_000, Buffer.from('world')),
  acks(16_384, 2 ** 40),
])
const FRAMES = [
  'code 1',
  'code 2',
  'code 0',
  'data 10 5 hello',
  'ack 10',
  'code 0',
  'code 9',
  'data 11 2 , ',
  'data 70000 5 world',
  'ack 16384',
  `ack ${2 ** 40}`,
]

describe('a frame reader', () => {
  it('finds every frame of a stream that comes whole', () => {
    const found = reading()
    found.reader.push(STREAM)
    expect(found.frames).toEqual(FRAMES)
  })

  it('finds the same when it comes byte by byte', () => {
    const found = reading()
    for (const byte of STREAM) found.reader.push(Uint8Array.of(byte))
    expect(found.frames).toEqual(FRAMES)
  })

  it('finds the same when it is cut anywhere', () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      const found = reading()
      found.reader.push(STREAM.subarray(0, cut))
      found.reader.push(STREAM.subarray(cut))
      expect(found.frames).toEqual(FRAMES)
    }
  })

  it('finds the same when it is cut in two places', () => {
    for (let first = 0; first <= STREAM.length; first += 3)
      for (let second = first; second <= STREAM.length; second += 2) {
        const found = reading()
        for (const part of [
          STREAM.subarray(0, first),
          STREAM.subarray(first, second),
          STREAM.subarray(second),
        ])
          found.reader.push(part)
        expect(found.frames).toEqual(FRAMES)
      }
  })

  it('takes integers that are longer than need be', () => {
    const found = reading()
    found.reader.push(Uint8Array.of(0x40, 3, 0x80, 0, 0, 10, 97, 98, 99, 0x40, 0, 0xc0, 0, 0, 0, 0, 0, 0, 10))
    expect(found.frames).toEqual(['data 10 3 abc', 'ack 10'])
  })

  it('tells which frame has begun and not ended', () => {
    const { reader } = reading()
    const wire = data(10, Buffer.from('hello'))
    for (let cut = 0; cut <= wire.length; cut++) {
      const fresh = reading().reader
      fresh.push(wire.subarray(0, cut))
      expect(fresh.unfinishedFrame).toBe(cut >= 2 && cut < wire.length ? 10 : undefined)
    }
    expect(reader.unfinishedFrame).toBeUndefined()
  })

  it('hands the payload on without copying', () => {
    const found = reading()
    const wire = data(10, patternAt(1, 0, 10_000))
    found.reader.push(wire)
    expect(found.pieces).toHaveLength(1)
    expect(found.pieces?.[0]?.buffer).toBe(wire.buffer)
  })

  it('skips the payload of a frame that nobody wants', () => {
    const found = reading((fn) => fn !== 10)
    for (const part of [data(10, patternAt(1, 0, 100)), data(11, Buffer.from('x'))])
      for (const byte of part) found.reader.push(Uint8Array.of(byte))
    expect(found.frames).toEqual(['data 10 100 unwanted', 'data 11 1 x'])
  })

  it('takes a payload of 1 MiB and refuses one byte more', () => {
    const found = reading()
    found.reader.push(data(10, patternAt(1, 0, MAX_PAYLOAD_BYTES)))
    expect(found.frames).toEqual(['data 10 1048576 long'])
    expect(() => {
      found.reader.push(Uint8Array.of(0x80, 0x10, 0, 1, 11))
    }).toThrow(RemoteProtocolError)
  })

  test.each([
    ['a data frame whose number is a code', Uint8Array.of(1, 9, 0)],
    ['a size above 2^53', Uint8Array.of(0xff, 255, 255, 255, 255, 255, 255, 255, 10)],
    ['a number above 2^53', Uint8Array.of(1, 0xff, 255, 255, 255, 255, 255, 255, 255, 10)],
  ])('refuses %s', (_name, wire) => {
    expect(() => {
      reading().reader.push(wire)
    }).toThrow(RemoteProtocolError)
    expect(() => {
      const { reader } = reading()
      for (const byte of wire) reader.push(Uint8Array.of(byte))
    }).toThrow(RemoteProtocolError)
  })

  it('joins the pieces of a frame that comes in very many', () => {
    const found = reading()
    const payload = patternAt(1, 0, 100_000)
    const wire = data(10, payload)
    for (const byte of wire) found.reader.push(Uint8Array.of(byte))
    expect(found.pieces).toHaveLength(1)
    expect(Buffer.concat(found.pieces ?? [])).toEqual(Buffer.from(payload))
  })

  it('keeps a frame in few pieces where it comes in few', () => {
    const found = reading()
    const wire = data(10, patternAt(1, 0, 100_000))
    for (let at = 0; at < wire.length; at += 4000) found.reader.push(wire.subarray(at, at + 4000))
    expect(found.pieces?.length).toBeLessThanOrEqual(32)
    expect(Buffer.concat(found.pieces ?? [])).toEqual(Buffer.from(patternAt(1, 0, 100_000)))
  })

  it('starts anew after a frame that was joined', () => {
    const found = reading()
    for (const byte of data(10, patternAt(1, 0, 5000))) found.reader.push(Uint8Array.of(byte))
    found.reader.push(data(11, Buffer.from('next')))
    expect(found.frames).toEqual(['data 10 5000 long', 'data 11 4 next'])
  })
})
