// SPDX-License-Identifier: Apache-2.0
/** A TCP port whose connections are led through streams. */
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { ignore } from '../../ignore.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { Log } from './log.js'
import { cut } from './splice.js'

export interface ListenPortInit {
  /** Where to listen, or a server that another process has handed over, which listens already. */
  readonly bind: HostPort | Server
  /** For the log. Default: that of `bind`. */
  readonly place?: string | undefined
  /** A socket that listens there already. */
  readonly handle?: Socket | undefined
  /** One more is reset: it must not look like one that was served. */
  readonly maxConnections: number
  readonly serve: (socket: Socket) => void
  readonly log: Log
}

/** Sockets may be half open. Rejects with the error of the system. */
export async function listenPort({
  bind,
  place = 'port' in bind ? formatHostPort(bind) : 'the namespace',
  handle,
  maxConnections,
  serve,
  log,
}: ListenPortInit): Promise<Server> {
  let open = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    // It is read from at once, before anybody serves it. Its close, which follows, says all.
    socket.on('error', ignore)
    if (open >= maxConnections) {
      log.warn('limit', `${place} has ${maxConnections} connections: new ones are reset`, { place })
      cut(socket)
      return
    }
    open++
    socket.once('close', () => open--)
    serve(socket)
  })
  server.listen(handle ?? bind)
  await once(server, 'listening')
  // Such as too many open files: the next connection may be accepted again.
  server.on('error', (error) => log.warn('accept-failed', `${place}: ${error.message}`, { place }))
  return server
}
