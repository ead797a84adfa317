// SPDX-License-Identifier: Apache-2.0
/** The dialling worker: opens connections, does its mode's work on them, and says done. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { bulk, offered } from './bulk.js'
import { call } from './call.js'
import { type BenchDialer, dialers } from './endpoints.js'
import { echoes } from './echoes.js'
import { messages } from './messages.js'
import { nowMs, say } from './output.js'
import type { WorkerOptions } from './options.js'
import { switchSchedulers } from './schedulers.js'
import { watch } from './watch.js'

/** How many connections are dialled at once. */
const AT_ONCE = 50

export async function dial(options: WorkerOptions): Promise<void> {
  const all = await dialers(options)
  const [first] = all
  if (options.mode === 'dials' && first) return dials(options, first)
  const conns = await open(options, all)
  const watched = watch(options, all, conns)
  say('connected', { connections: conns.length })
  await delay(options.settle)
  if (options.mode === 'hold') {
    say('done')
    return
  }
  say('start')
  switchSchedulers(conns, options.switchEvery)
  const figures = await work(options, conns)
  say('done', { ...figures, ...watched() })
  if (!options.flush) return
  await Promise.all(conns.map(async (conn) => (conn as WithFlushed).flushed?.()))
  say('flushed')
}

async function open(options: WorkerOptions, all: readonly BenchDialer[]): Promise<Duplex[]> {
  const conns: Duplex[] = []
  const wanted = options.count * all.length
  let next = 0
  const one = async (): Promise<void> => {
    while (next < wanted) {
      const at = next++
      const dialer = all[at % all.length]
      if (!dialer) return
      const conn = await dialer.dial()
      conn.on('error', (error) => say('failed', { message: String(error) }))
      conn.resume()
      conns[at] = conn
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return conns
}

function work(options: WorkerOptions, conns: readonly Duplex[]): Promise<object> {
  const [only] = conns
  if (options.mode === 'echo' && only) return echoes(options, only)
  if (options.mode === 'call' && only) return call(options, only)
  if (options.mode === 'messages' && only) return messages(options, only)
  if (options.mode === 'offered' && only) return offered(options, only)
  return bulk(options, conns)
}

interface WithFlushed {
  flushed?: () => Promise<void>
}

/** Opens and closes connections one after another. */
async function dials(options: WorkerOptions, dialer: BenchDialer): Promise<void> {
  say('start')
  const start = nowMs()
  let count = 0
  while (nowMs() - start < options.seconds * 1000) {
    const conn = await dialer.dial()
    conn.on('error', () => {})
    conn.destroy()
    count++
  }
  say('done', { dials: count, seconds: (nowMs() - start) / 1000 })
}
