// SPDX-License-Identifier: Apache-2.0
/** The codec against bytes that the Go side really sent: interop/vectors, captured by interop/capture-vectors.ts. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { AckWriter, encodeDataHeader } from '../../lib/wire/frame.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { Payload } from '../../lib/wire/payload.js'
import { ZERO_CID, cidKey, decodeHello, encodeHello } from '../../lib/wire/hello.js'

interface DataVector {
  readonly fn: number
  readonly payloadBytes: number
  readonly head: string
  readonly sha256: string
  readonly wire?: string
}

interface Hellos {
  readonly cid: string
  readonly dialler: Readonly<
    Record<'firstHello' | 'joinHello' | 'afterHello' | 'afterJoin' | 'answerToPing', string>
  >
  readonly listener: Readonly<Record<'firstAnswer' | 'joinAnswer' | 'afterAnswer' | 'answerToPing', string>>
}

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../interop/vectors/${name}.json`, import.meta.url), 'utf8'))
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const hellos = load('hello') as Hellos
const { acks } = load('acks') as { acks: ReadonlyArray<{ fn: number; wire: string }> }
const { frames } = load('data-frames') as { frames: readonly DataVector[] }
const session = load('session') as {
  cid: string
  steps: ReadonlyArray<Record<'from' | 'wire' | 'is', string>>
}

/** The payload of a vector: byte `i` is `i` modulo 251. */
const pattern = (size: number): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, i) => i % 251))

/** What the reader finds in `wire`, fed in chunks of `step` bytes: `data 10 hello`, `ack 11`, `code 0`. */
function read(wire: Uint8Array, step = wire.length): string[] {
  const found: string[] = []
  const reader = new FrameReader({
    begin: (_fn, size) => new Payload(size),
    onData: (fn, size, pieces) => {
      const payload = Buffer.concat(pieces ?? [])
      expect(payload.length).toBe(size)
      found.push(`data ${fn} ${createHash('sha256').update(payload).digest('hex')}`)
    },
    onAck: (fn) => found.push(`ack ${fn}`),
    onCode: (code) => found.push(`code ${code}`),
  })
  for (let at = 0; at < wire.length; at += step) reader.push(wire.slice(at, at + step))
  return found
}

const digest = (payload: Uint8Array): string => createHash('sha256').update(payload).digest('hex')

describe('hello as Go sends it', () => {
  it('asks for a connection with the bytes of the Go dialer', () => {
    expect(Buffer.from(encodeHello(ZERO_CID)).toString('hex')).toBe(hellos.dialler.firstHello)
  })

  it('joins with the bytes of the Go dialer', () => {
    expect(Buffer.from(encodeHello(hex(hellos.cid))).toString('hex')).toBe(hellos.dialler.joinHello)
  })

  it('finds the connection ID in the answers of the Go listener', () => {
    const cid = decodeHello(hex(hellos.listener.firstAnswer))!
    expect(hellos.listener.firstAnswer).toBe(`00${cidKey(cid)}`)
    expect(decodeHello(hex(hellos.listener.joinAnswer))).toEqual(cid)
  })

  it('reads the pong and the ping that follow a hello of the Go dialer, and the ping that follows an answer', () => {
    expect(read(hex(hellos.dialler.afterHello))).toEqual(['code 1', 'code 0'])
    expect(read(hex(hellos.dialler.afterJoin))).toEqual(['code 1', 'code 0'])
    expect(read(hex(hellos.listener.afterAnswer))).toEqual(['code 0'])
  })

  it('reads the answer of either side to a ping', () => {
    expect(read(hex(hellos.dialler.answerToPing))).toEqual(['code 1'])
    expect(read(hex(hellos.listener.answerToPing))).toEqual(['code 1'])
  })
})

describe('acks as Go sends them', () => {
  test.each(acks)('writes the ack of frame $fn as $wire', ({ fn, wire }) => {
    const writer = new AckWriter()
    writer.add(fn)
    expect(Buffer.from(writer.take()).toString('hex')).toBe(wire)
  })

  test.each(acks)('reads $wire as the ack of frame $fn', ({ fn, wire }) => {
    expect(read(hex(wire), 1)).toEqual([`ack ${fn}`])
  })
})

describe('data frames as Go sends them', () => {
  test.each(frames)('gives frame $fn of $payloadBytes bytes the same bytes', (vector) => {
    const head = Buffer.from(encodeDataHeader(vector.payloadBytes, vector.fn))
    const wire = Buffer.concat([head, pattern(vector.payloadBytes)])
    expect(head.toString('hex')).toBe(vector.head)
    expect(digest(wire)).toBe(vector.sha256)
    if (vector.wire !== undefined) expect(wire.toString('hex')).toBe(vector.wire)
  })

  test.each(frames)('reads frame $fn of $payloadBytes bytes, however it is cut', (vector) => {
    const payload = pattern(vector.payloadBytes)
    const wire = Buffer.concat([hex(vector.head), payload])
    const expected = [`data ${vector.fn} ${digest(payload)}`]
    for (const step of [wire.length, Math.ceil(wire.length / 3), Math.ceil(wire.length / 1000), 1])
      if (wire.length / step <= 20_000) expect(read(wire, step)).toEqual(expected)
  })
})

describe('a session as Go speaks it', () => {
  it('reads every frame that either side sent', () => {
    for (const { wire, is } of session.steps) {
      if (is === 'hello') continue
      const [kind = '', number] = is.split(' ')
      const frame = read(hex(wire), 1)
      const code = { ping: 'code 0', pong: 'code 1' }[kind]
      expect(frame).toEqual([code ?? expect.stringContaining(`${kind} ${number}`)])
    }
  })
})
