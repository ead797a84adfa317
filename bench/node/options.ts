// SPDX-License-Identifier: Apache-2.0
/**
 * The command line of the bench workers: the same for this one and for bench/go, so that the harness can
 * pair any dialler with any listener. What is ours alone comes last, and the Go worker does not know it.
 */
import { parseArgs } from 'node:util'
import type { PathPolicy } from 'multipath-net'

export interface WorkerOptions {
  readonly role: 'serve' | 'dial'
  /** multipath: this library. plain: node:net, a connection of its own for each address. */
  readonly kind: 'multipath' | 'plain'
  /** serve: sink, echo, messages, call, dials. dial: bulk, offered, echo, messages, call, dials, hold, many. */
  readonly mode: string
  readonly paths: readonly PathAddress[]
  /** Bytes in each write. */
  readonly size: number
  /** Bytes of each message of the mode messages, taken in turn; at least 12. */
  readonly sizes: readonly number[]
  /** How many connections. */
  readonly count: number
  readonly seconds: number
  /** Milliseconds between messages; 0 waits for each echo. */
  readonly every: number
  /** Milliseconds between the connection and its first byte. */
  readonly settle: number
  /** Milliseconds between lines of statistics; 0 prints none. */
  readonly statsEvery: number
  /** Mbit/s of the mode offered. */
  readonly offered: number
  /** Of multipath alone: a scheduler's name; empty for the default. */
  readonly scheduler: string
  /** Milliseconds until the next scheduler takes over, in turn; 0 keeps the one. */
  readonly switchEvery: number
  /** One for each path, or none. */
  readonly policies: readonly PathPolicy[]
  /** Whether to say `flushed` when all that was written is acked. */
  readonly flush: boolean
  /** A file for the library's own trace; empty for none. */
  readonly trace: string
  /** What carries the paths: tcp, tls, ws or wss. */
  readonly over: Carrier
  /** Whether what is opened are streams of one mux session over one connection. */
  readonly mux: boolean
  /** serve: PEM of the server over TLS. */
  readonly cert: string
  readonly key: string
}

export type Carrier = 'tcp' | 'tls' | 'ws' | 'wss'

export interface PathAddress {
  readonly host: string
  readonly port: number
  readonly localAddress?: string
}

function pathsOf(addrs: string, locals: string): PathAddress[] {
  const from = locals === '' ? [] : locals.split(',')
  return addrs.split(',').map((addr, i) => {
    const colon = addr.lastIndexOf(':')
    const local = from[i]
    const path = { host: addr.slice(0, colon), port: Number(addr.slice(colon + 1)) }
    return local === undefined ? path : { ...path, localAddress: local }
  })
}

const text = (value: string) => ({ type: 'string', default: value }) as const

export function workerOptions(argv: readonly string[]): WorkerOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      kind: text('multipath'),
      mode: text('sink'),
      addrs: text('127.0.0.1:0'),
      locals: text(''),
      size: text('32768'),
      sizes: text('1000'),
      count: text('1'),
      seconds: text('2'),
      every: text('0'),
      settle: text('100'),
      'stats-every': text('0'),
      offered: text('10'),
      scheduler: text(''),
      'switch-every': text('0'),
      policies: text('[]'),
      flush: { type: 'boolean', default: false },
      trace: text(''),
      over: text('tcp'),
      mux: { type: 'boolean', default: false },
      cert: text(''),
      key: text(''),
    },
  })
  const { mode, scheduler, flush, trace, mux, cert, key } = values
  return {
    ...{ mode, scheduler, flush, trace, mux, cert, key },
    role: positionals[0] === 'dial' ? 'dial' : 'serve',
    kind: values.kind === 'plain' ? 'plain' : 'multipath',
    paths: pathsOf(values.addrs, values.locals),
    size: Number(values.size),
    sizes: values.sizes.split(',').map(Number),
    count: Number(values.count),
    seconds: Number(values.seconds),
    every: Number(values.every),
    settle: Number(values.settle),
    statsEvery: Number(values['stats-every']),
    offered: Number(values.offered),
    switchEvery: Number(values['switch-every']),
    policies: JSON.parse(values.policies) as PathPolicy[],
    over: values.over as Carrier,
  }
}
