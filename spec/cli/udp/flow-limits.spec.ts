// SPDX-License-Identifier: Apache-2.0
/** The limits of flows, in a time of the spec's own: when they end, how many there are, and what a refused one takes. */
import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Flow } from '../../../lib/cli/udp/flow.js'
import { FlowHub } from '../../../lib/cli/udp/flow-hub.js'
import { ServedFlows } from '../../../lib/cli/udp/serve-flow.js'
import type { Permission } from '../../../lib/cli/streams/dial-target.js'
import { Log } from '../../../lib/cli/streams/log.js'
import { answer, refuse, takeRequest } from '../../../lib/cli/streams/take-request.js'
import type { MultipathConn } from '../../../lib/index.js'
import type { MuxSession, MuxStream } from '../../../lib/mux/index.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'
import { sessions } from '../../support/mux.js'
import { quiet, until } from '../../support/turns.js'

/** Two minutes, and five seconds. */
const IDLE_MS = 120_000
const REFUSED_MS = 5000
const PLACE = { host: '127.0.0.1', port: 53 }
const REQUEST = { kind: 'udp', ...PLACE } as const

/** Two ends whose datagrams come at once. */
function hubs(): [FlowHub, FlowHub] {
  const ends = [new EventEmitter(), new EventEmitter()] as const
  const hub = (own: EventEmitter, other: EventEmitter): FlowHub => {
    const send = (message: Uint8Array): boolean => other.emit('data', Buffer.from(message))
    const datagrams = Object.assign(own, { send, destroyed: false, writable: true, isTaken: true })
    return new FlowHub({ datagrams: () => datagrams } as unknown as MultipathConn)
  }
  return [hub(ends[0], ends[1]), hub(ends[1], ends[0])]
}

/** What a command logs. */
function log(): { readonly lines: string[]; readonly log: Log } {
  const io = new FakeCliIo()
  return { lines: io.lines, log: new Log(io, { isJson: false, isVerbose: true }) }
}

