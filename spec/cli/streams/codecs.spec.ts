// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeGreeting, encodeGreeting, isProof, proofOf } from '../../../lib/cli/streams/greeting.js'
import type { Answer, StreamRequest } from '../../../lib/cli/streams/stream-request.js'
import {
  decodeAnswer,
  decodeRequestHead,
  encodeAnswer,
  encodeRequest,
  REQUEST_HEAD_BYTES,
} from '../../../lib/cli/streams/stream-request.js'

function decoded(bytes: Buffer): StreamRequest | undefined {
  const head = decodeRequestHead(bytes.subarray(0, REQUEST_HEAD_BYTES))
  if (head === undefined) return undefined
  const host = bytes.subarray(REQUEST_HEAD_BYTES)
  expect(host).toHaveLength(head.hostBytes)
  return { kind: head.kind, host: host.toString(), port: head.port }
}

describe('a request', () => {
  it.each<StreamRequest>([
    { kind: 'connect', host: 'example.org', port: 443 },
    { kind: 'service', host: 'web', port: 0 },
    { kind: 'listen', host: '127.0.0.1', port: 65_535 },
    { kind: 'incoming', host: '::1', port: 1 },
    { kind: 'measure', host: 'download', port: 5 },
    { kind: 'udp', host: '::1', port: 53 },
    { kind: 'udp', host: 'dns', port: 0 },
  ])('$kind comes back as it was', (request) => {
    expect(decoded(encodeRequest(request))).toEqual(request)
  })

  it('has these bytes', () => {
    expect(encodeRequest({ kind: 'connect', host: 'ab', port: 443 }).toString('hex')).toBe('010101bb026162')
    expect(encodeAnswer('ok').toString('hex')).toBe('0100')
    expect(encodeAnswer('refused').toString('hex')).toBe('0104')
  })

  it('is limited in its host', () => {
    expect(encodeRequest({ kind: 'connect', host: 'a'.repeat(255), port: 1 })).toHaveLength(260)
    for (const host of ['', 'a'.repeat(256)])
      expect(() => encodeRequest({ kind: 'connect', host, port: 1 })).toThrow(RangeError)
  })

  it.each([
    '',
    '02010050 01',
    '01000050 01',
    '01070050 01',
    '01010050 00',
    '01010000 01',
    '01020050 01',
    '0101',
  ])('is not what begins with %s', (hex) => {
    expect(decodeRequestHead(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toBeUndefined()
  })
})

describe('an answer', () => {
  it.each<Answer>(['ok', 'not-allowed', 'not-found', 'timeout', 'address-in-use', 'failed'])(
    '%s comes back as it was',
    (answer) => {
      expect(decodeAnswer(encodeAnswer(answer))).toBe(answer)
    },
  )

  it('of a code to come is a failure, and of another version none', () => {
    expect(decodeAnswer(Buffer.from([1, 200]))).toBe('failed')
    expect(decodeAnswer(Buffer.from([2, 0]))).toBeUndefined()
    expect(decodeAnswer(Buffer.from([1]))).toBeUndefined()
  })
})

describe('a greeting', () => {
  const nonce = randomBytes(32)

  it('comes back as it was', () => {
    for (const hasToken of [true, false]) {
      const { hasToken: has, nonce: came } = decodeGreeting(encodeGreeting({ hasToken, nonce }))!
      expect(has).toBe(hasToken)
      expect(Buffer.from(came).equals(nonce)).toBe(true)
    }
  })

  it('is none with any byte before the nonce changed, or of another length', () => {
    const bytes = encodeGreeting({ hasToken: false, nonce })
    for (let at = 0; at < 10; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 0x80
      expect(decodeGreeting(changed)).toBeUndefined()
    }
    expect(decodeGreeting(bytes.subarray(1))).toBeUndefined()
  })

  it('is proved by a token for one side of one session', () => {
    const [token, other, a, b] = Array.from({ length: 4 }, () => randomBytes(32))
    const proof = proofOf(token!, 'client', a!, b!)
    expect(isProof(proof, proofOf(token!, 'client', a!, b!))).toBe(true)
    for (const wrong of [
      proofOf(other!, 'client', a!, b!),
      proofOf(token!, 'server', a!, b!),
      proofOf(token!, 'client', b!, a!),
      proofOf(token!, 'client', a!, other!),
      Buffer.alloc(0),
    ])
      expect(isProof(wrong, proof)).toBe(false)
  })
})
