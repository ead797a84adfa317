// SPDX-License-Identifier: Apache-2.0
/** Says of which subflow a socket is. One object for each instead of three functions: idle connections come by the thousand. */
import type { Subflow } from '../core/subflow.js'
import type { SocketHandler } from './driver-ports.js'

/** Gets what happens on the sockets of its subflows. */
export interface SubflowOwner {
  /** The socket of `subflow` has brought `bytes`. @returns how many were taken */
  receive(subflow: Subflow, bytes: Uint8Array): number
  /** It takes more after it was blocked. */
  drained(subflow: Subflow): void
  /** It is over: in order, or by `error`. */
  closed(subflow: Subflow, error: Error | undefined): void
}

export class SubflowHandler implements SocketHandler {
  readonly #subflow: Subflow
  readonly #owner: SubflowOwner

  constructor(subflow: Subflow, owner: SubflowOwner) {
    this.#subflow = subflow
    this.#owner = owner
  }

  onBytes(bytes: Uint8Array): number {
    return this.#owner.receive(this.#subflow, bytes)
  }

  onDrain(): void {
    this.#owner.drained(this.#subflow)
  }

  onClosed(error: Error | undefined): void {
    this.#owner.closed(this.#subflow, error)
  }
}
