// SPDX-License-Identifier: Apache-2.0
/** Values of the flags that say where to listen, where to dial, and what leads where. */
import { InvalidArgumentError } from 'commander'
import type { HostPort } from '../parse.js'
import { formatHostPort, parseHostPort, parsePort } from '../parse.js'
import { parseAddress, parseHost } from './host.js'
import { isServiceName } from './parse-rules.js'

/** Where a forwarded stream is to go: a place, or a name that `serve --allow NAME=…` has given. */
export type ForwardTarget = HostPort | { readonly name: string }

/** A port here, or there, and what it leads to. */
export interface ForwardRule<Target extends ForwardTarget = ForwardTarget> {
  /** `undefined`: TCP. */
  readonly protocol?: 'udp' | undefined
  readonly bind: HostPort
  readonly target: Target
}

/** Where a port is listened on if nothing else is said: this machine alone can reach it. */
const LOOPBACK = '127.0.0.1'

/** `[HOST:]PORT`. `host` is `undefined` where none is given; port 0 is any free one. */
export function parseListenPlace(text: string): { host: string | undefined; port: number } {
  const at = text.lastIndexOf(':')
  if (at < 0) return { host: undefined, port: parsePort(text) }
  const host = text.slice(0, at)
  const address = parseAddress(/^\[(.+)\]$/.exec(host)?.[1] ?? (host.includes(':') ? '' : host))
  if (address === undefined && host !== 'localhost')
    throw new InvalidArgumentError('It must be PORT or ADDRESS:PORT; write an IPv6 address in brackets.')
  return { host: address?.address ?? LOOPBACK, port: parsePort(text.slice(at + 1)) }
}

/** `[ADDRESS:]PORT`, on loopback where no address is given. */
export function parseBind(text: string): HostPort {
  const { host = LOOPBACK, port } = parseListenPlace(text)
  return { host, port }
}

/** As {@link parseBind}, but a port that both ends know beforehand. */
export function parseRemoteBind(text: string): HostPort {
  const bind = parseBind(text)
  if (bind.port === 0) throw new InvalidArgumentError('It must be a port from 1 to 65535.')
  return bind
}

/** `[udp:][BIND:]PORT=TARGET` of `--local`; TARGET is HOST:PORT or a name. */
export function parseLocalForward(text: string): ForwardRule {
  const udp = text.startsWith('udp:') ? ({ protocol: 'udp' } as const) : {}
  const [bind, target] = halves(text.replace(/^udp:/, ''))
  if (isServiceName(target)) return { bind: parseBind(bind), target: { name: target }, ...udp }
  const { host, port } = parseHostPort(target)
  const canonical = parseHost(host)
  if (canonical === undefined) throw new InvalidArgumentError('Its TARGET must be a name or HOST:PORT.')
  return { bind: parseBind(bind), target: { host: canonical, port }, ...udp }
}

/** `[BIND:]PORT=HOST:PORT` of `--remote`. */
export function parseRemoteForward(text: string): ForwardRule<HostPort> {
  const [bind, target] = halves(text)
  return { bind: parseRemoteBind(bind), target: parseHostPort(target) }
}

export function formatTarget(target: ForwardTarget): string {
  return 'name' in target ? target.name : formatHostPort(target)
}

function halves(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 0)
    throw new InvalidArgumentError('It must be [BIND:]PORT=TARGET, such as 8080=web or 5432=db:5432.')
  return [text.slice(0, at), text.slice(at + 1)]
}
