// SPDX-License-Identifier: Apache-2.0
/** Tables of calls: medians of the runs of each peer, and the worst run. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { aggligatorVersion } from '../links/needs.js'
import { median, table } from '../shared/figures.js'
import { type Machine, machine } from '../shared/machine.js'
import { RESULTS } from '../shared/places.js'
import { type Call, SLACK_MS } from './figures.js'
import { CALL_PEERS } from './peers.js'

const SAVED = `${RESULTS}call.json`

interface Saved {
  readonly machine: Machine
  readonly calls: readonly Call[]
}

export function savedCalls(): Saved {
  return JSON.parse(readFileSync(SAVED, 'utf8')) as Saved
}

/** One table for each flapping link. */
export function tables(calls: readonly Call[]): string {
  const settings = [...new Set(calls.map(({ links, flaps }) => JSON.stringify([links, flaps])))].toSorted()
  return settings
    .map((setting) => {
      const [links, flaps] = JSON.parse(setting) as [string, number]
      const own = calls.filter((call) => call.links === links && call.flaps === flaps)
      return `The link ${links.split(',')[flaps]} falls silent.\n\n${peerTable(own, links)}`
    })
    .join('\n\n')
}

function peerTable(calls: readonly Call[], links: string): string {
  const bestMs = Math.min(...links.split(',').map((link) => Number(link.split('/')[1])))
  const rows = CALL_PEERS.flatMap(({ id, title }) => {
    const own = calls.filter(({ peer }) => peer === id)
    if (own.length === 0) return []
    const mid = (of: (call: Call) => number): number => median(own.map(of))
    const percent = (share: number): string => (100 * share).toFixed(2)
    return [
      [
        title,
        percent(mid(({ inTime }) => inTime)),
        percent(Math.min(...own.map(({ inTime }) => inTime))),
        percent(mid(({ lost }) => lost)),
        mid(({ p50 }) => p50).toFixed(1),
        mid(({ p99 }) => p99).toFixed(1),
        mid(({ worst }) => worst).toFixed(0),
        mid(({ payload }) => payload).toFixed(2),
        mid(({ wire }) => wire).toFixed(2),
        String(own.length),
      ],
    ]
  })
  const head = [`% within ${bestMs + SLACK_MS} ms`, 'worst run', '% lost', 'p50 ms', 'p99 ms', 'worst ms']
  return table(['peer', ...head, 'payload', 'on the wire', 'runs'], rows)
}

/** Adds them to those that were saved before, and writes the report. */
export function saveCalls(calls: readonly Call[]): void {
  const before = existsSync(SAVED) ? savedCalls().calls : []
  const saved: Saved = { machine: machine(aggligatorVersion()), calls: [...before, ...calls] }
  writeFileSync(SAVED, `${JSON.stringify(saved, null, 1)}\n`)
  writeFileSync(`${RESULTS}call.md`, report(saved))
}

/** Of docs/datagrams.md: while the best link is the one that falls silent. */
export function shortTable(calls: readonly Call[]): string {
  const rows = CALL_PEERS.flatMap(({ id, title }) => {
    const own = calls.filter(({ peer, flaps }) => peer === id && flaps === 0)
    if (own.length === 0) return []
    const mid = (of: (call: Call) => number): number => median(own.map(of))
    const shares = [mid(({ inTime }) => inTime), mid(({ lost }) => lost)]
    const bytes = [mid(({ payload }) => payload), mid(({ wire }) => wire)]
    return [
      `| ${title} | ${shares.map((share) => `${(100 * share).toFixed(2)} %`).join(' | ')} | ${bytes.map((ratio) => ratio.toFixed(2)).join(' | ')} |`,
    ]
  })
  return [
    '| | within 25 ms | lost | payload sent | with all headers |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

/** The text of results/call.md. */
export function report({ machine: on, calls }: Saved): string {
  return `${[
    '# A call over emulated links',
    `Written by \`npm run bench:call -- --save\`: medians. Each message has 100 bytes, and one leaves every 5 ms for ${calls[0]?.seconds} s. Links are given as Mbit/s and one-way delay in ms. One of them is silent for 2.5 s in every 15 s. Two or three peers were measured at the same time, each on links of its own.`,
    `${on.cores} × ${on.cpu}, ${on.memoryGiB} GiB, Linux ${on.kernel}, Node ${on.node}, ${on.go}  \nmultipath-net ${on.library}, getlantern/multipath ${on.goMultipath}; ${on.aggligator}; ${on.date}`,
    tables(calls),
  ].join('\n\n')}\n`
}
