// SPDX-License-Identifier: Apache-2.0
/** One path as `--to` describes it: `HOST:PORT[@ADDRESS|@INTERFACE][,NAME=VALUE]…`. */
import { InvalidArgumentError } from 'commander'
import type { AddressPair, PathPolicy } from '../../index.js'
import type { Period } from '../caps/cap-book.js'
import type { HostPort } from '../parse.js'
import { formatHostPort, parseCount, parseHostPort } from '../parse.js'
import { MOST_PARALLEL, parsePolicyEntry } from '../parse-policy.js'
import { parseAddress } from './host.js'

/** One path to the other end, or as many as the interface has addresses. */
export interface PathPlace extends HostPort {
  /** The local address that it starts from; `undefined`: the system chooses. */
  readonly source?: string | undefined
  /** The interface whose addresses it starts from. */
  readonly interfaceName?: string
  readonly policy?: PathPolicy
  /** When the count for `policy.maxBytes` begins again. */
  readonly period?: Period
  /** Each is a path of its own. */
  readonly parallel?: number
  readonly transport?: 'tls' | 'ws' | 'wss'
  /** A proxy: `socks5://…` or `http://…`. */
  readonly via?: string
  readonly label?: string
}

const INTERFACE = /^[A-Za-z0-9_.-]{1,64}$/
const LABEL = /^[\w .:@+-]{1,64}$/
const PROXY = /^(?:socks5h?|https?):\/\/\S+$/

/** @throws {InvalidArgumentError} */
export function parsePathPlace(text: string): PathPlace {
  const [where = '', ...entries] = text.split(',')
  const [place = '', from, ...more] = where.split('@')
  if (more.length > 0)
    throw new InvalidArgumentError('It must be HOST:PORT, HOST:PORT@ADDRESS or HOST:PORT@INTERFACE.')
  const own = Object.assign({}, ...entries.map((entry) => parseEntry(entry))) as Partial<PathPlace>
  const policy = { ...own.policy, ...policyOf(entries) }
  return {
    ...{ ...parseHostPort(place), ...parseSource(from), ...own },
    ...(Object.keys(policy).length > 0 && { policy }),
  }
}

/** What a path is called where it has no label of its own. */
export function labelOf({ host, port, source, interfaceName, label }: PathPlace): string {
  const place = formatHostPort({ host, port })
  const from = source ?? interfaceName
  return label ?? (from === undefined ? place : `${place}@${from}`)
}

/** Whether it may start from any local address. */
export function isFree({ source, interfaceName, via }: PathPlace): boolean {
  return (source ?? interfaceName ?? via) === undefined
}

/** Of `places`, the one that leads to an address that was looked up for it. */
export function placeOf(places: readonly PathPlace[], pair: Pick<AddressPair, 'target' | 'port'>): PathPlace {
  return places.find(({ host, port }) => host === pair.target && port === pair.port) ?? places[0]!
}

function parseSource(from: string | undefined): Pick<PathPlace, 'source' | 'interfaceName'> {
  if (from === undefined) return { source: undefined }
  if (parseAddress(from) !== undefined) return { source: from }
  // A number with dots that is no address is a slip, not a name.
  if (INTERFACE.test(from) && !/^[\d.]+$/.test(from)) return { source: undefined, interfaceName: from }
  throw new InvalidArgumentError('An address or an interface of this machine must follow the @.')
}

type Read = (value: string | undefined) => Partial<PathPlace>

/** By name. What is not among them is a part of the policy. */
const OWN: Readonly<Record<string, Read>> = {
  tls: flag('tls'),
  ws: flag('ws'),
  wss: flag('wss'),
  // Each of them is a path, with one subflow.
  parallel: (value = '') => ({ parallel: parseCount(MOST_PARALLEL)(value), policy: { parallel: 1 } }),
  via: (value = '') => ({ via: matching(PROXY, value, 'via must be a proxy, such as socks5://HOST:PORT.') }),
  label: (value = '') => ({
    label: matching(LABEL, value, 'label must consist of 1 to 64 letters, digits and .:@+-_.'),
  }),
}

function flag(transport: NonNullable<PathPlace['transport']>): Read {
  return (value) => {
    if (value !== undefined) throw new InvalidArgumentError(`${transport} takes no value.`)
    return { transport }
  }
}

function matching(pattern: RegExp, value: string, otherwise: string): string {
  if (!pattern.test(value)) throw new InvalidArgumentError(otherwise)
  return value
}

/** A range of subflows is a part of the policy. */
const RANGE = /^parallel=\d+-/

function isOwn(entry: string): boolean {
  return Object.hasOwn(OWN, entry.split('=')[0]!) && !RANGE.test(entry)
}

function parseEntry(entry: string): Partial<PathPlace> {
  const at = entry.indexOf('=')
  if (isOwn(entry)) return OWN[entry.split('=')[0]!]!(at < 0 ? undefined : entry.slice(at + 1))
  const period = /^max-bytes=.*\/(day|month)$/.exec(entry)?.[1]
  return period === undefined ? {} : { period: period as Period }
}

function policyOf(entries: readonly string[]): PathPolicy {
  const policies = entries
    .filter((entry) => !isOwn(entry))
    .map((entry) => parsePolicyEntry(entry.replace(/^(max-bytes=.*)\/(?:day|month)$/, '$1')))
  return Object.assign({}, ...policies) as PathPolicy
}
