/** Reads the 17 bytes of a hello off a stream, with a time limit; used by both sides. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { MultipathError, toError } from '../errors.js'
import { decodeHello } from '../wire/hello.js'
import { HELLO_BYTES } from '../wire/limits.js'

export interface Hello {
  readonly cid: Uint8Array
  /** Bytes that came right behind it. */
  readonly head: Uint8Array
}

export interface ReadHelloInit {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Resolves with the peer's hello and leaves the stream paused. Closes the stream where that fails:
 * ERR_MULTIPATH_UNEXPECTED_VERSION, ERR_MULTIPATH_HANDSHAKE_TIMEOUT, ERR_MULTIPATH_HANDSHAKE (it closed
 * too early), or the reason of `signal`.
 */
export function readHello(stream: Duplex, { clock, timeoutMs, signal }: ReadHelloInit): Promise<Hello> {
  return new Promise((resolve, reject) => {
    let bytes: Uint8Array = new Uint8Array(0)
    const settle = (): void => {
      cancelTimer()
      stream.off('data', streamOnData)
      stream.off('end', streamOnClose)
      stream.off('close', streamOnClose)
      stream.off('error', streamOnError)
      signal?.removeEventListener('abort', signalOnAbort)
    }
    const fail = (error: Error): void => {
      settle()
      stream.on('error', ignore)
      stream.destroy()
      reject(error)
    }
    const streamOnData = (chunk: Uint8Array): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      try {
        const cid = decodeHello(bytes)
        if (cid === undefined) return
        settle()
        stream.pause()
        resolve({ cid, head: bytes.subarray(HELLO_BYTES) })
      } catch (error) {
        fail(toError(error))
      }
    }
    const streamOnError = (error: Error): void => {
      fail(
        new MultipathError('ERR_MULTIPATH_HANDSHAKE', `handshake failed: ${error.message}`, { cause: error }),
      )
    }
    const streamOnClose = (): void => {
      fail(new MultipathError('ERR_MULTIPATH_HANDSHAKE', 'the peer closed during the handshake'))
    }
    const signalOnAbort = (): void => {
      fail(toError(signal?.reason))
    }
    const cancelTimer = clock.callAt(clock.now() + timeoutMs, () => {
      fail(new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', `no handshake within ${timeoutMs} ms`))
    })
    stream.on('data', streamOnData)
    stream.on('end', streamOnClose)
    stream.on('close', streamOnClose)
    stream.on('error', streamOnError)
    signal?.addEventListener('abort', signalOnAbort)
    if (signal?.aborted === true) signalOnAbort()
    else if (stream.destroyed) streamOnClose()
    else stream.resume()
  })
}

function ignore(): void {}
