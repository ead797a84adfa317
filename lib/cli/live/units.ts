// SPDX-License-Identifier: Apache-2.0
/** Amounts for people: decimal units, three digits that count. */

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'] as const

/** `1.23 MB` */
export function bytes(count: number): string {
  return scaled(count, 'B')
}

/** `48.1 Mbit/s` */
export function bitRate(bytesPerSecond: number): string {
  return scaled(bytesPerSecond * 8, 'bit/s')
}

function scaled(value: number, unit: string): string {
  let power = 0
  while (value / 1000 ** power >= 999.5 && power < PREFIXES.length - 1) power++
  const scaledValue = value / 1000 ** power
  const shown = power === 0 ? Math.round(scaledValue) : Number(scaledValue.toPrecision(3))
  return `${shown} ${PREFIXES[power]}${unit}`
}
