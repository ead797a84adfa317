// SPDX-License-Identifier: Apache-2.0
/** What goes over a connection whatever carries it; each fails where a byte is missing or wrong, or comes twice. */
import { expect } from 'vitest'
import { echo, receive, send } from './node-side.js'
import { expectNothingHealed, type Pair } from './pair.js'

export interface Writes {
  readonly bytes: number
  readonly sizes: readonly number[]
  readonly seed: number
}

/** Go sends back what Node writes, with empty writes between. */
export async function echoByGo(pair: Pair, writes: Writes): Promise<void> {
  const { bytes, seed } = writes
  void pair.go.echo().catch(() => undefined)
  const [sent, back] = await Promise.all([
    send(pair.node, { ...writes, withEmpty: true }),
    receive(pair.node, { bytes, seed }),
  ])
  expect(back).toMatchObject({ bytes, mismatchAt: -1, sha256: sent.sha256, state: 'open' })
  expectNothingHealed(pair)
}

/** Node sends back what Go writes. */
export async function echoByNode(pair: Pair, writes: Writes): Promise<void> {
  const { bytes, seed } = writes
  echo(pair.node)
  const [sent, back] = await Promise.all([pair.go.send(writes), pair.go.receive({ bytes, seed })])
  expect(back).toMatchObject({ bytes, mismatchAt: -1, sha256: sent.sha256, end: '' })
  expectNothingHealed(pair)
}

const FROM_NODE = 1
const FROM_GO = 2
const SIZES = [65_536]
/** A Go reader that hashes more slowly than Node sends runs full now and then, and drops what is under way. */
export const DROPPED = 0.02

/** So many bytes each way at once. */
export async function bulkBothWays(pair: Pair, bytes: number): Promise<void> {
  const [atGo, atNode, fromNode, fromGo] = await Promise.all([
    pair.go.receive({ bytes, seed: FROM_NODE }),
    receive(pair.node, { bytes, seed: FROM_GO }),
    send(pair.node, { bytes, sizes: SIZES, seed: FROM_NODE }),
    pair.go.send({ bytes, sizes: SIZES, seed: FROM_GO }),
  ])
  expect(atGo).toMatchObject({ bytes, mismatchAt: -1, sha256: fromNode.sha256 })
  expect(atNode).toMatchObject({ bytes, mismatchAt: -1, sha256: fromGo.sha256 })
  expectNothingHealed(pair, DROPPED)
}
