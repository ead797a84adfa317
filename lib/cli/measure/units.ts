// SPDX-License-Identifier: Apache-2.0
/** Figures of measurements for people, with three digits that count. Rates are in Mbit/s, whatever their size: they are compared. */

export function milliseconds(value: number): string {
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ms`
}

export function megabits(bytesPerSecond: number): string {
  const value = (bytesPerSecond * 8) / 1e6
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} Mbit/s`
}
