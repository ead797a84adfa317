// SPDX-License-Identifier: Apache-2.0
/** Amounts for people, as the commands print them. */

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P']

/** `1.23 MB` */
export function bytes(count) {
  return scaled(count, 'B')
}

/** `48.1 Mbit/s` */
export function bitRate(bytesPerSecond) {
  return scaled(bytesPerSecond * 8, 'bit/s')
}

function scaled(value, unit) {
  let power = 0
  while (value / 1000 ** power >= 999.5 && power < PREFIXES.length - 1) power++
  const inUnits = value / 1000 ** power
  const shown = power === 0 ? Math.round(inUnits) : Number(inUnits.toPrecision(3))
  return `${shown} ${PREFIXES[power]}${unit}`
}

/** `12.3 ms`; null: not known. */
export function milliseconds(value) {
  if (value === null) return '-'
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ms`
}

/** `4 s`, `2 min 5 s`, `3 h 20 min`. */
export function duration(ms) {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`
}
