// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { patternAt, PatternChecker } from '../support/pattern.js'

function open(options: LinkOptions = {}) {
  const network = new SimulatedNetwork()
  const link = network.link(options)
  const [near, far] = link.open()
  return { clock: network.clock, link, near, far }
}

async function collect(stream: Duplex, checker = new PatternChecker(1)): Promise<PatternChecker> {
  for await (const chunk of stream) checker.add(chunk as Buffer)
  return checker
}

describe('a stream over a simulated link', () => {
  it('carries what is written, and the end', async () => {
    const { clock, near, far } = open()
    near.end(patternAt(1, 0, 1_000_000))
    const got = await clock.until(collect(far))
    expect(got).toMatchObject({ bytes: 1_000_000, wrongAt: undefined })
  })

  it('pushes back on a writer whose reader does not read', async () => {
    const { clock, near, far } = open({ receiveBufferBytes: 100_000, sendBufferBytes: 100_000 })
    let taken = 0
    const feed = (): void => {
      while (taken < 2_000_000 && !near.writableNeedDrain) {
        near.write(patternAt(1, taken, 10_000))
        taken += 10_000
      }
      if (taken >= 2_000_000) near.end()
    }
    near.on('drain', feed)
    feed()
    await clock.run(10_000)
    expect(taken).toBeLessThan(400_000)
    const got = await clock.until(collect(far))
    expect(got).toMatchObject({ bytes: 2_000_000, wrongAt: undefined })
  })

  it('takes many chunks in one go', async () => {
    const { clock, near, far } = open()
    near.cork()
    for (let at = 0; at < 100; at++) near.write(patternAt(1, at * 1000, 1000))
    near.uncork()
    near.end()
    expect(await clock.until(collect(far))).toMatchObject({ bytes: 100_000, wrongAt: undefined })
  })

  it('fails with ECONNRESET at both ends when the link is cut', async () => {
    const { clock, link, near, far } = open()
    const codes: unknown[] = []
    for (const stream of [near, far])
      stream.on('error', (error) => codes.push((error as { code?: string }).code))
    near.write('hello')
    await clock.run(5)
    link.cut()
    await clock.run(5)
    expect(codes).toEqual(['ECONNRESET', 'ECONNRESET'])
  })

  it('has the other end see ECONNRESET after resetAndDestroy', async () => {
    const { clock, near, far } = open()
    const failed = new Promise<Error>((resolve) => far.once('error', resolve))
    near.resetAndDestroy()
    await expect(clock.until(failed)).resolves.toMatchObject({ code: 'ECONNRESET' })
    expect(near.destroyed).toBe(true)
  })

  it('still delivers what was written before destroy, then ends', async () => {
    const { clock, near, far } = open()
    near.setNoDelay(true)
    near.write(patternAt(1, 0, 1000))
    near.destroy()
    expect(await clock.until(collect(far))).toMatchObject({ bytes: 1000, wrongAt: undefined })
  })

  it('calls back a write that destroy cuts short', async () => {
    const { near } = open({ sendBufferBytes: 10, queueBytes: 1500 })
    near.on('error', () => {})
    const failed = new Promise<Error | null | undefined>((resolve) =>
      near.write(new Uint8Array(100_000), resolve),
    )
    near.destroy()
    await expect(failed).resolves.toBeInstanceOf(Error)
  })
})

describe('a dialer made of a link', () => {
  const signal = new AbortController().signal

  it('opens a stream after a round trip; its other end comes out of the server', async () => {
    const network = new SimulatedNetwork()
    const link = network.link({ delayMs: 25 })
    const accepted = new Promise<Duplex>((resolve) => link.server.once('connection', resolve))
    const near = await network.clock.until(link.dialer('a').dial({ signal }))
    expect(network.clock.now()).toBe(50)
    near.end('hello')
    const far = await network.clock.until(accepted)
    expect(network.clock.now()).toBe(75)
    const chunks: Buffer[] = []
    far.on('data', (chunk: Buffer) => chunks.push(chunk))
    await network.clock.run(100)
    expect(Buffer.concat(chunks).toString()).toBe('hello')
    expect(link.streams).toBe(0)
  })

  it('waits out a freeze, as TCP does', async () => {
    const network = new SimulatedNetwork()
    const link = network.link({ delayMs: 25 })
    link.freeze()
    const dialled = link.dialer('a').dial({ signal })
    await network.clock.run(2500)
    link.thaw()
    await network.clock.until(dialled)
    // Tries after 1,000 and 3,000 ms.
    expect(network.clock.now()).toBe(3050)
  })

  it('tries again where the link freezes under a dial', async () => {
    const network = new SimulatedNetwork()
    const link = network.link({ delayMs: 25 })
    const dialled = link.dialer('a').dial({ signal })
    await network.clock.run(10)
    link.freeze()
    await network.clock.run(100)
    link.thaw()
    await network.clock.until(dialled)
    expect(network.clock.now()).toBe(1100)
  })

  it('is refused while the link is cut, and served after', async () => {
    const network = new SimulatedNetwork()
    const link = network.link()
    link.cut()
    await expect(link.dialer('a').dial({ signal })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    link.restore()
    await expect(network.clock.until(link.dialer('a').dial({ signal }))).resolves.toBeDefined()
  })

  it('gives up when told to', async () => {
    const network = new SimulatedNetwork()
    const link = network.link()
    const abort = new AbortController()
    const dialled = link.dialer('a').dial({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(dialled).rejects.toThrow('enough')
    await expect(link.dialer('a').dial({ signal: abort.signal })).rejects.toThrow('enough')
    expect(network.clock.nextTimerAt).toBe(Infinity)
    expect(link.streams).toBe(0)
  })

  it('does not come to the server where the link is cut before it has arrived', async () => {
    const network = new SimulatedNetwork()
    const link = network.link({ delayMs: 25 })
    let came = 0
    link.server.on('connection', () => came++)
    const near = await network.clock.until(link.dialer('a').dial({ signal }))
    const failed = new Promise<unknown>((resolve) => near.once('error', resolve))
    link.cut()
    await expect(failed).resolves.toMatchObject({ code: 'ECONNRESET' })
    await network.clock.run(1000)
    expect(came).toBe(0)
  })
})
