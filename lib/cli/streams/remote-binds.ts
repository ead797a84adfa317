// SPDX-License-Identifier: Apache-2.0
/** Ports that the client of a session has asked us to listen on. Each is open for as long as its stream. */
import type { Server, Socket } from 'node:net'
import type { MuxSession, MuxStream } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import { listenPort } from './listen-port.js'
import type { Log } from './log.js'
import { passOn } from './pass-on.js'
import type { Refusal } from './stream-request.js'
import { answer, refuse } from './take-request.js'
import type { Tasks } from './tasks.js'

export interface RemoteBindsInit {
  readonly session: MuxSession
  /** Exactly these may be asked for. */
  readonly allowed: readonly HostPort[]
  /** Connections at a time, of each. */
  readonly maxConnections: number
  readonly tasks: Tasks
  readonly log: Log
}

export class RemoteBinds {
  readonly #init: RemoteBindsInit
  /** What each listens for. */
  readonly #binds = new Map<MuxStream, HostPort>()
  #allowed: readonly HostPort[]

  constructor(init: RemoteBindsInit) {
    this.#init = init
    this.#allowed = init.allowed
  }

  /** From now on exactly these may be asked for: others listen no more; connections that have come live on. */
  allow(allowed: readonly HostPort[]): void {
    this.#allowed = allowed
    for (const [stream, bind] of this.#binds) if (!this.#isAllowed(bind)) stream.destroy()
  }

  /** Listens at `bind` until the stream ends. */
  async serve(stream: MuxStream, bind: HostPort): Promise<void> {
    const { log } = this.#init
    const place = formatHostPort(bind)
    if (!this.#isAllowed(bind)) {
      log.warn('bind-refused', `refused to listen on ${place}: no --allow-remote allows it`, { place })
      refuse(stream, 'not-allowed')
      return
    }
    let server: Server
    try {
      server = await this.#listen(bind)
    } catch (error) {
      log.warn('bind-failed', `cannot listen on ${place}: ${(error as Error).message}`, { place })
      refuse(stream, refusalOf(error as NodeJS.ErrnoException))
      return
    }
    log.info('bind', `listening on ${place} for the client`, { place })
    this.#binds.set(stream, bind)
    answer(stream, 'ok')
    stream.resume()
    await closing(stream)
    this.#binds.delete(stream)
    server.close()
    stream.destroy()
    log.info('unbind', `no longer listening on ${place}`, { place })
  }

  /** Listens no more; connections that have come live on. */
  close(): void {
    for (const stream of this.#binds.keys()) stream.destroy()
  }

  #isAllowed(bind: HostPort): boolean {
    return this.#allowed.some(({ host, port }) => host === bind.host && port === bind.port)
  }

  #listen(bind: HostPort): Promise<Server> {
    const { session, tasks, log, maxConnections } = this.#init
    const serve = (socket: Socket): void => {
      const task = passOn({
        socket,
        request: { kind: 'incoming', host: bind.host, port: bind.port },
        open: async () => session.open(),
        onOutcome: (outcome) => log.detail('stream', `${formatHostPort(bind)}: ${outcome}`, { outcome }),
      })
      tasks.add(task)
    }
    return listenPort({ bind, maxConnections, serve, log })
  }
}

/** Resolves once either side has ended it. */
function closing(stream: MuxStream): Promise<void> {
  stream.on('error', ignore)
  if (stream.closed || stream.readableEnded) return Promise.resolve()
  return new Promise((resolve) => {
    stream.once('end', () => resolve())
    stream.once('close', () => resolve())
  })
}

function refusalOf({ code }: NodeJS.ErrnoException): Refusal {
  return code === 'EADDRINUSE' ? 'address-in-use' : 'failed'
}
