// SPDX-License-Identifier: Apache-2.0
/** IPv6 addresses, taken apart. */

/** Eight groups in hexadecimal, without leading zeros, out of the one short form that URLs write them in; no zone. */
export function ipv6Groups(address: string): string[] {
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [before, after] = [left, right ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  return [...before!, ...Array<string>(8 - before!.length - after!.length).fill('0'), ...after!]
}
