// SPDX-License-Identifier: Apache-2.0
/** The bytes of extension frames, as docs/protocol.md gives them. */
import { describe, expect, it, test } from 'vitest'
import { RemoteProtocolError } from '../../lib/errors.js'
import { encodeExtension, Extension, payloadOf, shortText } from '../../lib/wire/extension.js'
import { encodeDataHeader } from '../../lib/wire/frame.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { decodeFin, decodeReset, encodeFin, encodeReset, RESET } from '../../lib/wire/end-frames.js'
import { decodeHave, encodeHave } from '../../lib/wire/have.js'
import { decodeProof, encodeProof, isSameProof, PROVER, provenBytes } from '../../lib/wire/proof.js'
import { CAPABILITY, decodeSettings, encodeSettings } from '../../lib/wire/settings.js'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const shown = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What a reader makes of `wire`, fed in chunks of `step` bytes. */
function read(wire: Uint8Array, step = wire.length): string[] {
  const found: string[] = []
  const reader = new FrameReader({
    begin: () => undefined,
    onData: (fn, size) => found.push(`data ${fn} ${size}`),
    onAck: (fn) => found.push(`ack ${fn}`),
    onCode: (code) => found.push(`code ${code}`),
    onExtension: (number, bytes) => found.push(`extension ${number} ${shown(bytes)}`),
  })
  for (let at = 0; at < wire.length; at += step) reader.push(wire.slice(at, at + step))
  return found
}

describe('SETTINGS as bytes', () => {
  it('of a dialer are its version, the hold time, and its name', () => {
    const wire = hex('14 02  01  01 01 01  02 01 03  03 04 8001d4c0  05 05 6e6f646531')
    const settings = { capabilities: CAPABILITY.window | CAPABILITY.starving, holdMs: 120_000, name: 'node1' }
    expect(shown(encodeSettings(settings))).toBe(shown(wire))
    expect(decodeSettings(new Extension(wire.subarray(2)))).toEqual({
      version: 1,
      capabilities: 3,
      holdMs: 120_000,
      instance: undefined,
      name: 'node1',
    })
  })

  it('of a listener have the identity of its process', () => {
    const instance = hex('000102030405060708090a0b0c0d0e0f')
    const wire = hex('19 02  01  01 01 01  03 01 00  04 10 000102030405060708090a0b0c0d0e0f')
    expect(shown(encodeSettings({ holdMs: 0, instance }))).toBe(shown(wire))
    expect(decodeSettings(new Extension(wire.subarray(2)))).toMatchObject({ holdMs: 0, name: undefined })
  })

  it('of a side that can prove itself have its key and a nonce, and the place of the subflow', () => {
    const [publicKey, nonce] = [new Uint8Array(32).fill(0xaa), new Uint8Array(16).fill(0xbb)]
    const settings = {
      capabilities: CAPABILITY.window | CAPABILITY.starving,
      holdMs: 120_000,
      publicKey,
      nonce,
      place: 2,
    }
    const wire = hex(
      `40 44 02  01  01 01 01  02 01 03  03 04 8001d4c0  06 20 ${'aa'.repeat(32)}  07 10 ${'bb'.repeat(16)}  08 01 02`,
    )
    expect(shown(encodeSettings(settings))).toBe(shown(wire))
    expect(shown(payloadOf(wire))).toBe(shown(wire.subarray(3)))
    expect(decodeSettings(new Extension(payloadOf(wire)))).toMatchObject({ place: 2 })
    expect(() => decodeSettings(new Extension(hex('01 06 01 aa')))).toThrow(/public key has 32 bytes/)
    expect(() => decodeSettings(new Extension(hex('01 07 01 aa')))).toThrow(/nonce has 16 bytes/)
  })

  it('with fields and a version of later are read all the same', () => {
    const frame = new Extension(hex('01  01 01 07  02 01 03  3f 02 ffff  03 01 05'))
    expect(decodeSettings(frame)).toMatchObject({ version: 7, capabilities: 3, holdMs: 5 })
  })

  it('show a name of any bytes as text that does no harm', () => {
    const name = hex('1b5b324a 0a e280ae ff')
    const frame = encodeExtension(1, new Map([[5, name]])).subarray(2)
    expect(decodeSettings(new Extension(frame)).name).toBe('\\u{1b}[2J\\u{a}\\u{202e}\\u{fffd}')
  })
})

