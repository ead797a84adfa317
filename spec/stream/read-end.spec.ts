// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { ReadEnd } from '../../lib/stream/read-end.js'
import { quiet } from '../support/turns.js'

function reader(): { stream: Readable; end: ReadEnd } {
  const stream = new Readable({ read() {} })
  return { stream, end: new ReadEnd(stream) }
}

describe('the end of what is read', () => {
  it('is told of without a reader where nothing is left to read', async () => {
    const { stream, end } = reader()
    end.come()
    await once(stream, 'end')
  })

  it('comes a turn behind the last bytes, so that some may be put back', async () => {
    const { stream, end } = reader()
    stream.resume()
    stream.once('data', (chunk: Buffer) => {
      stream.pause()
      void Promise.resolve().then(() => stream.unshift(chunk.subarray(5)))
    })
    stream.push('HEAD rest')
    end.come()
    await quiet(1)
    expect(await text(stream)).toBe('rest')
  })

  it('waits until somebody has the stream, who may listen first', async () => {
    const { stream, end } = reader()
    end.hold()
    end.come()
    await quiet()
    expect(stream.readableEnded).toBe(false)
    end.release()
    await Promise.resolve()
    await once(stream, 'end')
  })

  it('comes where it is late for its taker', async () => {
    const { stream, end } = reader()
    end.hold()
    end.release()
    await quiet()
    expect(stream.readableEnded).toBe(false)
    end.come()
    await once(stream, 'end')
  })

  it('is told of once, and not at all to a stream that is destroyed', async () => {
    const { stream, end } = reader()
    let ends = 0
    stream.on('end', () => ends++)
    end.come()
    end.release()
    end.come()
    await quiet()
    expect(ends).toBe(1)
    const gone = reader()
    gone.end.come()
    gone.stream.destroy()
    await quiet()
    expect(gone.stream.readableEnded).toBe(false)
  })
})
