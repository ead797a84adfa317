// SPDX-License-Identifier: Apache-2.0
/** Captures what the Go peer really sends: the content of vectors/*.json. */
import { createHash } from 'node:crypto'
import type { GoPeer } from './go-peer.js'
import {
  PING,
  PONG,
  RawListener,
  RawPeer,
  ackFrame,
  dataFrame,
  hello,
  varint,
  type RawFrame,
} from './raw-peer.js'

const SOURCE = 'Go, github.com/getlantern/multipath v0.0.0-20230510135141-717ed305ef50'
const CID = Buffer.from('0123456789abcdeffedcba9876543210', 'hex')
const FIRST_FN = 10
/** Where the length of a varint changes, and what the suite writes. */
const SIZES = [1, 63, 64, 1400, 16_383, 16_384, 65_536, 1_048_575, 1_048_576]
/** Where the length of a frame number changes; reached by frames of one byte between. */
const NUMBERS = [63, 64, 16_383, 16_384]
/** Frames up to this many bytes are stored whole, larger ones as head and SHA-256. */
const WHOLE_UP_TO = 2048

/** The payload of a captured data frame: byte `i` is `i` modulo 251. */
function pattern(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => i % 251))
}

function dataVector(frame: RawFrame): Record<string, unknown> {
  const headBytes = varint(frame.size).length + varint(frame.fn).length
  return {
    fn: frame.fn,
    payloadBytes: frame.size,
    head: frame.wire.subarray(0, headBytes).toString('hex'),
    sha256: createHash('sha256').update(frame.wire).digest('hex'),
    ...(frame.wire.length <= WHOLE_UP_TO ? { wire: frame.wire.toString('hex') } : {}),
  }
}

/** Go dials with one path, we are the listener: data frames of all sizes and numbers. */
async function captureData(go: GoPeer): Promise<object> {
  const listener = await RawListener.open()
  const dialing = (await go.dialer([listener.address])).dial()
  const raw = await listener.accept()
  await raw.take(17)
  raw.send(hello(CID))
  const conn = await dialing
  const frames: unknown[] = []
  let fn = FIRST_FN
  const capture = async (size: number): Promise<void> => {
    const [frame] = await Promise.all([raw.takeData(fn), conn.write(pattern(size))])
    frames.push(dataVector(frame))
    fn++
  }
  for (const size of SIZES) await capture(size)
  for (const number of NUMBERS) {
    const skipped = number - fn
    if (skipped > 0)
      await Promise.all([conn.send({ bytes: skipped, seed: 1, sizes: [1] }), raw.takeData(number - 1)])
    fn = number
    await capture(5)
  }
  raw.close()
  listener.close()
  return { payload: 'byte i is i modulo 251', frames }
}

/** Go dials with two paths: the hello of the first subflow and of the join, and what follows each. */
async function captureDialler(go: GoPeer): Promise<Record<string, string>> {
  const listener = await RawListener.open()
  const dialing = (await go.dialer([listener.address, listener.address])).dial()
  const first = await listener.accept()
  const firstHello = await first.take(17)
  first.send(hello(CID))
  await dialing
  const second = await listener.accept()
  const joinHello = await second.take(17)
  second.send(hello(CID))
  const afterHello = await first.take(4)
  const afterJoin = await second.take(4)
  first.send(PING)
  const answerToPing = await first.take(2)
  first.close()
  second.close()
  listener.close()
  return hexOf({ firstHello, joinHello, afterHello, afterJoin, answerToPing })
}

