// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import {
  decodeDatagram,
  decodeDatagramAck,
  encodeDatagramAck,
  encodeDatagramHead,
} from '../../lib/wire/datagram.js'
import { payloadOf } from '../../lib/wire/extension.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { MAX_DATAGRAM_BYTES, MAX_EXTENSION_BYTES } from '../../lib/wire/limits.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function frame(number: number, stamp: number, lifeMs: number, text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([encodeDatagramHead({ number, stamp, lifeMs }, bytes.length), bytes])
}

/** What comes out of a reader that takes frames of these numbers. */
function read(wire: Uint8Array): [number, string][] {
  const found: [number, string][] = []
  const fail = (): never => {
    throw new Error('no extension frame')
  }
  const reader = new FrameReader({
    ...{ begin: fail, onData: fail, onAck: fail, onCode: fail },
    onExtension: (number, bytes) => found.push([number, hex(bytes)]),
  })
  reader.push(wire)
  return found
}

describe('a datagram on the wire', () => {
  it('is the example of docs/protocol.md', () => {
    expect(hex(frame(300, 70_000, 150, 'hello'))).toBe('0d03412c800111704096' + '68656c6c6f')
    expect(hex(encodeDatagramAck(300))).toBe('0204412c')
  })

  it('comes out as it went in', () => {
    const wire = frame(300, 70_000, 150, 'hello')
    expect(read(wire)[0]![0]).toBe(3)
    const { bytes, ...head } = decodeDatagram(payloadOf(wire))
    expect(head).toEqual({ number: 300, stamp: 70_000, lifeMs: 150 })
    expect(Buffer.from(bytes).toString()).toBe('hello')
    expect(decodeDatagramAck(payloadOf(encodeDatagramAck(300)))).toBe(300)
  })

  it('may be empty, and may have 64 KiB', () => {
    for (const size of [0, MAX_DATAGRAM_BYTES]) {
      const wire = frame(2 ** 53 - 1, 2 ** 30 - 1, 2 ** 53 - 1, new Uint8Array(size))
      expect(read(wire)).toHaveLength(1)
      expect(decodeDatagram(payloadOf(wire)).bytes).toHaveLength(size)
    }
  })

  it.each([
    ['one byte more', payloadOf(frame(1, 1, 0, new Uint8Array(MAX_DATAGRAM_BYTES + 1)))],
    ['an end inside a number', Uint8Array.of(1, 0x40)],
    ['no life', Uint8Array.of(1, 1)],
  ])('is refused with %s', (_what, bytes) => {
    expect(() => decodeDatagram(bytes)).toThrow(RemoteProtocolError)
  })

  it.each([
    ['nothing', Uint8Array.of()],
    ['more than its number', Uint8Array.of(1, 1)],
    ['half of its number', Uint8Array.of(0x40)],
  ])('has no ack of %s', (_what, bytes) => {
    expect(() => decodeDatagramAck(bytes)).toThrow(RemoteProtocolError)
  })

  it('is the only one of the extension frames that may be longer than those', () => {
    const header = (number: number): Uint8Array => Uint8Array.of(0x80, 0, 0x40, 1, number)
    expect(MAX_EXTENSION_BYTES).toBe(0x4000)
    expect(() => read(header(4))).toThrow('more than 16384')
    expect(read(header(3))).toEqual([])
    expect(() => read(Uint8Array.of(0x80, 1, 0, 25, 3))).toThrow('more than 65560')
  })
})
