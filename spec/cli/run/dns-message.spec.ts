// SPDX-License-Identifier: Apache-2.0
import { Resolver } from 'node:dns/promises'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Found } from '../../../lib/cli/run/dns-message.js'
import { answerQuery } from '../../../lib/cli/run/dns-message.js'
import { damaged, fuzzSource } from '../../support/fuzz.js'

const A = 1
const AAAA = 28
const MX = 15
const HTTPS = 65
const IPV6 = [0xfd, 0x6d, 0x70, 0x61, 0x74, 0x68, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]
const FOUND: Found = { ipv4: [198, 18, 1, 0], ipv6: IPV6 }

interface Query {
  readonly labels?: readonly string[]
  readonly type?: number
  readonly kind?: number
  readonly flags?: number
  readonly questions?: number
  readonly more?: Buffer
}

const words = (...values: number[]): Buffer =>
  Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]))

function query(options: Query = {}): Buffer {
  const { labels = ['web', 'example'], type = A, kind = 1, flags = 0x0100, questions = 1, more } = options
  return Buffer.concat([
    words(0xabcd, flags, questions, 0, 0, 0),
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
    words(type, kind),
    more ?? Buffer.alloc(0),
  ])
}

const answer = (options?: Query, found: Found | undefined = FOUND): Buffer =>
  answerQuery(query(options), () => found)!
const codeOf = (bytes: Buffer): number => bytes.readUInt16BE(2) & 15
const countOf = (bytes: Buffer): number => bytes.readUInt16BE(6)

describe('the answer to a query', () => {
  it('has its ID, its question and the IPv4 address of the name, for a minute', () => {
    const bytes = answer()
    expect(bytes.subarray(0, 12).toString('hex')).toBe('abcd81800001000100000000')
    expect(bytes.subarray(12, 29)).toEqual(query().subarray(12))
    expect(bytes.subarray(29).toString('hex')).toBe('c00c000100010000003c0004c6120100')
  })

  it('has the IPv6 address where that was asked for', () => {
    expect(answer({ type: AAAA }).subarray(-16)).toEqual(Buffer.from(IPV6))
  })

  it.each([
    ['an IPv6 address where there is no IPv6', { type: AAAA }, { ipv4: FOUND.ipv4 }],
    ['mail servers', { type: MX }, FOUND],
    ['parameters of HTTPS', { type: HTTPS }, FOUND],
  ])('is empty for %s: the name exists', (_, options, found) => {
    const bytes = answer(options, found)
    expect([codeOf(bytes), countOf(bytes)]).toEqual([0, 0])
  })

  it('asks for the name in its canonical form', () => {
    const asked: string[] = []
    answerQuery(query({ labels: ['WEB', 'Example'] }), (name) => {
      asked.push(name)
      return FOUND
    })
    expect(asked).toEqual(['web.example'])
  })

  it.each([
    ['a name that does not exist', {}, undefined],
    ['a name with a dot in a label', { labels: ['a.b'] }, FOUND],
    ['a name that no host has', { labels: ['a b'] }, FOUND],
    ['the root', { labels: [] }, FOUND],
    ['another class than that of the internet', { kind: 3 }, FOUND],
  ])('is that there is no such name for %s', (_, options, found) => {
    expect(codeOf(answerQuery(query(options), () => found)!)).toBe(3)
  })

  it.each<[string, Buffer]>([
    ['two questions', query({ questions: 2 })],
    ['no question', query({ questions: 0 })],
    ['a question that is cut short', query().subarray(0, -1)],
    ['a name that is a pointer', Buffer.concat([words(1, 0x0100, 1, 0, 0, 0, 0xc00c, 1, 1)])],
    ['a name of more than 255 bytes', query({ labels: Array.from({ length: 5 }, () => 'x'.repeat(63)) })],
  ])('is a format error for %s', (_, bytes) => {
    const refused = answerQuery(bytes, () => FOUND)!
    expect([codeOf(refused), refused.length]).toEqual([1, 12])
  })

  it('is that it is not implemented for anything but a query', () => {
    expect(codeOf(answer({ flags: 0x2800 }))).toBe(4)
  })

  it('is none to an answer, or to what is shorter than a head', () => {
    expect(answerQuery(query({ flags: 0x8180 }), () => FOUND)).toBeUndefined()
    expect(answerQuery(query().subarray(0, 11), () => FOUND)).toBeUndefined()
  })

  it('ignores what follows the question, as the options of EDNS', () => {
    const bytes = answer({ more: Buffer.from('0000291000000000000000', 'hex') })
    expect([codeOf(bytes), countOf(bytes), bytes.length]).toEqual([0, 1, 45])
  })
})

it('is understood by a resolver of others', async () => {
  const socket = createSocket('udp4', (bytes, { port, address }) =>
    socket.send(answerQuery(bytes, () => FOUND)!, port, address),
  )
  onTestFinished(() => void socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  expect(await resolver.resolve4('web.example', { ttl: true })).toEqual([{ address: '198.18.1.0', ttl: 60 }])
  expect(await resolver.resolve6('web.example')).toEqual(['fd6d:7061:7468::100'])
})

it('takes queries that are damaged in any way', () => {
  const { random, inputs } = fuzzSource('answerQuery', 5000)
  for (let at = 0; at < inputs; at++) {
    const bytes = damaged(random, query({ type: random.pick([A, AAAA, MX]) }))
    expect(answerQuery(bytes, () => FOUND)?.length ?? 0).toBeLessThanOrEqual(bytes.length + 28)
  }
})