/** We dial a Go listener: its answers to hellos, and acks. */
async function captureListener(go: GoPeer): Promise<{ hellos: Record<string, string>; acks: unknown[] }> {
  const listener = await go.listen(1)
  const first = await RawPeer.dial(listener.addrs[0]!)
  first.send(hello())
  const firstAnswer = await first.take(17)
  first.send(PONG)
  const conn = await listener.accept()
  const afterAnswer = await first.take(2)
  // Not before: Go's ping and its answer to ours leave in either order.
  first.send(PING)
  const answerToPing = await first.take(2)
  const second = await RawPeer.dial(listener.addrs[0]!)
  second.send(firstAnswer)
  const joinAnswer = await second.take(17)
  const received = conn.receive({ seed: 1 })
  const acks = await captureAcks(first)
  first.close()
  second.close()
  await received
  await listener.close()
  return { hellos: hexOf({ firstAnswer, joinAnswer, afterAnswer, answerToPing }), acks }
}

async function captureAcks(raw: RawPeer): Promise<unknown[]> {
  const acks: unknown[] = []
  const wanted = [FIRST_FN, ...NUMBERS]
  for (let fn = FIRST_FN; fn <= NUMBERS.at(-1)!; fn++) {
    raw.send(dataFrame(fn, Buffer.of(fn & 0xff)))
    const ack = await raw.takeControl(fn)
    if (wanted.includes(fn)) acks.push({ fn, wire: ack.wire.toString('hex') })
  }
  raw.send(dataFrame(FIRST_FN, Buffer.of(FIRST_FN)))
  const again = await raw.takeControl(FIRST_FN)
  acks.push({ fn: FIRST_FN, wire: again.wire.toString('hex'), note: 'the same frame came a second time' })
  return acks
}

/** A whole short session, frame by frame in the order in which they passed: Go dials, both speak, Go closes. */
async function captureSession(go: GoPeer): Promise<object> {
  const steps: Array<{ from: 'go' | 'us'; wire: string; is: string }> = []
  const listener = await RawListener.open()
  const dialing = (await go.dialer([listener.address])).dial()
  const raw = await listener.accept()
  const fromGo = (wire: Buffer, is: string): number =>
    steps.push({ from: 'go', wire: wire.toString('hex'), is })
  const fromUs = (wire: Buffer, is: string): void => {
    raw.send(wire)
    steps.push({ from: 'us', wire: wire.toString('hex'), is })
  }
  fromGo(await raw.take(17), 'hello')
  fromUs(hello(CID), 'hello')
  const conn = await dialing
  fromGo((await raw.takeFrame()).wire, 'pong')
  fromGo((await raw.takeFrame()).wire, 'ping')
  fromUs(PING, 'ping')
  fromGo((await raw.takeFrame()).wire, 'pong')
  fromUs(PONG, 'pong')
  for (const [i, text] of ['hello', ' ', 'world'].entries()) {
    await conn.write(Buffer.from(text))
    fromGo((await raw.takeFrame()).wire, `data ${FIRST_FN + i}`)
    fromUs(ackFrame(FIRST_FN + i), `ack ${FIRST_FN + i}`)
  }
  const reading = conn.receive({ bytes: 9, seed: 1 })
  fromUs(dataFrame(FIRST_FN, Buffer.from('goodbye')), 'data 10')
  fromGo((await raw.takeFrame()).wire, 'ack 10')
  fromUs(dataFrame(FIRST_FN + 1, Buffer.from(', ')), 'data 11')
  fromGo((await raw.takeFrame()).wire, 'ack 11')
  await reading
  await conn.close()
  await raw.ended()
  raw.close()
  listener.close()
  return { cid: CID.toString('hex'), steps }
}

function hexOf(captured: Record<string, Buffer>): Record<string, string> {
  return Object.fromEntries(Object.entries(captured).map(([name, bytes]) => [name, bytes.toString('hex')]))
}

/** Each vector file by its name without `.json`. */
export async function captureVectors(go: GoPeer): Promise<Record<string, object>> {
  const { hellos, acks } = await captureListener(go)
  const files = {
    hello: { cid: CID.toString('hex'), dialler: await captureDialler(go), listener: hellos },
    acks: { acks },
    'data-frames': await captureData(go),
    session: await captureSession(go),
  }
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [name, { source: SOURCE, ...content }]),
  )
}
