// SPDX-License-Identifier: Apache-2.0
/** Calls into code that is not ours from the middle of our own work. */

/**
 * Runs `call`. What it throws surfaces as an uncaught exception, as from any event listener, but on a tick of its
 * own: our work goes on.
 */
export function callForeign(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
