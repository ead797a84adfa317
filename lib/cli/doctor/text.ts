// SPDX-License-Identifier: Apache-2.0
/** A diagnosis as text: a block for each path, and one for all. */
import { megabits, milliseconds } from '../measure/units.js'
import type { Diagnosis, PathDiagnosis, PeerKind, Together } from './diagnosis.js'
import type { Finding } from './finding.js'
import type { RouteCheck } from './judge-route.js'
import { via } from './judge-route.js'

const INDENT = '  '
const NAME_WIDTH = 11

export function diagnosisText(diagnosis: Diagnosis): string {
  const blocks = diagnosis.paths.map((path, index) => pathBlock(path, index + 1, diagnosis.paths.length))
  return `${[...blocks, totalBlock(diagnosis)].map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function pathBlock(path: PathDiagnosis, number: number, count: number): string[] {
  const rates = ratesText(path)
  return [
    `path ${number} of ${count}: ${path.label}`,
    row('route', routeText(path.route)),
    row('handshake', path.isHandshakeDone ? 'done' : 'failed'),
    ...rttRow(path),
    ...(rates === '' ? [] : [row('delivers', `${rates} alone`)]),
    ...verdict(path.findings),
  ]
}

function rttRow({ idleRttMs, loadedRttMs }: PathDiagnosis): string[] {
  if (idleRttMs === undefined) return []
  const loaded = loadedRttMs === undefined ? '' : `, ${milliseconds(loadedRttMs)} under load`
  return [row('RTT', `${milliseconds(idleRttMs)} idle${loaded}`)]
}

function routeText(route: RouteCheck): string {
  switch (route.kind) {
    case 'unchecked':
      return `not checked: ${route.why}`
    case 'no-address':
    case 'no-route':
      return 'none'
    case 'route': {
      const { device, gateway, source, owners, isLocal } = route
      if (isLocal) return 'this machine itself'
      const of = owners.length === 0 ? '' : `, an address of ${owners.join(', ')}`
      return `leaves by ${device}${via(gateway)}${source === undefined ? '' : ` from ${source}${of}`}`
    }
  }
}

function totalBlock({ peer, paths, together, findings, isFine }: Diagnosis): string[] {
  const lines = ['all paths', row('peer', PEERS[peer])]
  if (together !== undefined) lines.push(...togetherRows(together))
  const ill = paths.filter((path) => path.findings.some(isFault)).length
  const fine = `${paths.length - ill} of ${paths.length} path${paths.length === 1 ? ' is' : 's are'} fine`
  const [first, ...rest] = verdict(findings)
  if (findings.some(isFault) || isFine) return [...lines, `${first!}${isFine ? `: ${fine}` : ''}`, ...rest]
  return [...lines, row('verdict', `WRONG: ${fine}`), ...findings.flatMap(findingLines)]
}

/** `48 Mbit/s down, 47 Mbit/s up, 40 Mbit/s down and 38 Mbit/s up at once`; of what was measured. */
function ratesText({ oneWay, bothWays }: Pick<PathDiagnosis, 'oneWay' | 'bothWays'>): string {
  const { downBytesPerSecond: down, upBytesPerSecond: up } = oneWay ?? {}
  return [
    ...(down === undefined ? [] : [`${megabits(down)} down`]),
    ...(up === undefined ? [] : [`${megabits(up)} up`]),
    ...(bothWays === undefined
      ? []
      : [
          `${megabits(bothWays.downBytesPerSecond!)} down and ${megabits(bothWays.upBytesPerSecond!)} up at once`,
        ]),
  ].join(', ')
}

function togetherRows(together: Together): string[] {
  const { oneWay, sum } = together
  const rates = ratesText(together)
  const sums = [
    ...shareText(oneWay.downBytesPerSecond, sum.downBytesPerSecond, 'down'),
    ...shareText(oneWay.upBytesPerSecond, sum.upBytesPerSecond, 'up'),
  ]
  return [
    ...(rates === '' ? [] : [row('deliver', `${rates} together`)]),
    ...(sums.length === 0 ? [] : [row('that is', `${sums.join(', ')}: of the sum of the paths alone`)]),
  ]
}

function shareText(rate: number | undefined, sum: number | undefined, way: string): string[] {
  if (rate === undefined || sum === undefined || sum === 0) return []
  return [`${Math.round((100 * rate) / sum)} % of ${megabits(sum)} ${way}`]
}

const PEERS: Record<PeerKind, string> = {
  'multipath-net': 'multipath-net',
  Go: 'Go, or another peer without the codes of multipath-net',
  unknown: 'unknown: it sent no frame',
}

function verdict(findings: readonly Finding[]): string[] {
  const [first, ...rest] = [...findings.filter(isFault), ...findings.filter((one) => !isFault(one))]
  if (first === undefined) return [row('verdict', 'OK')]
  if (!isFault(first)) return [row('verdict', 'OK'), ...[first, ...rest].flatMap(findingLines)]
  return [row('verdict', `WRONG: ${first.text}`), ...fixLines(first), ...rest.flatMap(findingLines)]
}

function findingLines(finding: Finding): string[] {
  return [row('', `${isFault(finding) ? 'WRONG' : 'note'}: ${finding.text}`), ...fixLines(finding)]
}

function fixLines({ fix }: Finding): string[] {
  if (fix === undefined) return []
  return [row('', 'to correct it, run as root'), ...fix.map((line) => row('', `${INDENT}${line}`))]
}

function isFault({ severity }: Finding): boolean {
  return severity === 'fault'
}

function row(name: string, value: string): string {
  return `${INDENT}${name.padEnd(NAME_WIDTH)}${value}`
}
