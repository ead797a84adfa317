/** What is read of the streams of a connection, and when. */
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { HOLD, SubflowIo } from '../../lib/conn/subflow-io.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryStream } from '../support/memory-path.js'
import { connectedPair, readBytes } from '../support/pair.js'
import { pass } from '../support/pass.js'
import { quiet, until } from '../support/turns.js'

const HELLO = Buffer.alloc(17)
/** 8,192 pings. */
const PINGS = Buffer.alloc(16_384)

it('reads a stream only once all who wanted it unread want it read', () => {
  const stream = new PassThrough()
  const io = new SubflowIo(stream, { onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
  expect(stream.isPaused()).toBe(false)
  io.hold(HOLD.reader)
  io.hold(HOLD.waste)
  io.release(HOLD.reader)
  expect(stream.isPaused()).toBe(true)
  io.release(HOLD.waste)
  expect(stream.isPaused()).toBe(false)
})

it('reads no more of a flood of pings than is allowed, answers those, and serves others meanwhile', async () => {
  const clock = new ManualClock()
  const options = { clock, maxWasteBytesPerSecond: 262_144 }
  const {
    near: friend,
    far: served,
    listener,
    paths,
  } = await connectedPair({ dialer: { clock }, listener: options })
  served.pipe(served)

  const [flood, far] = MemoryStream.pair()
  let pongs = 0
  flood.on('data', (bytes: Buffer) => (pongs += bytes.length / 2))
  paths[0]!.server.emit('connection', far)
  flood.write(HELLO)
  const conn = await listener.accept()
  for (let n = 0; n < 20; n++) flood.write(PINGS)
  await until(() => far.isPaused())
  await quiet()
  const answered = pongs
  // 16,384 are free; what one read brings beyond that takes two seconds to be paid for.
  expect(answered).toBeGreaterThanOrEqual(16_384)
  expect(answered).toBeLessThan(4 * 8192)
  friend.write('still here?')
  expect(String(await readBytes(friend, 11))).toBe('still here?')
  await pass(clock, 1900, 100)
  expect(pongs).toBe(answered)
  await pass(clock, 300, 100)
  expect(pongs).toBeGreaterThan(answered)
  expect(conn.subflows()).toMatchObject([{ state: 'up' }])
  conn.destroy()
  flood.destroy()
})
