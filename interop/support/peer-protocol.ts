// SPDX-License-Identifier: Apache-2.0
/** The lines that the Go peer takes and gives; interop/README.md describes each, go/protocol.go is the other end. */

export interface Transfer {
  readonly bytes: number
  readonly calls: number
  readonly ms: number
  readonly sha256: string
}

export interface Reception extends Transfer {
  /** The Go error that ended it, or an empty string when all the bytes asked for have come. */
  readonly end: string
  /** Offset of the first byte that differs from the seeded stream, or -1. */
  readonly mismatchAt: number
}

export interface PathCounters {
  readonly label: string
  readonly framesSent: number
  readonly bytesSent: number
  readonly framesRecv: number
  readonly bytesRecv: number
  readonly framesRetransmit: number
  readonly bytesRetransmit: number
}

export interface DialerPathCounters extends PathCounters {
  readonly successes: number
  readonly consecSuccesses: number
  readonly failures: number
}

export interface SendOptions {
  readonly bytes: number
  readonly seed: number
  /** Sizes of the writes, used in turn. */
  readonly sizes?: readonly number[]
}

export interface ReceiveOptions {
  /** How many; to the end of the connection without it. */
  readonly bytes?: number
  readonly seed: number
  /** Stop reading for `pauseMs` after so many bytes. */
  readonly pauseAt?: number
  readonly pauseMs?: number
}

/** What carries the paths, used in turn, and PEM for those over TLS. */
interface Carriers {
  readonly kinds?: readonly string[]
  readonly cert?: string
  readonly key?: string
}

/** Of a session of hashicorp/yamux; its own defaults where nothing is given. */
export interface MuxOptions {
  readonly role: 'client' | 'server'
  /** Streams that Go has closed and the peer has not are reset after this long. */
  readonly closeMs?: number
  /** Receive window of each stream. */
  readonly windowBytes?: number
}

/** Request and answer of each operation. */
export interface Operations {
  listen: [{ paths?: number; serve?: string } & Carriers, { listener: number; addrs: string[] }]
  dialer: [
    { addrs: readonly string[]; labels?: readonly string[] } & Carriers,
    { dialer: number; label: string },
  ]
  dial: [{ dialer: number }, { conn: number; ms: number }]
  send: [{ conn: number } & SendOptions, Transfer]
  receive: [{ conn: number } & ReceiveOptions, Reception]
  echo: [{ conn: number }, Transfer]
  write: [{ conn: number; hex: string }, { bytes: number }]
  close: [{ conn: number }, { ms: number }]
  finish: [{ conn: number }, unknown]
  mux: [MuxOptions & { addr?: string; conn?: number }, { session: number }]
  muxOpen: [{ session: number }, { conn: number }]
  muxAccept: [{ session: number }, { conn: number }]
  muxEcho: [{ session: number }, unknown]
  muxPing: [{ session: number }, { ms: number }]
  muxStreams: [{ session: number }, { streams: number; closed: boolean }]
  muxGoAway: [{ session: number }, unknown]
  muxClose: [{ session: number }, unknown]
  closeListener: [{ listener: number }, unknown]
  dialerStats: [{ dialer: number }, { formatStats: string[]; paths: DialerPathCounters[] }]
  listenerStats: [{ listener: number }, { paths: PathCounters[] }]
}

export interface AcceptedEvent {
  readonly event: 'accepted'
  readonly listener: number
  readonly conn: number
}

/** When a listener's `serve` job has ended. */
export interface ServedEvent extends Transfer {
  readonly event: 'served'
  readonly conn: number
  readonly error?: string
}
