/** TCP as a path. */
import type { Socket, TcpNetConnectOpts } from 'node:net'
import { connect } from 'node:net'
import { OptionError } from '../errors.js'
import type { PathOptions, SubflowDialer } from './transport.js'

/** Options of `net.connect` for TCP, and of the path. */
export type TcpDialerOptions = TcpNetConnectOpts & PathOptions

/**
 * A path over TCP. `localAddress` decides which uplink it takes, as far as the system's routes do.
 *
 * @throws {OptionError} for a port, label or address that is none
 */
export function tcpDialer(options: TcpDialerOptions): SubflowDialer {
  const { label, tracker, tier, weight, maxBytes, maxBytesPerSecond, ...socketOptions } = options
  const { port, host = 'localhost', localAddress } = socketOptions
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new OptionError(`port must be an integer from 0 to 65535, got ${String(port)}`)
  for (const [name, value] of Object.entries({ label, host, localAddress }))
    if (value !== undefined && typeof value !== 'string')
      throw new OptionError(`${name} must be a string, got ${String(value)}`)
  const remote = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    label: label ?? (localAddress === undefined ? remote : `${localAddress}|${remote}`),
    tracker,
    policy: { tier, weight, maxBytes, maxBytesPerSecond },
    // Frames are whole when they are written: waiting to fill a packet would only delay them.
    dial: ({ signal }) => opened(() => connect({ noDelay: true, ...socketOptions }), signal),
  }
}

/** Resolves with the socket once it is connected; closes it where that fails or is aborted before. */
function opened(open: () => Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = open()
    const settle = (): void => {
      socket.off('connect', socketOnConnect)
      socket.off('error', socketOnError)
      signal.removeEventListener('abort', signalOnAbort)
    }
    const socketOnConnect = (): void => {
      settle()
      resolve(socket)
    }
    const socketOnError = (error: Error): void => {
      settle()
      reject(error)
    }
    const signalOnAbort = (): void => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(signal.reason as Error)
    }
    socket.on('connect', socketOnConnect)
    socket.on('error', socketOnError)
    signal.addEventListener('abort', signalOnAbort)
  })
}
