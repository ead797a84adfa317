// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run bench:speed`: what `multipath speed` and `multipath doctor` measure on emulated links, beside plain TCP on the same link.
 * Fails where a rate is more than 5 % off. Needs what the links need (see bench/README.md).
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Diagnosis } from '../../lib/cli/doctor/diagnosis.js'
import type { SpeedReport } from '../../lib/cli/speed/speed-report.js'
import { missingForLinks } from '../links/needs.js'
import { Network } from '../links/network.js'
import { link } from '../links/scenario.js'

/** Rate in Mbit/s and round trip in milliseconds. */
const LINKS: readonly (readonly [number, number])[] = [
  [50, 10],
  [20, 40],
  [5, 150],
]
/** Of plain TCP: it takes longer than ours to settle on a long path. Ours are measured as they are by default. */
const SECONDS = 9
const MOST_OFF = 0.05
const PORT = 7000
const CLI = ['dist/cli/main.js']
const PLAIN = ['--import', 'tsx', join(import.meta.dirname, 'plain.ts')]

const toMbit = (bytesPerSecond: number | null | undefined): number => ((bytesPerSecond ?? 0) * 8) / 1e6

function run(network: Network, args: readonly string[]): string {
  const [program, ...words] = [...network.inside('client'), process.execPath, ...args]
  return execFileSync(program!, words, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' })
}

async function measure(rate: number, rtt: number): Promise<boolean> {
  await using network = await Network.start({
    links: [link(rate, rtt / 2)],
    changes: [],
    congestionControl: 'cubic',
  })
  const servers = [
    [...CLI, 'speed', 'serve', '--listen', `${PORT}`, '--no-ctl'],
    [...PLAIN, 'serve'],
  ].map((args) => {
    const [program, ...words] = [...network.inside('server'), process.execPath, ...args]
    return spawn(program!, words, { stdio: 'ignore' })
  })
  try {
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const plain = (direction: string): number =>
      Number(run(network, [...PLAIN, 'dial', direction, `${SECONDS * 1000}`]))
    const [down, up] = [plain('download'), plain('upload')]
    const place = `10.77.0.2:${PORT}`
    const speed = JSON.parse(run(network, [...CLI, 'speed', '--json', place])) as SpeedReport
    const doctor = JSON.parse(run(network, [...CLI, 'doctor', '--json', place])) as Diagnosis
    const path = speed.paths[0]!
    const oneWay = doctor.paths[0]!.oneWay!
    return [
      report(`${rate}/${rtt} download`, down, path.downBytesPerSecond, oneWay.downBytesPerSecond),
      report(`${rate}/${rtt} upload`, up, path.upBytesPerSecond, oneWay.upBytesPerSecond),
    ].every(Boolean)
  } finally {
    for (const server of servers) {
      const over = once(server, 'close')
      server.kill('SIGKILL')
      await over
    }
  }
}

function report(name: string, plain: number, speed: number | null, doctor: number | undefined): boolean {
  const figures = [
    ['speed', toMbit(speed)],
    ['doctor', toMbit(doctor)],
  ] as const
  const shown = figures.map(([who, rate]) => `${who} ${rate.toFixed(2)} (${percent(rate / plain - 1)})`)
  console.log(`${name.padEnd(16)} plain TCP ${plain.toFixed(2)} Mbit/s, ${shown.join(', ')}`)
  return figures.every(([, rate]) => Math.abs(rate / plain - 1) <= MOST_OFF)
}

function percent(share: number): string {
  return `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`
}

const missing = await missingForLinks()
if (missing.length > 0) {
  console.log(`Left out:\n${missing.join('\n')}`)
} else {
  let isNear = true
  const only = process.argv[2]
  for (const [rate, rtt] of LINKS.filter((one) => only === undefined || one.join('/') === only))
    isNear = (await measure(rate, rtt)) && isNear
  if (!isNear) {
    console.log(`A rate is more than ${100 * MOST_OFF} % off.`)
    process.exitCode = 1
  }
}
