// SPDX-License-Identifier: Apache-2.0
/** The one listener that does nothing, and the end of a stream that needs no other. */

/**
 * Hears what is dealt with elsewhere, or needs no answer: an `error` event that is not heard would end the process.
 * Being one function, it can be taken off again by name.
 */
export function ignore(): void {}

/** What can be closed: a stream. */
interface Closable {
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

/** Closes a stream that is not needed. */
export function discard(stream: Closable): void {
  stream.on('error', ignore)
  stream.destroy()
}
