// SPDX-License-Identifier: Apache-2.0
/** A diagnosis as text: a block for each path, and one for all. */
import type { Diagnosis, PathDiagnosis, PeerKind } from './diagnosis.js'
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
  const { bytesPerSecond } = path
  return [
    `path ${number} of ${count}: ${path.label}`,
    row('route', routeText(path.route)),
    row('handshake', path.isHandshakeDone ? 'done' : 'failed'),
    ...rttRow(path),
    ...(bytesPerSecond === undefined ? [] : [row('delivers', `${megabits(bytesPerSecond)} alone`)]),
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
  if (together !== undefined) {
    const { bytesPerSecond, sumBytesPerSecond } = together
    const share =
      sumBytesPerSecond === 0 ? '' : ` (${Math.round((100 * bytesPerSecond) / sumBytesPerSecond)} %)`
    lines.push(
      row(
        'deliver',
        `${megabits(bytesPerSecond)} together, of a sum of ${megabits(sumBytesPerSecond)}${share}`,
      ),
    )
  }
  const ill = paths.filter((path) => path.findings.some(isFault)).length
  const fine = `${paths.length - ill} of ${paths.length} path${paths.length === 1 ? ' is' : 's are'} fine`
  const [first, ...rest] = verdict(findings)
  if (findings.some(isFault) || isFine) return [...lines, `${first!}${isFine ? `: ${fine}` : ''}`, ...rest]
  return [...lines, row('verdict', `WRONG: ${fine}`), ...findings.flatMap(findingLines)]
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

/** Three digits that count. */
function milliseconds(value: number): string {
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ms`
}

function megabits(bytesPerSecond: number): string {
  const value = (bytesPerSecond * 8) / 1e6
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} Mbit/s`
}