/** A server that sends back what it gets. */
async function echo(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('message', (packet, { port, address }) => socket.send(packet, port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return socket
}

interface Pair {
  readonly flow: Flow
  readonly heard: string[]
  /** Whether each end is open. */
  readonly isOpen: { here: boolean; there: () => boolean }
  /** So many milliseconds without a packet. */
  readonly passes: (ms: number) => Promise<void>
}

/** A flow from a program here to a server, over a session in memory. */
async function flowPair(): Promise<Pair> {
  const server = await echo()
  const [near, far] = sessions(undefined, { keepAliveMs: Infinity, allowHalfOpen: true })
  const [ours, theirs] = hubs()
  const served = new ServedFlows({
    hub: () => theirs,
    permission: { mayAsk: () => true, mayDial: () => true },
    timeoutMs: 1000,
    resolve: () => Promise.reject(new Error('none')),
    log: log().log,
  })
  let there: MuxStream | undefined
  void far.accept().then(async (stream) => {
    there = stream
    await takeRequest(stream)
    await served.serve(stream, { host: '127.0.0.1', port: server.address().port }, 'echo')
  })
  const heard: string[] = []
  const isOpen = { here: true, there: () => there?.destroyed === false }
  const flow = new Flow({
    session: () => Promise.resolve(near),
    hubOf: () => ours,
    request: REQUEST,
    onPacket: (packet) => heard.push(packet.toString()),
    onOutcome: (outcome) => expect(outcome).toBe('ok'),
    onClose: () => (isOpen.here = false),
  })
  onTestFinished(() => {
    flow.close()
    served.close()
  })
  const passes = async (ms: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms)
    await quiet()
  }
  return { flow, heard, isOpen, passes }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a flow', () => {
  it('ends after two minutes without a packet, at both ends, and no sooner', async () => {
    const { flow, heard, isOpen, passes } = await flowPair()
    flow.send(Buffer.from('early'))
    await until(() => heard.length === 1)
    await passes(IDLE_MS - 1)
    expect([isOpen.here, isOpen.there()]).toEqual([true, true])
    flow.send(Buffer.from('late'))
    await until(() => heard.length === 2)
    expect(heard).toEqual(['early', 'late'])
    await passes(IDLE_MS - 1)
    expect([isOpen.here, isOpen.there()]).toEqual([true, true])
    await passes(1)
    await until(() => !isOpen.there())
    expect(isOpen.here).toBe(false)
    // What is over takes nothing any more.
    flow.send(Buffer.from('too late'))
    expect(flow.bytesRead).toBe('earlylate'.length)
  })

  it('ends with its other end, which may have been without a packet for longer', async () => {
    const { flow, heard, isOpen, passes } = await flowPair()
    flow.send(Buffer.from('x'))
    await until(() => heard.length === 1)
    flow.close()
    await until(() => !isOpen.there())
    await passes(0)
    expect(isOpen.here).toBe(false)
  })

  it('that is refused drops its packets for five seconds, so that it does not ask for each', async () => {
    const [near, far] = sessions(undefined, { keepAliveMs: Infinity, allowHalfOpen: true })
    let asked = 0
    void far.accept().then(async (stream) => {
      asked++
      await takeRequest(stream)
      refuse(stream, 'not-allowed')
    })
    const seen: string[] = []
    const flow = new Flow({
      session: () => Promise.resolve(near),
      hubOf: () => hubs()[0],
      request: REQUEST,
      onPacket: () => expect.unreachable(),
      onOutcome: (outcome) => seen.push(outcome),
      onClose: () => seen.push('closed'),
    })
    await until(() => seen.length === 1)
    for (let n = 0; n < 10; n++) flow.send(Buffer.from('again'))
    await vi.advanceTimersByTimeAsync(REFUSED_MS - 1)
    expect([seen, asked]).toEqual([['not-allowed'], 1])
    await vi.advanceTimersByTimeAsync(1)
    expect(seen).toEqual(['not-allowed', 'closed'])
  })

  it('keeps 64 KiB of packets until there is an answer, and no more', async () => {
    let open: (session: MuxSession) => void = () => {}
    const [near, far] = sessions(undefined, { keepAliveMs: Infinity, allowHalfOpen: true })
    const flow = new Flow({
      session: () => new Promise((resolve) => (open = resolve)),
      hubOf: () => hubs()[0],
      request: REQUEST,
      onPacket: () => expect.unreachable(),
      onOutcome: () => {},
      onClose: () => {},
    })
    onTestFinished(() => {
      flow.close()
    })
    for (let n = 0; n < 100; n++) flow.send(Buffer.alloc(1000))
    await turn()
    open(near)
    const stream = await far.accept()
    await takeRequest(stream)
    await quiet()
    // Each behind its length, a number of two bytes.
    expect(stream.readableLength).toBe(Math.floor(65_536 / 1002) * 1002)
    answer(stream, 'ok')
  })
})

describe('the flows of a session', () => {
  it('are 1,024 at a time, those included whose targets are being looked up', async () => {
    const { lines, log: ofServe } = log()
    const served = new ServedFlows({
      hub: () => expect.unreachable(),
      permission: { mayAsk: () => true } as unknown as Permission,
      timeoutMs: 10_000,
      resolve: () => new Promise(() => {}),
      log: ofServe,
    })
    const place = { host: 'pending.example', port: 53 }
    const streams = Array.from({ length: 1024 }, () => asStream(new PassThrough()))
    const serving = streams.map((stream) => served.serve(stream, place, 'udp pending.example:53'))
    const [further, next] = [asStream(new PassThrough()), asStream(new PassThrough())]
    await served.serve(further, place, 'udp pending.example:53')
    expect(lines).toEqual([expect.stringContaining('1024 flows are open')])
    expect(further.destroyed || further.writableEnded).toBe(true)
    // One that has ended makes room.
    streams[0]!.destroy()
    await once(streams[0]!, 'close')
    void served.serve(next, place, 'udp pending.example:53')
    expect([next.writableEnded, next.destroyed]).toEqual([false, false])
    served.close()
    for (const stream of [further, next]) stream.destroy()
    await Promise.all(serving)
  })
})

/** A stream without a session. */
function asStream(stream: PassThrough): MuxStream {
  return stream as unknown as MuxStream
}