describe('an extension frame', () => {
  test.each([
    ['that is empty after its number', '40'],
    ['that ends inside a field', '01 01 05 00'],
    ['that ends inside the length of a field', '01 01 80'],
    ['with a field twice', '01 01 01 01 01 01 02'],
    [
      'with more than 64 fields',
      `01 ${Array.from({ length: 65 }, (_, id) => `40${id.toString(16).padStart(2, '0')} 00`).join(' ')}`,
    ],
    ['with a number that we cannot hold', 'ff ff ff ff ff ff ff ff'],
  ])('%s is a violation', (_what, bytes) => {
    expect(() => new Extension(hex(bytes))).toThrow(RemoteProtocolError)
  })

  it('with a field that is too long, or no number where one belongs, is a violation', () => {
    const frame = new Extension(hex('01 01 02 0102  04 01 00  05 03 616263'))
    expect(() => frame.number(1)).toThrow(/field 1 .* is not a number/)
    expect(() => frame.bytes(5, 2)).toThrow(/field 5 .* more than 2 bytes/)
    expect(() => decodeSettings(frame)).toThrow(RemoteProtocolError)
    expect(() => decodeSettings(new Extension(hex('01 04 01 00')))).toThrow(/has 16 bytes/)
  })

  it('is never written larger than a reader takes it', () => {
    expect(() => encodeExtension(1, new Map([[1, new Uint8Array(16_384)]]))).toThrow(RangeError)
  })

  it('is found between others, in whatever pieces it comes', () => {
    const wire = Buffer.concat([
      hex('0006 0002'),
      encodeSettings({ holdMs: 1 }),
      encodeDataHeader(2, 10),
      hex('6869'),
      hex('02 09 01 00'),
      hex('000a'),
    ])
    const frames = [
      'code 6',
      'code 2',
      'extension 2 01010101030101',
      'data 10 2',
      'extension 9 0100',
      'ack 10',
    ]
    for (let step = 1; step <= wire.length; step++) expect(read(wire, step)).toEqual(frames)
  })

  it('is a violation to a reader that takes none, and above 16 KiB, and with the number of a ping or pong', () => {
    const plain = new FrameReader({ begin: () => undefined, onData() {}, onAck() {}, onCode() {} })
    expect(() => plain.push(hex('01 02 00'))).toThrow(/reserved number 2/)
    expect(() => read(Buffer.concat([hex('8000 4001 02'), Buffer.alloc(9)]))).toThrow(
      /extension frame of 16385 bytes/,
    )
    for (const number of ['00', '01']) expect(() => read(hex(`01 ${number} 00`))).toThrow(/reserved number/)
  })
})

describe('PROOF as bytes', () => {
  it('is the proof alone', () => {
    const proof = new Uint8Array(32).fill(0xcc)
    const wire = hex(`23 02 05  01 20 ${'cc'.repeat(32)}`)
    expect(shown(encodeProof(proof))).toBe(shown(wire))
    expect(shown(decodeProof(new Extension(payloadOf(wire))))).toBe(shown(proof))
    expect(() => decodeProof(new Extension(hex('05 01 01 cc')))).toThrow(/a PROOF has 32 bytes/)
    expect(() => decodeProof(new Extension(hex('05')))).toThrow(/a PROOF has 32 bytes/)
  })

  it('is computed over who proves, and what both sides have said of themselves', () => {
    const [dialers, listeners] = [hex('0101'), new Uint8Array(64).fill(5)]
    const bytes = Buffer.concat(provenBytes(PROVER.listener, dialers, listeners))
    expect(shown(bytes)).toBe(`02 02 0101 4040 ${'05'.repeat(64)}`.replaceAll(' ', ''))
  })

  it('is the same only where every byte is', () => {
    expect(isSameProof(hex('0102'), hex('0102'))).toBe(true)
    for (const other of ['0103', '01', '010203', '']) expect(isSameProof(hex('0102'), hex(other))).toBe(false)
  })
})

describe('text that is cut short', () => {
  it('ends between two characters', () => {
    expect(Buffer.from(shortText('aé€', 5)).toString()).toBe('aé')
    expect(shortText('', 5)).toHaveLength(0)
  })
})

describe('FIN and RESET as bytes', () => {
  it('of a FIN are the number of the frame that will never come', () => {
    expect(shown(encodeFin(4107))).toBe('0502030102500b')
    expect(decodeFin(new Extension(hex('03 01 02 500b')))).toBe(4107)
  })

  it('of a RESET are its code, its reason, and the first frame that has not come', () => {
    const wire = '0b02 04 01 01 01 02 02 6279 03 01 0c'.replaceAll(' ', '')
    expect(shown(encodeReset({ code: RESET.aborted, reason: 'by', nextFrame: 12 }))).toBe(wire)
    expect(decodeReset(new Extension(hex(wire).subarray(2)))).toEqual({
      code: 1,
      reason: 'by',
      nextFrame: 12,
    })
  })
})

describe('HAVE as bytes', () => {
  it('is the next frame, and of each range the gap before it and its length', () => {
    const wire = '0a02 02 01 01 0b 02 04 01 02 0601'.replaceAll(' ', '')
    const have = {
      nextFrame: 11,
      ranges: [
        [12, 14],
        [20, 21],
      ] as const,
    }
    expect(shown(encodeHave(have))).toBe(wire)
    expect(decodeHave(new Extension(hex(wire).subarray(2)))).toEqual(have)
    expect(shown(encodeHave({ nextFrame: 10, ranges: [] }))).toBe('04020201010a')
  })

  it('of as many ranges as a receiver can have fits into a frame', () => {
    const ranges = Array.from({ length: 2048 }, (_, at): [number, number] => [11 + 2 * at, 12 + 2 * at])
    const wire = encodeHave({ nextFrame: 10, ranges })
    // Four bytes of size, one of the frame's number.
    const headerBytes = wire[0]! < 0x80 ? 3 : 5
    expect(decodeHave(new Extension(wire.subarray(headerBytes)))).toEqual({ nextFrame: 10, ranges })
  })

  test.each([
    ['no next frame', '02'],
    ['a next frame under 10', '02 01 01 09'],
    ['an empty range', '02 01 01 0a 02 02 0100'],
    ['a range that touches what is before it', '02 01 01 0a 02 02 0001'],
    ['a range that ends inside a number', '02 01 01 0a 02 01 01'],
    ['a range further ahead than frames are kept', '02 01 01 0a 02 04 5000 4001'],
    ['a range behind the last number that is exact', '02 01 08 c01fffffffffffff 02 02 0102'],
  ])('with %s is a violation', (_what, bytes) => {
    expect(() => decodeHave(new Extension(hex(bytes)))).toThrow(RemoteProtocolError)
  })
})
