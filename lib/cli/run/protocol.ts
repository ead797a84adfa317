// SPDX-License-Identifier: Apache-2.0
/** What the command and its helper inside the namespace say to each other, over the channel of child_process. */
import type { Accepted } from './kernel-table.js'

/** Where a connection is to go. */
export interface Destination {
  /** A name, or an address. */
  readonly host: string
  readonly port: number
}

/** UDP of the program. */
export interface UdpMessage {
  /** Its socket. */
  readonly client: Destination
  /** Where it sends to, inside. */
  readonly address: string
  readonly destination: Destination
  /** One that came before the address had a socket, in Base64. */
  readonly packet?: string | undefined
}

/** Start the program; it has the helper's standard streams. */
export interface Start {
  readonly kind: 'start'
  readonly words: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** To the helper. */
export type ToInside =
  | Start
  | { readonly kind: 'signal'; readonly name: NodeJS.Signals }
  /** Where an accepted connection is to go. */
  | { readonly kind: 'destination'; readonly id: number; readonly accepted: Accepted }
  /** Connect to a port of the namespace. */
  | { readonly kind: 'connect'; readonly id: number; readonly port: number }
  /** The socket of this address for UDP is closed. */
  | { readonly kind: 'udp-closed'; readonly address: string }
  /** What `nft monitor trace` has said: lines, each of which may come in parts. */
  | { readonly kind: 'trace'; readonly text: string }

/** From the helper. */
export type FromInside =
  /** With the socket that listens for all connections. The program may be started. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'not-started'; readonly code: string; readonly message: string }
  | { readonly kind: 'ended'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'destination'; readonly id: number; readonly destination: Destination | undefined }
  /** With a socket, unless no program listens on that port. */
  | { readonly kind: 'connected'; readonly id: number }
  /** With the socket at which UDP for this address arrives. */
  | { readonly kind: 'udp-socket'; readonly address: string }
  | ({ readonly kind: 'udp' } & UdpMessage)
