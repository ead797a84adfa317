// SPDX-License-Identifier: Apache-2.0
/** Which of Node's tests cannot pass over the facade, and why. */

/** By the reason. A name stands without `test-` and `.js`. */
const DIFFERENCES: Record<string, readonly string[]> = {}

const REASONS = new Map(
  Object.entries(DIFFERENCES).flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
)

/** Why a test cannot pass, or `undefined`. */
export function differenceOf(file: string): string | undefined {
  return REASONS.get(file.replace(/^test-/, '').replace(/\.m?js$/, ''))
}

/** All that are listed. */
export function listed(): string[] {
  return [...REASONS.keys()]
}
