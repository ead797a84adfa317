// SPDX-License-Identifier: Apache-2.0
import { getEventListeners, on, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Emitter } from '../../lib/stream/emitter.js'

interface Events {
  told: [text: string]
}

describe('an emitter', () => {
  it('calls a prepended listener first, however many there are', () => {
    const emitter = new Emitter<Events>()
    const calls: string[] = []
    emitter.prependListener('told', () => calls.push('alone'))
    emitter.prependListener('told', () => calls.push('second'))
    emitter.on('told', () => calls.push('last'))
    emitter.prependOnceListener('told', () => calls.push('once'))
    emitter.emit('told', '')
    emitter.emit('told', '')
    expect(calls).toEqual(['once', 'second', 'alone', 'last', 'second', 'alone', 'last'])
  })

  it('calls each listener once while one of them prepends another', () => {
    const emitter = new Emitter<Events>()
    const calls: string[] = []
    emitter.on('told', () => {
      calls.push('first')
      emitter.prependListener('told', () => calls.push('new'))
    })
    emitter.on('told', () => calls.push('last'))
    emitter.emit('told', '')
    expect(calls).toEqual(['first', 'last'])
  })

  it('can be awaited by the functions of node:events', async () => {
    const emitter = new Emitter<Events>()
    const awaited = once(emitter, 'told')
    const told = on(emitter, 'told')
    emitter.emit('told', 'a')
    expect(await awaited).toEqual(['a'])
    expect((await told.next()).value).toEqual(['a'])
    await told.return?.()
    expect(getEventListeners(emitter, 'told')).toEqual([])
  })

  it('takes any number of listeners, and has them unwrapped', () => {
    const emitter = new Emitter<Events>()
    const listener = (): void => {}
    emitter.setMaxListeners(1).once('told', listener)
    expect(emitter.getMaxListeners()).toBe(Infinity)
    expect(emitter.rawListeners('told')).toEqual([listener])
  })
})
