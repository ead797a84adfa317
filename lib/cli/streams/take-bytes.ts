// SPDX-License-Identifier: Apache-2.0
/** Reads a known number of bytes off a stream, and leaves the rest to whoever comes next. */
import type { Readable } from 'node:stream'

export interface TakeLimits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Nothing came in time. */
export class TakeTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`no data arrived within ${timeoutMs / 1000} s`)
    this.name = 'TakeTimeout'
  }
}

/**
 * Exactly `count` bytes. The stream is left as it is when this fails.
 *
 * @throws {TakeTimeout}; the stream's own error, or one about its early end; the reason of `signal`
 */
export function takeBytes(stream: Readable, count: number, limits: TakeLimits): Promise<Buffer> {
  return take(stream, () => stream.read(count) as Buffer | null, count, limits)
}

/** Whatever has come, at least a byte. */
export function takeSome(stream: Readable, limits: TakeLimits): Promise<Buffer> {
  return take(stream, () => stream.read() as Buffer | null, 1, limits)
}

function take(
  stream: Readable,
  read: () => Buffer | null,
  least: number,
  { timeoutMs, signal }: TakeLimits,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      stream.off('readable', streamOnReadable)
      stream.off('error', fail)
      stream.off('end', streamOnEnd)
      stream.off('close', streamOnEnd)
      signal?.removeEventListener('abort', signalOnAbort)
    }
    const fail = (error: Error): void => {
      settle()
      reject(error)
    }
    const streamOnEnd = (): void => fail(stream.errored ?? new Error('the stream ended too early'))
    const signalOnAbort = (): void => fail(signal?.reason as Error)
    const streamOnReadable = (): void => {
      const bytes = read()
      if (bytes === null) return
      if (bytes.length < least) {
        streamOnEnd()
        return
      }
      settle()
      resolve(bytes)
    }
    const timer = setTimeout(() => fail(new TakeTimeout(timeoutMs)), timeoutMs)
    stream.on('readable', streamOnReadable)
    stream.on('error', fail)
    stream.on('end', streamOnEnd)
    stream.on('close', streamOnEnd)
    signal?.addEventListener('abort', signalOnAbort)
    if (signal?.aborted) signalOnAbort()
    else if (stream.closed || stream.readableEnded) streamOnEnd()
    else streamOnReadable()
  })
}
