// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run docs:picture`: draws docs/pictures/transfer.svg from a transfer over two loopback paths. One is cut on the way,
 * refuses every attempt to dial it again, and comes back. Fails where the bytes that arrive are not those that were sent.
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { MultipathConn } from 'multipath-net'
import { MultipathDialer, MultipathListener } from 'multipath-net'
import { area, FAINT, MUTED, picture, text, upright } from '../shared/svg.js'
import { PICTURES } from '../shared/places.js'
import { DemoPath } from './path.js'

const MB = 1_000_000
const PIECE_BYTES = 64 * 1024
const STEP_MS = 100
const SECONDS = 6
const CUT_AT = 2
const BACK_AT = 4
/** Megabytes a second. */
const RATES = { 'Wi-Fi': 6, LTE: 3 } as const
const COLOURS = ['#1f6feb', '#d4a72c']

interface Run {
  /** Megabytes a second of each path in each step. */
  readonly rates: readonly (readonly number[])[]
  readonly bytes: number
}

async function measure(): Promise<Run> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using listener = new MultipathListener([server])
  const { port } = server.address() as AddressInfo
  const paths = await Promise.all(
    Object.entries(RATES).map(([name, rate]) => DemoPath.open(name, port, rate * MB)),
  )
  const dialer = new MultipathDialer(
    'the other end',
    paths.map((path) => path.dialer),
  )
  const [sender, receiver] = await Promise.all([dialer.dial(), listener.accept()])
  const [sent, rates, received] = await Promise.all([send(sender), watch(paths), receive(receiver)])
  for (const path of paths) await path[Symbol.asyncDispose]()
  if (sent !== received) throw new Error('what arrived is not what was sent')
  return { rates, bytes: receiver.bytesRead }
}

/** @returns the hash of what was sent */
async function send(conn: MultipathConn): Promise<string> {
  const hash = createHash('sha256')
  const until = performance.now() + SECONDS * 1000
  while (performance.now() < until) {
    const piece = randomBytes(PIECE_BYTES)
    hash.update(piece)
    if (!conn.write(piece)) await once(conn, 'drain')
  }
  conn.end()
  return hash.digest('hex')
}

async function receive(conn: MultipathConn): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of conn) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Cuts the first path, brings it back, and takes the rates meanwhile. */
async function watch(paths: readonly DemoPath[]): Promise<number[][]> {
  const rates: number[][] = []
  let before = { at: performance.now(), bytes: paths.map((path) => path.bytes) }
  for (let step = 1; step <= (SECONDS * 1000) / STEP_MS; step++) {
    await delay(STEP_MS)
    const now = { at: performance.now(), bytes: paths.map((path) => path.bytes) }
    const seconds = (now.at - before.at) / 1000
    rates.push(now.bytes.map((bytes, i) => (bytes - before.bytes[i]!) / seconds / MB))
    before = now
    if (step * STEP_MS === CUT_AT * 1000) paths[0]!.cut()
    if (step * STEP_MS === BACK_AT * 1000) paths[0]!.restore()
  }
  return rates
}

const SIZE = { width: 760, height: 190, left: 70, right: 20, top: 54, bottom: 30 }

function draw({ rates, bytes }: Run): string {
  const { width, height, left, right, top, bottom } = SIZE
  const most = Math.max(...rates.map(([first = 0, second = 0]) => first + second))
  const ground = height - bottom
  const x = (second: number): number => left + (second / SECONDS) * (width - left - right)
  const y = (rate: number): number => ground - (rate / most) * (ground - top)
  const times = rates.map((_, i) => (i + 0.5) * (STEP_MS / 1000))
  const line = (of: (step: readonly number[]) => number): [number, number][] =>
    rates.map((step, i) => [x(times[i]!), y(of(step))])
  const lte = line((step) => step[1]!)
  const both = line((step) => step[0]! + step[1]!)
  const floor: [number, number][] = [
    [x(times.at(-1)!), ground],
    [x(times[0]!), ground],
  ]
  const title = `One connection over two uplinks: ${(bytes / MB).toFixed(0)} MB arrive complete and in order`
  return picture(width, height, `${title}, although Wi-Fi is cut for two seconds`, [
    text(left, 22, title, 'font-size="14" font-weight="bold"'),
    area([...both, ...floor], COLOURS[0]!),
    area([...lte, ...floor], COLOURS[1]!),
    ...[CUT_AT, BACK_AT].map((second) => upright(x(second), top - 12, ground, MUTED)),
    text(x(CUT_AT) + 5, top - 4, 'Wi-Fi is cut'),
    text(x(BACK_AT) + 5, top - 4, 'Wi-Fi is back'),
    text(left - 8, y(RATES.LTE / 2) + 4, 'LTE', 'text-anchor="end"'),
    text(left - 8, y(RATES.LTE + RATES['Wi-Fi'] / 2) + 4, 'Wi-Fi', 'text-anchor="end"'),
    upright(left, top, ground, FAINT),
    ...[0, 2, 4, 6].map((second) =>
      text(x(second), height - 10, `${second} s`, `text-anchor="middle" fill="${MUTED}"`),
    ),
    text(width - right, top - 4, `peak ${most.toFixed(1)} MB/s`, `text-anchor="end" fill="${MUTED}"`),
  ])
}

writeFileSync(`${PICTURES}transfer.svg`, draw(await measure()))
