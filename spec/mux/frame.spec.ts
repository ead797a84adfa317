// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { decodeHeader, encodeHeader, FrameType } from '../../lib/mux/frame.js'
import { FrameReader } from '../../lib/mux/frame-reader.js'
import { frame, framesOf } from '../support/mux-core.js'

// The layout is that of hashicorp/yamux, spec.md: version, type, flags, stream, length, big endian.
const VECTORS = [
  { wire: '000000010000000100000005', header: { type: 0, flags: 1, streamId: 1, length: 5 } },
  { wire: '0001000200000002ffffffff', header: { type: 1, flags: 2, streamId: 2, length: 2 ** 32 - 1 } },
  { wire: '000200010000000080000000', header: { type: 2, flags: 1, streamId: 0, length: 2 ** 31 } },
  { wire: '000300000000000000000002', header: { type: 3, flags: 0, streamId: 0, length: 2 } },
  { wire: '0001800cfffffffe00000000', header: { type: 1, flags: 0x800c, streamId: 2 ** 32 - 2, length: 0 } },
]

describe('a header', () => {
  it.each(VECTORS)('is $wire on the wire', ({ wire, header }) => {
    expect(Buffer.from(encodeHeader(header)).toString('hex')).toBe(wire)
    expect(decodeHeader(Buffer.from(wire, 'hex'))).toEqual(header)
  })

  it.each(['010000000000000000000000', 'ff0000000000000000000000', '000400000000000000000000'])(
    'of another version or an unknown type is refused: %s',
    (wire) => {
      expect(() => decodeHeader(Buffer.from(wire, 'hex'))).toThrow(
        expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_PROTOCOL' }),
      )
    },
  )
})

describe('the reader of frames', () => {
  const bytes = Buffer.concat([
    frame.data(1, 'payload', 1),
    frame.window(3, 9),
    frame.data(5, ''),
    frame.ping(7, 1),
  ])
  const whole = framesOf(bytes)

  it('reads frames in a row', () => {
    expect(whole.map(({ type, streamId, payload }) => [type, streamId, payload])).toEqual([
      [FrameType.data, 1, 'payload'],
      [FrameType.window, 3, ''],
      [FrameType.data, 5, ''],
      [FrameType.ping, 0, ''],
    ])
  })

  it('reads the same from bytes that come one by one, or cut anywhere', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const told: unknown[] = []
      const reader = new FrameReader({
        onFrame: (header) => told.push(header),
        onPayload: (piece) => told.push(...piece),
        onPayloadEnd: () => told.push('end'),
      })
      reader.read(bytes.subarray(0, cut))
      for (const byte of bytes.subarray(cut)) reader.read(Buffer.of(byte))
      expect(reader.isBetweenFrames).toBe(true)
      const payload = [...Buffer.from('payload')]
      const [first, second, third, last] = whole.map(({ payload: _, ...header }) => header)
      expect(told).toEqual([first, ...payload, 'end', second, third, 'end', last])
    }
  })

  it('knows that it is within a frame', () => {
    for (const end of [1, 11, 12, 18]) {
      const reader = new FrameReader({ onFrame: () => {}, onPayload: () => {}, onPayloadEnd: () => {} })
      reader.read(bytes.subarray(0, end))
      expect(reader.isBetweenFrames).toBe(false)
    }
  })
})
