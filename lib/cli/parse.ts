// SPDX-License-Identifier: Apache-2.0
/** Values of arguments and options, each refused with what it should have been. */
import { InvalidArgumentError } from 'commander'
import type { Family } from '../index.js'

export interface HostPort {
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
}

const LONGEST_TIMER_SECONDS = 2_147_483

/** `host:port`; an IPv6 address stands in brackets. */
export function parseHostPort(text: string): HostPort {
  const found = /^(?:\[(?<address>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d+)$/.exec(text)?.groups
  const host = found?.['address'] ?? found?.['name']
  const port = Number(found?.['port'])
  if (host === undefined || !isPort(port) || port === 0)
    throw new InvalidArgumentError('It must be HOST:PORT; write an IPv6 address in brackets: [::1]:4000.')
  return { host, port }
}

/** A port to listen on; 0 asks the system for a free one. */
export function parsePort(text: string): number {
  if (!/^\d+$/.test(text) || !isPort(Number(text)))
    throw new InvalidArgumentError('It must be a port from 0 to 65535.')
  return Number(text)
}

/** A count from 1 to `most`. */
export function parseCount(most: number): (text: string) => number {
  return (text) => {
    const count = Number(text)
    if (!/^\d+$/.test(text) || count < 1 || count > most)
      throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`)
    return count
  }
}

/** Seconds, fractions allowed, as whole milliseconds. */
export function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > LONGEST_TIMER_SECONDS)
    throw new InvalidArgumentError(`It must be a number of seconds from 0 to ${LONGEST_TIMER_SECONDS}.`)
  return Math.round(seconds * 1000)
}

/** `HOST:PORT` for labels and messages. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535
}

/** Of -4 and -6. */
export function familyOf({ ipv4, ipv6 }: { readonly ipv4?: true; readonly ipv6?: true }): Family {
  return ipv4 ? 4 : ipv6 ? 6 : 0
}
