// SPDX-License-Identifier: Apache-2.0

/** Somebody else's words, for an error of ours: in a terminal, some bytes are commands. */
export function printable(text: string): string {
  return text.slice(0, 100).replaceAll(/[^ -~]/g, '?')
}
