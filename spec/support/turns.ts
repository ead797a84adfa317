// SPDX-License-Identifier: Apache-2.0
/** Waiting for something to be so, a turn of the event loop at a time. The spec's own time limit ends it. */

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** As many turns as anything in memory needs to settle: for showing that something does not happen. */
export async function quiet(turns = 50): Promise<void> {
  for (let n = 0; n < turns; n++) await turn()
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}
