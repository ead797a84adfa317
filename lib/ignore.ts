// SPDX-License-Identifier: Apache-2.0
/** The one listener that does nothing. */

/**
 * Hears what is dealt with elsewhere, or needs no answer: an `error` event that is not heard would end the process.
 * Being one function, it can be taken off again by name.
 */
export function ignore(): void {}
