// SPDX-License-Identifier: Apache-2.0
/** What the rules for schedulers notice that no scheduler can bring about. */
import { AssertionError } from 'node:assert'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { MultipathConn } from '../../lib/conn/multipath-conn.js'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import { Transfer } from '../../lib/testing/transfer.js'

const LINK = { rateMbps: 20, delayMs: 10 }

/** Sends 500,000 bytes, whose pieces the reader gets as `change` makes them. @returns what is noticed */
async function noticed(change: (piece: Buffer) => Buffer): Promise<string> {
  const push = MultipathConn.prototype.push
  const spy = vi.spyOn(MultipathConn.prototype, 'push').mockImplementation(function (
    this: MultipathConn,
    piece,
  ) {
    return push.call(this, piece === null ? null : change(piece as Buffer))
  })
  onTestFinished(() => {
    spy.mockRestore()
  })
  const transfer = new Transfer(lowestRtt, [LINK])
  await transfer.begin(500_000)
  const failure: unknown = await transfer.ends().then(
    () => new Error('nothing'),
    (error: unknown) => error,
  )
  await transfer.close()
  expect(failure).toBeInstanceOf(AssertionError)
  return (failure as Error).message
}

/** Does something else with the fifth piece. */
function fifth(change: (piece: Buffer) => Buffer): (piece: Buffer) => Buffer {
  let pieces = 0
  return (piece) => (++pieces === 5 ? change(piece) : piece)
}

describe('a transfer over simulated links', () => {
  it('notices a byte that is wrong', async () => {
    const message = await noticed(fifth((piece) => Buffer.concat([piece.subarray(0, -1), Buffer.of(0, 1)])))
    expect(message).toMatch(
      /^lowest-rtt over 20 Mbit\/s 10 ms: bytes are wrong or out of order from \d+ on, after/,
    )
  })

  it('notices bytes that are missing', async () => {
    const message = await noticed(fifth((piece) => piece.subarray(1)))
    expect(message).toContain('bytes are wrong or out of order from ')
  })

  it('notices an end that comes too early', async () => {
    let bytes = 0
    const message = await noticed((piece) => {
      bytes += piece.length
      return bytes === 500_000 ? piece.subarray(0, -1) : piece
    })
    expect(message).toContain(': ended early, after 499999 of 500000 bytes; no subflow is left')
  })

  it('finds nothing wrong with a connection that is in order', async () => {
    const transfer = new Transfer(lowestRtt, [LINK])
    await transfer.begin(500_000)
    await transfer.ends()
    expect(transfer.received).toBe(500_000)
    await transfer.close()
  })
})
