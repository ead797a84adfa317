// SPDX-License-Identifier: Apache-2.0
/** What a Go dialer leaves behind when it closes while one of its joins is under way. */
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryStream } from '../support/memory-path.js'
import { meeting, upCount } from '../support/pair.js'
import { pass } from '../support/pass.js'
import { acks, data, PING, PONG } from '../support/scripted-core.js'

/** A subflow of a Go dialer: a hello, its answer, and pongs from then on. */
async function goDials(
  server: ReturnType<typeof meeting>['paths'][0]['server'],
  cid: Uint8Array = Buffer.alloc(16),
) {
  const [near, far] = MemoryStream.pair()
  near.on('error', () => {})
  const answered = once(near, 'data')
  server.emit('connection', far)
  near.write(Buffer.concat([Buffer.of(0), cid]))
  const [answer] = (await answered) as [Buffer]
  near.on('data', () => {
    if (near.writable) near.write(Buffer.from(acks(PONG)))
  })
  near.write(Buffer.from(acks(PONG, PING)))
  return { near, cid: answer.subarray(1, 17) }
}

async function scene() {
  const clock = new ManualClock()
  const { listener, paths } = meeting({ listener: { clock } })
  const { server } = paths[0]!
  const accepted = listener.accept()
  const first = await goDials(server)
  first.near.write(Buffer.from(data(10, 'all')))
  const conn = await accepted
  onTestFinished(() => {
    conn.on('error', () => {}).destroy()
  })
  return { clock, server, conn, first }
}

describe('a connection that a Go dialer has closed', () => {
  it('ends although a subflow has joined too late to be closed, and answers', async () => {
    const { clock, server, conn, first } = await scene()
    await pass(clock, 5000)
    const late = await goDials(server, first.cid)
    await pass(clock, 10)
    expect(upCount(conn)).toBe(2)
    // Quiet for as long as Go waits before it closes.
    await pass(clock, 50)
    first.near.end()
    const ended = once(conn.resume(), 'end')
    for (let n = 0; n < 20; n++) {
      late.near.write(Buffer.from(acks(PING)))
      await pass(clock, 100)
    }
    await ended
    expect(conn.errored).toBeNull()
  })

  it('is none where a path is cut, however young the others are, and whatever they bring', async () => {
    const { clock, server, conn, first } = await scene()
    await goDials(server, first.cid)
    await goDials(server, first.cid)
    await pass(clock, 100)
    first.near.resetAndDestroy()
    await pass(clock, 3000)
    expect(upCount(conn)).toBe(2)
  })

  it('is none where a subflow that has been there for long goes on, or one that is new brings data', async () => {
    const { clock, server, conn, first } = await scene()
    const second = await goDials(server, first.cid)
    await pass(clock, 5000)
    first.near.end()
    await pass(clock, 3000)
    expect(upCount(conn)).toBe(1)
    const third = await goDials(server, first.cid)
    await pass(clock, 50)
    second.near.end()
    await pass(clock, 100)
    third.near.write(Buffer.from(data(11, 'alive')))
    await pass(clock, 3000)
    expect(upCount(conn)).toBe(1)
  })
})
