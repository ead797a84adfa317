// SPDX-License-Identifier: Apache-2.0
/** Streams with unmodified hashicorp/yamux at the other end, in both roles, over TCP and over several paths. */
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { MuxStream } from '../lib/mux/index.js'
import { openMuxPair, type Below } from './support/go-mux.js'
import { receive, send } from './support/node-side.js'
import { describeWithGo } from './support/with-go.js'

const SEED = 20_260_401
const MIB = 1_048_576
const BELOWS: readonly Below[] = ['plain TCP', 'a multipath connection']
const CASES = BELOWS.flatMap((below) =>
  (['client', 'server'] as const).map((role) => ({
    below,
    role,
    node: role === 'client' ? 'server' : 'client',
  })),
)

function text(stream: MuxStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = ''
    stream.on('data', (chunk: Buffer) => (all += chunk.toString('latin1')))
    stream.once('end', () => {
      resolve(all)
    })
    stream.once('error', reject)
  })
}

describeWithGo('Mux', (go) => {
  describe.each(CASES)('over $below, Node as $node', ({ below, role }) => {
    it('has streams that Node opens echoed', async () => {
      await using pair = await openMuxPair(go(), below, { role })
      await pair.go.echo()
      const stream = pair.node.open({ allowHalfOpen: true })
      const back = receive(stream, { seed: SEED })
      await send(stream, { seed: SEED, bytes: 3 * MIB, sizes: [1, 1400, 65_536, 300_000] })
      stream.end()
      expect(await back).toMatchObject({ bytes: 3 * MIB, mismatchAt: -1, state: 'ended' })
      await expect.poll(() => pair.node.streams).toBe(0)
      await expect.poll(() => pair.go.streams()).toMatchObject({ streams: 0 })
    })

    it('has streams that Go opens echoed', async () => {
      await using pair = await openMuxPair(go(), below, { role }, { allowHalfOpen: true })
      pair.node.on('stream', (stream) => stream.pipe(stream))
      const stream = await pair.go.open()
      const back = stream.receive({ seed: SEED })
      await stream.send({ seed: SEED, bytes: 3 * MIB, sizes: [1, 1400, 65_536, 300_000] })
      await stream.finish()
      expect(await back).toMatchObject({ bytes: 3 * MIB, mismatchAt: -1, end: 'EOF' })
      await expect.poll(() => pair.node.streams).toBe(0)
      await expect.poll(() => pair.go.streams()).toMatchObject({ streams: 0 })
    })

    it('carries bulk both ways at once, with windows of any size', async () => {
      await using pair = await openMuxPair(go(), below, { role, windowBytes: MIB })
      const stream = pair.node.open({ allowHalfOpen: true })
      const other = await pair.go.accept()
      const [here, there] = [receive(stream, { seed: 1 }), other.receive({ seed: 2 })]
      const sent = send(stream, { seed: 2, bytes: 30 * MIB }).then(() => stream.end())
      await other.send({ seed: 1, bytes: 30 * MIB })
      await other.finish()
      await sent
      expect(await here).toMatchObject({ bytes: 30 * MIB, mismatchAt: -1, state: 'ended' })
      expect(await there).toMatchObject({ bytes: 30 * MIB, mismatchAt: -1, end: 'EOF' })
    })

    it('goes on in one direction when the other has ended', async () => {
      await using pair = await openMuxPair(go(), below, { role })
      const stream = pair.node.open({ allowHalfOpen: true })
      const other = await pair.go.accept()
      stream.end('question')
      expect(await other.receive({ seed: SEED })).toMatchObject({ bytes: 8, end: 'EOF' })
      await other.write(Buffer.from('a late answer'))
      await other.finish()
      expect(await text(stream)).toBe('a late answer')
    })

    it('resets a stream that Node gives up, and Go hears it', async () => {
      await using pair = await openMuxPair(go(), below, { role })
      const stream = pair.node.open()
      const other = await pair.go.accept()
      const end = other.receive({ seed: SEED })
      stream.resetAndDestroy()
      expect(await end).toMatchObject({ end: 'connection reset' })
      expect(await pair.node.ping()).toBeGreaterThan(0)
    })

    it('hears of a stream that Go resets, or refuses', async () => {
      await using pair = await openMuxPair(go(), below, { role, closeMs: 50 })
      const stream = pair.node.open({ allowHalfOpen: true })
      const other = await pair.go.accept()
      await other.finish()
      const [error] = (await once(stream.resume(), 'error')) as [Error]
      expect(error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_MUX_RESET' })
      await pair.go.goAway()
      if (pair.node.isOpen) await once(pair.node as never, 'goaway')
      expect(() => pair.node.open()).toThrow('accepts no more streams')
    })

    it('opens 100 streams at once, each with its own data', async () => {
      await using pair = await openMuxPair(go(), below, { role })
      await pair.go.echo()
      const sizes = Array.from({ length: 100 }, (_, index) => index * 3_000)
      const received = await Promise.all(
        sizes.map(async (bytes, seed) => {
          const stream = pair.node.open({ allowHalfOpen: true })
          const back = receive(stream, { seed })
          await send(stream, { seed, bytes })
          stream.end()
          return await back
        }),
      )
      expect(received.map(({ bytes }) => bytes)).toEqual(sizes)
      expect(received.filter(({ mismatchAt, state }) => mismatchAt !== -1 || state !== 'ended')).toEqual([])
      expect(pair.node.streams).toBe(0)
    })

    it('opens more streams at once than Go accepts at once', async () => {
      await using pair = await openMuxPair(go(), below, { role })
      const streams = Array.from({ length: 600 }, () => pair.node.open({ allowHalfOpen: true }))
      const answers = streams.map((stream, index) => {
        stream.end(`${index}`)
        return text(stream)
      })
      await pair.go.echo()
      expect(await Promise.all(answers)).toEqual(streams.map((_, index) => `${index}`))
    })

    it('answers pings, and measures its own', async () => {
      await using pair = await openMuxPair(go(), below, { role })
      expect(await pair.go.ping()).toBeGreaterThan(0)
      expect(await pair.node.ping()).toBeGreaterThan(0)
    })

    it('closes in order once its streams have ended, and Go sees it', async () => {
      await using pair = await openMuxPair(go(), below, { role }, { lingerMs: 2_000 })
      await pair.go.echo()
      const stream = pair.node.open({ allowHalfOpen: true })
      const back = text(stream)
      const closed = pair.node.close()
      stream.end('last words')
      expect(await back).toBe('last words')
      await closed
      await expect.poll(() => pair.go.streams()).toMatchObject({ streams: 0, closed: true })
    })

    it('loses no open stream silently when Go closes the session', async () => {
      await using pair = await openMuxPair(go(), below, { role })
      const stream = pair.node.open()
      await pair.go.accept()
      const failed = once(stream.resume(), 'error')
      await pair.go.close()
      expect((await failed)[0]).toMatchObject({ code: 'ERR_MULTIPATH_MUX_CLOSED' })
    })
  })
})
