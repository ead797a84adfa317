// SPDX-License-Identifier: Apache-2.0
/** The known word that a misspelt one probably means. */

/** Letters that may differ. */
const MOST_SLIPS = 3
/** Of the length of a word, that share. */
const MOST_SHARE = 0.4

/** The one of `words` that is closest to `word`; `undefined` where none is close. */
export function closest(word: string, words: readonly string[]): string | undefined {
  const far = Math.min(MOST_SLIPS, Math.ceil(word.length * MOST_SHARE))
  return words
    .map((one) => ({ one, slips: distance(word, one) }))
    .filter(({ slips }) => slips <= far)
    .sort((a, b) => a.slips - b.slips)[0]?.one
}

/** Letters put in, left out, changed, or swapped with their neighbour. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, n) => n)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          rows[i - 1]![j]! + 1,
          row[j - 1]! + 1,
          rows[i - 1]![j - 1]! + (isSame ? 0 : 1),
          isSwapped ? rows[i - 2]![j - 2]! + 1 : Infinity,
        ),
      )
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
