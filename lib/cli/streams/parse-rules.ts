// SPDX-License-Identifier: Apache-2.0
/** Values of the flags that say what may be reached. */
import { InvalidArgumentError } from 'commander'
import { formatHostPort } from '../parse.js'
import type { AllowedPlace, AllowRule, PortRange } from './allow-list.js'
import { parseAddress, parseHost, parseName } from './host.js'
import type { Range } from './special-ranges.js'

const MAX_PORT = 65_535
const SERVICE = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const BITS = { 4: 32, 6: 128 } as const

/** In front of what is about UDP; without it, a rule is about TCP. */
const UDP = /^udp:(?=.*:)/s

/** `[udp:][NAME=]HOST:PORT`. */
export function parseAllowed(text: string): AllowedPlace {
  const [, name, where = ''] = /^(?:([^=]*)=)?(.*)$/s.exec(text.replace(UDP, '')) ?? []
  const { host, ports } = splitHost(where) ?? {}
  const canonical = host === undefined ? undefined : parseHost(host)
  const port = parsePortNumber(ports)
  if (canonical === undefined || port === undefined || (name !== undefined && !isServiceName(name)))
    throw new InvalidArgumentError(
      'It must be [udp:][NAME=]HOST:PORT; NAME consists of letters, digits, - and _.',
    )
  return { host: canonical, port, name, ...protocolOf(text) }
}

/** `[udp:]HOST:PORTS`, where HOST may be `*`, `*.example.org`, or a range, and PORTS a list. */
export function parseAllowRule(text: string): AllowRule {
  const { host, ports } = splitHost(text.replace(UDP, '')) ?? {}
  const parsedPorts = parsePorts(ports)
  const parsedHost = host === undefined ? undefined : parseRuleHost(host)
  if (parsedPorts === undefined || parsedHost === undefined)
    throw new InvalidArgumentError(
      'It must be [udp:]HOST:PORTS, such as *:443, *.example.org:80,443, 10.1.0.0/16:1-1023, [fd00::/8]:* or udp:*:53.',
    )
  return { ...parsedHost, ports: parsedPorts, ...protocolOf(text) }
}

/** An address, or a range as `10.0.0.0/8`. */
export function parseRange(text: string): Range {
  const range = rangeOf(text)
  if (range === undefined)
    throw new InvalidArgumentError('It must be an address or a range, such as 10.0.0.0/8.')
  return range
}

/** A name that `--allow` may give to a place. */
export function isServiceName(text: string): boolean {
  return SERVICE.test(text)
}

/** For the log: how `place` is written in a rule. */
export function formatAllowed({ host, port, name }: AllowedPlace): string {
  return `${name === undefined ? '' : `${name}=`}${formatHostPort({ host, port })}`
}

function protocolOf(text: string): { readonly protocol?: 'udp' } {
  return UDP.test(text) ? { protocol: 'udp' } : {}
}

/** Brackets, where there are, hold an address with colons. */
function splitHost(text: string): { host: string; ports: string } | undefined {
  const found = /^(?:\[(?<bracketed>[^\]]*:[^\]]*)\]|(?<bare>[^:[\]]+)):(?<ports>[^:]+)$/.exec(text)?.groups
  const host = found?.['bracketed'] ?? found?.['bare']
  return host === undefined ? undefined : { host, ports: found!['ports']! }
}

function parseRuleHost(text: string): Pick<AllowRule, 'host' | 'range'> | undefined {
  if (text === '*') return { host: '*', range: undefined }
  const range = rangeOf(text)
  if (range !== undefined) return { host: undefined, range }
  const name = parseName(text.replace(/^\*\./, ''))
  // A number with dots that is no address is a slip, not a name.
  if (name === undefined || /^[\d.]+$/.test(name)) return undefined
  return { host: text.startsWith('*.') ? `.${name}` : name, range: undefined }
}

function rangeOf(text: string): Range | undefined {
  const [, base = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(base)
  if (address === undefined) return undefined
  const prefix = bits === undefined ? BITS[address.family] : Number(bits)
  return prefix > BITS[address.family] ? undefined : { ...address, prefix }
}

function parsePorts(text: string | undefined): PortRange[] | undefined {
  if (text === '*') return [{ first: 1, last: MAX_PORT }]
  const ranges = (text ?? '').split(',').map((part) => {
    const [first, last, ...more] = part.split('-').map(parsePortNumber)
    const end = part.includes('-') ? last : first
    return more.length > 0 || first === undefined || end === undefined || first > end
      ? undefined
      : { first, last: end }
  })
  return ranges.every((range) => range !== undefined) ? ranges : undefined
}

function parsePortNumber(text: string | undefined): number | undefined {
  const port = Number(text)
  return text !== undefined && /^\d{1,5}$/.test(text) && port >= 1 && port <= MAX_PORT ? port : undefined
}
