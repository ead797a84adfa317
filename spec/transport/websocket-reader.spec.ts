// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { WebSocketError } from '../../lib/transport/websocket-frame.js'
import { WebSocketReader } from '../../lib/transport/websocket-reader.js'
import type { FrameParts } from '../support/websocket-frames.js'
import { frameOf } from '../support/websocket-frames.js'

const MASK = Uint8Array.of(0x11, 0xa2, 0x33, 0xc4)
const LIMIT = 100_000
const [MORE, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const
const text = (words: string): Buffer => Buffer.from(words)

interface Heard {
  data: string
  pings: string[]
  code: number | undefined
}

function reading(isServer: boolean): { reader: WebSocketReader; heard: Heard } {
  const heard: Heard = { data: '', pings: [], code: undefined }
  const reader = new WebSocketReader(isServer, LIMIT, {
    onData: (bytes) => (heard.data += Buffer.from(bytes).toString('latin1')),
    onPing: (payload) => heard.pings.push(String(Buffer.from(payload))),
    onClose: (code) => (heard.code = code),
  })
  return { reader, heard }
}

/** What a client or a server makes of `frames`. */
function heardOf(isServer: boolean, ...frames: FrameParts[]): Heard {
  const { reader, heard } = reading(isServer)
  const mask = isServer ? MASK : undefined
  reader.push(Buffer.concat(frames.map((frame) => frameOf({ mask, ...frame }))), 0)
  return heard
}

function refusal(isServer: boolean, ...frames: FrameParts[]): { closeCode: number; message: string } {
  try {
    heardOf(isServer, ...frames)
  } catch (error) {
    const { closeCode, message, code } = error as WebSocketError
    expect(code).toBe('ERR_MULTIPATH_FRAME')
    return { closeCode, message }
  }
  throw new Error('was taken')
}

describe.each([
  ['server', true],
  ['client', false],
])('the reader of a %s', (_role, isServer) => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, LIMIT])('takes a message of %i bytes', (length) => {
    const payload = Buffer.alloc(length, 'multipath')
    const { data } = heardOf(isServer, { opcode: BINARY, payload })
    expect(data === payload.toString('latin1')).toBe(true)
  })

  it('joins the parts of messages, whatever stands between them', () => {
    const heard = heardOf(
      isServer,
      { opcode: BINARY, payload: text('he'), isFinal: false },
      { opcode: PING, payload: text('there?') },
      { opcode: MORE, payload: text('l'), isFinal: false },
      { opcode: MORE, isFinal: false },
      { opcode: PONG, payload: text('nobody asked') },
      { opcode: MORE, payload: text('lo') },
      { opcode: BINARY, payload: text(' you') },
    )
    expect(heard).toEqual({ data: 'hello you', pings: ['there?'], code: undefined })
  })

  it('takes as many frames at a time as it is asked to, and none twice', () => {
    const { reader, heard } = reading(isServer)
    const mask = isServer ? MASK : undefined
    const bytes = Buffer.concat(
      'hello'.split('').map((one) => frameOf({ opcode: BINARY, payload: text(one), mask })),
    )
    let taken = reader.push(bytes, 0, 2)
    expect(heard.data).toBe('he')
    taken += reader.push(bytes.subarray(taken), 0, 2)
    expect(heard.data).toBe('hell')
    taken += reader.push(bytes.subarray(taken), 0, 2)
    expect([heard.data, taken]).toEqual(['hello', bytes.length])
  })

  it('refuses frames without payload once there are more than 256, 16 a second and those with payload', () => {
    const { reader } = reading(isServer)
    const mask = isServer ? MASK : undefined
    const push = (count: number, now: number, payload = ''): void => {
      const frames = Array.from({ length: count }, () =>
        frameOf({ opcode: BINARY, payload: text(payload), mask }),
      )
      reader.push(Buffer.concat(frames), now)
    }
    push(256, 1000)
    push(16, 2000)
    push(20, 2000, 'x')
    push(20, 2000)
    expect(() => push(1, 2000)).toThrow(/256 WebSocket frames without payload/)
  })

  it('gives a part of a message as soon as it is there', () => {
    const { reader, heard } = reading(isServer)
    const frame = frameOf({ opcode: BINARY, payload: text('hello'), ...(isServer && { mask: MASK }) })
    reader.push(frame.subarray(0, -3), 0)
    expect(heard.data).toBe('he')
    reader.push(frame.subarray(-3), 0)
    expect(heard.data).toBe('hello')
  })

  it.each([
    [[], 1005],
    [[3, 0xe8], 1000],
    [[3, 0xe9, 0xff, 0xfe], 1001],
    [[0x0f, 0xa0], 4000],
  ])('hears a close with %j as %i, and nothing behind it', (payload, code) => {
    const frames = [
      { opcode: CLOSE, payload: Uint8Array.from(payload) },
      { opcode: TEXT, payload: text('x') },
    ]
    expect(heardOf(isServer, ...frames)).toEqual({ data: '', pings: [], code })
  })

  it.each([
    ['the first reserved bit', { opcode: BINARY, reserved: 0x40 }, 1002, /0xc2: reserved/],
    ['the second', { opcode: BINARY, reserved: 0x20 }, 1002, /0xa2: reserved/],
    ['the third', { opcode: PING, reserved: 0x10 }, 1002, /0x99: reserved/],
    ['text', { opcode: TEXT, payload: text('x') }, 1003, /text/],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
      (opcode) =>
        [`opcode ${opcode}`, { opcode }, 1002, new RegExp(`0x8.: opcode ${opcode} is unknown`)] as const,
    ),
    ['the rest of no message', { opcode: MORE }, 1002, /0x80: there is no message/],
    ['a part of a ping', { opcode: PING, isFinal: false }, 1002, /0x09: a control frame is fragmented/],
    ['a part of a close', { opcode: CLOSE, isFinal: false }, 1002, /0x08: a control frame is fragmented/],
    ['a long ping', { opcode: PING, payload: Buffer.alloc(126) }, 1002, /longer than 125/],
    ['a very long close', { opcode: CLOSE, payload: Buffer.alloc(70_000) }, 1002, /longer than 125/],
    ['half a close code', { opcode: CLOSE, payload: text('x') }, 1002, /the close code is incomplete/],
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map(
      (code) =>
        [
          `close code ${code}`,
          { opcode: CLOSE, payload: Uint8Array.of(code >> 8, code) },
          1002,
          /not a valid close code/,
        ] as const,
    ),
    ['a large message', { opcode: BINARY, payload: Buffer.alloc(LIMIT + 1) }, 1009, /100001 bytes/],
  ] as [string, FrameParts, number, RegExp][])('refuses %s', (_what, frame, closeCode, message) => {
    const refused = refusal(isServer, frame)
    expect(refused.closeCode).toBe(closeCode)
    expect(refused.message).toMatch(message)
  })

  it('refuses a message inside of another', () => {
    const frames = [
      { opcode: BINARY, isFinal: false },
      { opcode: BINARY, payload: text('x') },
    ]
    expect(refusal(isServer, ...frames)).toMatchObject({
      closeCode: 1002,
      message: expect.stringMatching(/has not ended/) as string,
    })
  })

  it('refuses parts that add up to a message too large, but no number of messages', () => {
    const half = { opcode: BINARY, payload: Buffer.alloc(LIMIT / 2) }
    const rest = { opcode: MORE, isFinal: false, payload: Buffer.alloc(LIMIT / 2) }
    const end = { opcode: MORE, payload: text('x') }
    expect(heardOf(isServer, half, half, half, half).data.length).toBe(2 * LIMIT)
    expect(refusal(isServer, half, { ...half, isFinal: false }, rest, end).closeCode).toBe(1009)
  })

  it('refuses a length that no memory has, before any of its bytes', () => {
    const { reader } = reading(isServer)
    const head = Buffer.from([
      0x82,
      isServer ? 0xff : 0x7f,
      ...Buffer.alloc(8, 0xff),
      ...(isServer ? MASK : []),
    ])
    expect(() => reader.push(head, 0)).toThrow(/and the limit is/)
  })

  it('refuses garbage at its first byte that is wrong', () => {
    const { reader } = reading(isServer)
    reader.push(Uint8Array.of(0x82), 0)
    expect(() => reader.push(Uint8Array.of(isServer ? 0x05 : 0x85), 0)).toThrow(isServer ? /0x05/ : /0x85/)
  })
})

describe('the reader', () => {
  it('of a server refuses frames without a mask, and that of a client those with one', () => {
    const frame = { opcode: BINARY, payload: text('x') }
    expect(refusal(true, { ...frame, mask: undefined })).toEqual({
      closeCode: 1002,
      message: 'invalid WebSocket frame, byte 0x01: a frame of a client is not masked',
    })
    expect(refusal(false, { ...frame, mask: MASK })).toEqual({
      closeCode: 1002,
      message: 'invalid WebSocket frame, byte 0x81: a frame of a server is masked',
    })
  })
})
