// SPDX-License-Identifier: Apache-2.0
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { AcceptQueue } from '../../lib/stream/accept-queue.js'
import { ReadEnd } from '../../lib/stream/read-end.js'
import { takeListenersOff } from '../support/outside.js'

class Conn extends PassThrough {
  readonly readEnd = new ReadEnd(this)
}

describe('connections that nobody has accepted', () => {
  it('do not count any more once they are destroyed, whatever listeners were taken away', async () => {
    const queue = new AcceptQueue<Conn>(() => new Error('closed'))
    const conns = [new Conn(), new Conn(), new Conn()]
    for (const conn of conns) {
      queue.put(conn)
      takeListenersOff(conn)
    }
    conns[0]!.destroy()
    expect(queue.length).toBe(2)
    conns[1]!.destroy()
    expect(await queue.take(undefined)).toBe(conns[2])
    expect([queue.length, queue.next()]).toEqual([0, undefined])
  })

  it('leave no listener of ours on those who are accepted', async () => {
    const queue = new AcceptQueue<Conn>(() => new Error('closed'))
    const conn = new Conn()
    const countsOf = (): number[] => ['close', 'error'].map((name) => conn.listenerCount(name))
    const before = countsOf()
    queue.put(conn)
    await queue.take(undefined)
    expect(countsOf()).toEqual(before)
  })
})
