/** The dialling worker: opens connections, does its mode's work on them, and says done. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { type BenchDialer, dialers } from './endpoints.js'
import { echoes } from './echoes.js'
import { nowMs, say } from './output.js'
import type { WorkerOptions } from './options.js'
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
  const [only] = conns
  const figures = options.mode === 'echo' && only ? await echoes(options, only) : await bulk(options, conns)
  say('done', { ...figures, ...watched() })
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

/** Writes on every connection for the given time; the end does not wait for what is on its way. */
async function bulk(options: WorkerOptions, conns: readonly Duplex[]): Promise<Record<string, unknown>> {
  const end = nowMs() + options.seconds * 1000
  const data = Buffer.alloc(options.size)
  let sent = 0
  for (const conn of conns) {
    const fill = (): void => {
      if (nowMs() >= end) return
      do sent += data.length
      while (conn.write(data) && nowMs() < end)
    }
    conn.on('drain', fill)
    fill()
  }
  await delay(end - nowMs())
  return { sent }
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
