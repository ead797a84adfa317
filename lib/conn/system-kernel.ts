// SPDX-License-Identifier: Apache-2.0
/** What Linux tells everybody of TCP in a network namespace. */
import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { KernelView } from '../core/congestion/kernel-view.js'
import { type Endpoints, endpointsOf } from '../stream/socket-surface.js'
import { TokenBucket } from '../token-bucket.js'

const COUNTS = '/proc/self/net/netstat'
const SOCKETS = { IPv4: '/proc/self/net/tcp', IPv6: '/proc/self/net/tcp6' }
const NUMBER_OF_SOCKETS = '/proc/self/net/sockstat'
const CONGESTION_CONTROL = '/proc/sys/net/ipv4/tcp_congestion_control'
/** The count of retransmits is read again after this time, milliseconds: on short paths, connections ask for it thousands of times a second. */
export const COUNT_FRESH_MS = 20
/** The system's congestion control is read again after this time, milliseconds. */
const FRESH_MS = 1000
/** The list of sockets takes a few milliseconds: it is read so often in a second, and only where there are no more sockets than this. */
const READS_PER_SECOND = 20
const MOST_SOCKETS = 1000
/** Packets of a first flight (RFC 6928). */
const FIRST_WINDOW = 10

/**
 * Segments that TCP has sent again in the network namespace of this process because later ones had arrived, of all
 * connections together. Probes for the last segment and timeouts do not count: a busy machine causes them without a loss.
 * It takes about 0.1 ms. @returns `undefined` where the system does not tell
 */
export function kernelRetransmits(): number | undefined {
  const counts = read(COUNTS)
  return counts === undefined ? undefined : parseRetransmits(counts)
}

/** `TCPFastRetrans` of a line of names and one of values. */
export function parseRetransmits(netstat: string): number | undefined {
  const [names = [], values = []] = netstat
    .split('\n')
    .filter((line) => line.startsWith('TcpExt: '))
    .map((line) => line.split(' '))
  const value = values[names.indexOf('TCPFastRetrans')]
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}

/** @param congestionControl - its name */
export function isModelBasedName(congestionControl: string): boolean {
  return congestionControl.startsWith('bbr')
}

/**
 * The congestion window of a socket, packets.
 *
 * @param sockets - the list of those of its family, as Linux writes it (net/ipv4/tcp_ipv4.c, `get_tcp4_sock`)
 * @returns `undefined` where there is no such socket, or several with these ports
 */
export function parseWindow(sockets: string, localPort: number, remotePort: number): number | undefined {
  const hex = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const row = new RegExp(`${hex(localPort)} [0-9A-F]+${hex(remotePort)} 01 .* (\\d+) +-?\\d+ *$`, 'gm')
  const [found, another] = sockets.matchAll(row)
  return found === undefined || another !== undefined ? undefined : Number(found[1])
}

/** Sockets of TCP, those that wait for late packets too. @param sockstat - what Linux counts */
export function parseSockets(sockstat: string): number {
  const [, used, waiting] = /^TCP: inuse (\d+) .*tw (\d+)/m.exec(sockstat) ?? []
  return Number(used) + Number(waiting)
}

/** A value that is read again only once the last reading is old. */
export class Recent<Value> {
  readonly #freshMs: Millis
  readonly #read: () => Value
  #last: { readonly value: Value; readonly readAt: Millis } | undefined

  constructor(freshMs: Millis, readValue: () => Value) {
    this.#freshMs = freshMs
    this.#read = readValue
  }

  at(now: Millis): Value {
    if (this.#last === undefined || now - this.#last.readAt >= this.#freshMs)
      this.#last = { value: this.#read(), readAt: now }
    return this.#last.value
  }
}

/** The congestion control of sockets, as far as the system's files tell it. */
export class CongestionControls {
  readonly #read: (file: string) => string | undefined
  readonly #reads = new TokenBucket(READS_PER_SECOND, READS_PER_SECOND, 0)
  readonly #isDefaultModelBased: Recent<boolean>

  /** @param readFile - @returns `undefined` where the system does not tell */
  constructor(readFile: (file: string) => string | undefined) {
    this.#read = readFile
    this.#isDefaultModelBased = new Recent(FRESH_MS, () =>
      isModelBasedName(readFile(CONGESTION_CONTROL) ?? ''),
    )
  }

  /**
   * Whether a socket that has sent little so far sends by a model of the path. A route may name another congestion control than the
   * system's: then its window has not grown, as CUBIC's does not while hardly anything is under way, and BBR's does.
   */
  isModelBased(ends: Endpoints, now: Millis): boolean {
    return this.#isDefaultModelBased.at(now) && (this.#windowOf(ends, now) ?? Infinity) > FIRST_WINDOW
  }

  #windowOf({ localPort, localFamily, remotePort }: Endpoints, now: Millis): number | undefined {
    if (localPort === undefined || remotePort === undefined || !this.#reads.take(now)) return undefined
    if (!(parseSockets(this.#read(NUMBER_OF_SOCKETS) ?? '') <= MOST_SOCKETS)) return undefined
    const sockets = this.#read(localFamily === 'IPv6' ? SOCKETS.IPv6 : SOCKETS.IPv4)
    return sockets === undefined ? undefined : parseWindow(sockets, localPort, remotePort)
  }
}

const congestionControls = new CongestionControls(read)

const retransmits = new Recent(COUNT_FRESH_MS, kernelRetransmits)

/** The TCP below a stream, in the network namespace of this process. */
export class SystemKernel implements KernelView {
  readonly #stream: Duplex
  #isModelBased: boolean | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  isModelBased(): boolean {
    return (this.#isModelBased ??= congestionControls.isModelBased(
      endpointsOf(this.#stream),
      performance.now(),
    ))
  }

  retransmits(): number | undefined {
    return retransmits.at(performance.now())
  }
}

/** @returns `undefined` where the system does not tell */
function read(file: string): string | undefined {
  // Deno would ask its user whether the file may be read.
  if (process.platform !== 'linux' || 'Deno' in globalThis) return undefined
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
