// SPDX-License-Identifier: Apache-2.0
/** Sockets before TLS or HTTP makes streams of them: they count as handshakes, too. */
import type { Clock } from '../clock.js'
import { MultipathError, toError } from '../errors.js'
import type { IncomingStream, SocketSource } from '../transport/transport.js'
import { dropReset, endsOf, keepAddresses } from './addresses.js'
import type { Admission } from './admission.js'
import type { Capacity } from './capacity.js'
import type { Handshake } from './handshakes.js'

export interface SocketGuardInit {
  readonly admission: Admission
  readonly clock: Clock
  readonly timeoutMs: number
  readonly capacity: Capacity
  /** A socket was closed before it became a stream, by us. */
  readonly onRefused: (error: Error, socket: IncomingStream) => void
}

/**
 * Node gives a TLS handshake 120 s and a request up to 40 s, and counts neither. The stream that it makes has no public
 * link to its socket, but the same addresses.
 */
export class SocketGuard {
  readonly #server: SocketSource
  readonly #init: SocketGuardInit
  readonly #isTls: boolean
  readonly #releases = new Map<string, () => void>()

  /** @param isTls - TLS makes streams of the sockets; otherwise, a request for a WebSocket does */
  constructor(server: SocketSource, init: SocketGuardInit, isTls: boolean) {
    this.#server = server
    this.#init = init
    this.#isTls = isTls
    // After Node's own listener, which takes the socket over; nothing is read from it before the next turn.
    server.on('connection', this.#serverOnConnection)
  }

  /** A socket has become `stream`. */
  release(stream: IncomingStream): void {
    this.#releases.get(endsOf(stream))?.()
  }

  /** What it said was no TLS, or a request for something else: its address pays, as for a refused hello. */
  wrong({ remoteAddress }: IncomingStream): void {
    this.#init.admission.charge(remoteAddress)
  }

  detach(): void {
    this.#server.off('connection', this.#serverOnConnection)
  }

  readonly #serverOnConnection = (socket: IncomingStream): void => {
    if (!keepAddresses(socket, this.#server)) {
      dropReset(socket)
      return
    }
    if (this.#init.capacity.isExceeded()) {
      socket.destroy()
      return
    }
    try {
      this.#watch(socket, this.#init.admission.begin(socket.remoteAddress, this.#isTls))
    } catch (error) {
      this.#refuse(toError(error), socket)
    }
  }

  #watch(socket: IncomingStream, handshake: Handshake): void {
    const { clock, timeoutMs } = this.#init
    const key = endsOf(socket)
    const { limit } = handshake
    const awaited = this.#isTls ? 'TLS handshake' : 'request for a WebSocket'
    const cancel = clock.callAt(clock.now() + timeoutMs, () => {
      limit.abort(
        new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', `no ${awaited} within ${timeoutMs} ms`),
      )
    })
    const onAbort = (): void => {
      release()
      this.#refuse(toError(limit.signal.reason), socket)
    }
    const release = (): void => {
      cancel()
      limit.signal.removeEventListener('abort', onAbort)
      socket.off('close', release)
      handshake.end()
      this.#releases.delete(key)
    }
    limit.signal.addEventListener('abort', onAbort)
    socket.once('close', release)
    this.#releases.set(key, release)
  }

  #refuse(error: Error, socket: IncomingStream): void {
    socket.destroy()
    this.#init.onRefused(error, socket)
  }
}
