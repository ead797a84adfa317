// SPDX-License-Identifier: Apache-2.0
/** What a worker of a cluster sends along with the socket of a subflow that belongs to another worker. */
import type { Socket } from 'node:net'
import type { ProxiedAddresses } from './proxy-header.js'

export interface Handover {
  readonly type: 'multipath-net:handover'
  /** Id of the worker that passes it on. */
  readonly from: number
  /** Tag of the worker that it belongs to. */
  readonly tag: number
  /** Which of the listener's servers it came from. */
  readonly server: number
  /** What has been read, in base64: the hello, and what came right behind it. */
  readonly read: string
  /** As a trusted proxy named them. */
  readonly addresses: Partial<ProxiedAddresses>
}

export function isHandover(message: unknown): message is Handover {
  return (message as Partial<Handover> | null)?.type === 'multipath-net:handover'
}

/** Back to the worker that has passed a subflow on: it was refused, and whose address pays. */
export interface HandoverRefused {
  readonly type: 'multipath-net:refused'
  /** Id of the worker that had passed it on. */
  readonly to: number
  readonly address: string | undefined
}

export function isHandoverRefused(message: unknown): message is HandoverRefused {
  return (message as Partial<HandoverRefused> | null)?.type === 'multipath-net:refused'
}

/** Ids of workers count up from 1; so many of them have tags of their own. */
const TAGS = 65_536

export function tagOf(workerId: number): number {
  return workerId % TAGS
}

/**
 * Nothing more may be read here, as it would be lost: Node goes on reading a socket until its copy has arrived, and a
 * socket that waits for its turn to be sent even longer. Only the handle can stop that; `pause()` does not.
 * The mark `reading` stays, so that taking what is buffered does not start it again.
 */
export function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as { _handle?: { readStop?: () => unknown } | null }
  handle?.readStop?.()
}
