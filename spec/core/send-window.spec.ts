// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { SendWindow } from '../../lib/core/send-window.js'
import { resolveOptions } from '../../lib/options.js'

const windowOf = (options: ConnOptions = {}): SendWindow =>
  new SendWindow(resolveOptions(CONN_OPTIONS, options))

let sendWindow: SendWindow
beforeEach(() => {
  sendWindow = windowOf()
})

/** Cuts frames of so many bytes. @returns their numbers */
function cut(...sizes: readonly number[]): number[] {
  return sizes.map((size) => sendWindow.add([new Uint8Array(size)]).fn)
}

function ack(...fns: readonly number[]): void {
  for (const fn of fns) sendWindow.acked(sendWindow.get(fn)!)
}

function share(...fns: readonly number[]): void {
  for (const fn of fns) sendWindow.share(sendWindow.get(fn)!)
}

describe('frames that are not acked', () => {
  it('are numbered in order from 10 on, header in front', () => {
    const frame = sendWindow.add([Buffer.from('hel'), Buffer.from('lo')])
    expect(frame).toMatchObject({ fn: 10, size: 5, sends: 0 })
    expect(Buffer.concat(frame.wire).toString('latin1')).toBe('\u0005\u000ahello')
    expect(cut(1, 1)).toEqual([11, 12])
    expect(sendWindow.get(10)).toBe(frame)
  })

  it('keep no payload once they are acked, though copies may still be under way', () => {
    cut(100)
    const frame = sendWindow.get(10)!
    ack(10)
    expect(frame.wire).toEqual([])
  })

  it('are counted with their bytes until they are acked', () => {
    cut(100, 20, 3)
    expect([sendWindow.count, sendWindow.bytes]).toEqual([3, 123])
    const frame = sendWindow.get(11)!
    ack(11)
    expect(sendWindow.get(frame.fn)).toBeUndefined()
    expect(sendWindow.get(11)).toBeUndefined()
    expect([sendWindow.count, sendWindow.bytes]).toEqual([2, 103])
  })

  it('have a lowest one, which moves on', () => {
    expect(sendWindow.lowest()).toBeUndefined()
    cut(1, 1, 1)
    ack(11)
    expect(sendWindow.lowest()?.fn).toBe(10)
    ack(10)
    expect(sendWindow.lowest()?.fn).toBe(12)
  })

  it('are forgotten when the connection is over', () => {
    share(...cut(5, 5))
    sendWindow.clear()
    expect([sendWindow.count, sendWindow.bytes, sendWindow.hasShared, sendWindow.isFull]).toEqual([
      0,
      0,
      false,
      false,
    ])
    expect(sendWindow.lowest()).toBeUndefined()
  })
})

describe('no more frames may be cut', () => {
  it('once so many bytes are on their way', () => {
    sendWindow = windowOf({ maxUnackedBytes: 65_536 })
    cut(65_535)
    expect(sendWindow.isFull).toBe(false)
    cut(1)
    expect(sendWindow.isFull).toBe(true)
    ack(11)
    expect(sendWindow.isFull).toBe(false)
  })

  it('once so many frames are', () => {
    sendWindow = windowOf({ maxUnackedFrames: 2 })
    cut(1)
    expect(sendWindow.isFull).toBe(false)
    cut(1)
    expect(sendWindow.isFull).toBe(true)
  })

  it('three quarters of what a Go receiver keeps beyond the lowest', () => {
    cut(1)
    for (let fn = 11; fn < 10 + 3071; fn++) ack(...cut(1))
    expect(sendWindow.isFull).toBe(false)
    ack(...cut(1))
    expect(sendWindow.isFull).toBe(true)
    ack(10)
    expect(sendWindow.isFull).toBe(false)
  })
})

describe('frames that every path is to carry', () => {
  it('are there until they are acked', () => {
    expect(sendWindow.hasShared).toBe(false)
    share(...cut(1))
    expect(sendWindow.hasShared).toBe(true)
    ack(10)
    expect(sendWindow.hasShared).toBe(false)
    expect(sendWindow.sharedFrom(0)).toBeUndefined()
  })

  it('come in order, and leave out what is acked or was never shared', () => {
    cut(1, 1, 1, 1, 1, 1)
    share(11, 12, 14)
    expect([0, 11, 12, 13, 14].map((from) => sendWindow.sharedFrom(from)?.fn)).toEqual([11, 11, 12, 14, 14])
    expect(sendWindow.sharedFrom(15)).toBeUndefined()
    ack(11, 14)
    expect([0, 12, 13].map((from) => sendWindow.sharedFrom(from)?.fn)).toEqual([12, 12, undefined])
  })
})
