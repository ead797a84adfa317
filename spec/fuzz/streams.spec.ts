// SPDX-License-Identifier: Apache-2.0
/** What strangers may send to serve, forward and socks: requests, answers, greetings, handshakes of proxies. */
import { describe, expect, it } from 'vitest'
import { placeOf } from '../../lib/cli/streams/allow-list.js'
import { decodeGreeting, encodeGreeting } from '../../lib/cli/streams/greeting.js'
import { parseHost } from '../../lib/cli/streams/host.js'
import { ProxyRefusal } from '../../lib/cli/streams/proxy-handshake.js'
import { ProxyReader } from '../../lib/cli/streams/proxy-reader.js'
import {
  decodeAnswer,
  decodeRequestHead,
  encodeRequest,
  REQUEST_HEAD_BYTES,
} from '../../lib/cli/streams/stream-request.js'
import { packetOf } from '../../lib/cli/udp/flow-hub.js'
import { decodeSocksPacket, encodeSocksHead } from '../../lib/cli/udp/socks-packet.js'
import type { SeededRandom } from '../../lib/testing/seeded-random.js'
import { damaged, fuzzSource, pieces } from '../support/fuzz.js'

const login = (user: string, password: string): boolean => user === 'u' && password === 'p'

const SOCKS = Buffer.from('05010005010003036162630050', 'hex')
const SOCKS_UDP = Buffer.from('05010005030001000000000000', 'hex')
const SOCKS_LOGIN = Buffer.from('050200020101750170050100017f0000010050', 'hex')
const HTTP = Buffer.from('CONNECT a.example:443 HTTP/1.1\r\nProxy-Authorization: Basic dTpw\r\nX: y\r\n\r\n')

function handshake(random: SeededRandom): Buffer {
  const tail = Buffer.from(random.bytes(random.integer(0, 30)))
  if (random.integer(0, 9) === 0) return tail
  return damaged(random, Buffer.concat([random.pick([SOCKS, SOCKS_UDP, SOCKS_LOGIN, HTTP]), tail]))
}

/** All that a reader says and takes, as text. */
function digest(feed: Iterable<Buffer>, wantsLogin: boolean): string {
  const reader = new ProxyReader(wantsLogin ? login : undefined)
  let said = Buffer.alloc(0)
  let behind = Buffer.alloc(0)
  try {
    for (const chunk of feed)
      if (reader.request === undefined) said = Buffer.concat([said, reader.push(Buffer.from(chunk))])
      else behind = Buffer.concat([behind, chunk])
  } catch (error) {
    if (!(error instanceof ProxyRefusal)) throw error
    return `refused: ${error.message}: ${Buffer.concat([said, error.answer]).toString('hex')}`
  }
  const { request } = reader
  if (request === undefined) return `waits: ${said.toString('hex')}`
  const rest = Buffer.concat([reader.rest, behind]).toString('hex')
  return `${request.protocol} ${request.host} ${request.port} ${said.toString('hex')} ${rest}`
}

describe('the handshake of a proxy', () => {
  it('given anything, makes the same of it in whatever pieces it comes', () => {
    const { random, inputs } = fuzzSource('proxy handshake', 30_000)
    const seen = { requests: 0, refusals: 0, waits: 0 }
    for (let n = 0; n < inputs; n++) {
      const bytes = handshake(random)
      const wantsLogin = random.integer(0, 1) === 0
      const whole = digest([bytes], wantsLogin)
      expect(digest(pieces(random, bytes), wantsLogin)).toBe(whole)
      if (whole.startsWith('refused')) seen.refusals++
      else if (whole.startsWith('waits')) seen.waits++
      else seen.requests++
    }
    console.info(seen)
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(inputs / 50)
  }, 60_000)
})

describe('a packet of UDP', () => {
  it('given anything, comes out as it went in, or is none', () => {
    const { random, inputs } = fuzzSource('packets', 30_000)
    let packets = 0
    for (let n = 0; n < inputs; n++) {
      const host = random.pick(['a.example', 'fd00::1', '10.0.0.1', 'x'.repeat(255)])
      const head = encodeSocksHead({ host, port: random.integer(0, 65_535) })
      const bytes = damaged(random, Buffer.concat([head, random.bytes(random.integer(0, 30))]))
      packetOf(bytes)
      const decoded = decodeSocksPacket(bytes)
      if (decoded === undefined) continue
      packets++
      const { payload, ...place } = decoded
      expect(bytes.subarray(bytes.length - payload.length).equals(payload)).toBe(true)
      if (placeOf(place.host, place.port) !== undefined)
        expect(decodeSocksPacket(encodeSocksHead(place))).toMatchObject({ port: place.port })
    }
    expect(packets).toBeGreaterThan(inputs / 3)
  }, 60_000)
})

describe('a request', () => {
  it('given anything, is what its bytes say, or none; its host is a place, or none', () => {
    const { random, inputs } = fuzzSource('stream request', 30_000)
    for (let n = 0; n < inputs; n++) {
      const host = random.pick(['a.example', '::1', '10.0.0.1', '::ffff:127.0.0.1', 'x'.repeat(255)])
      const request = { kind: 'connect', host, port: random.integer(1, 65_535) } as const
      const bytes = damaged(random, encodeRequest(request))
      const head = decodeRequestHead(bytes.subarray(0, REQUEST_HEAD_BYTES))
      decodeAnswer(bytes)
      if (head === undefined) continue
      const name = bytes.toString('latin1', REQUEST_HEAD_BYTES, REQUEST_HEAD_BYTES + head.hostBytes)
      const place = placeOf(name, head.port)
      // Canonical places stay what they are.
      if (place !== undefined) expect(parseHost(place.host)).toBe(place.host)
      if (head.kind !== 'service' && name.length === head.hostBytes)
        expect(encodeRequest({ kind: head.kind, host: 'h', port: head.port })[1]).toBe(bytes[1])
    }
  }, 60_000)
})

describe('a greeting', () => {
  it('given anything, is one of ours, or none', () => {
    const { random, inputs } = fuzzSource('greeting', 30_000)
    for (let n = 0; n < inputs; n++) {
      const bytes = damaged(
        random,
        encodeGreeting({ hasToken: random.integer(0, 1) === 1, nonce: random.bytes(32) }),
      )
      const greeting = decodeGreeting(bytes)
      if (greeting !== undefined) expect(encodeGreeting(greeting).equals(bytes)).toBe(true)
    }
  }, 60_000)
})
