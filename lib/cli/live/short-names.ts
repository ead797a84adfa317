// SPDX-License-Identifier: Apache-2.0

/** The addresses that follow a label (`dsl 192.0.2.7|198.51.100.1:7000`), a local address or a client's. */
const ADDRESSES = /( \S+\|\S+|\|\S+| \u2192 \S+)$/

/** The names of the paths of one session, each without its addresses if all of them remain different. */
export function shortNames(names: readonly string[]): string[] {
  const short = names.map((name) => name.replace(ADDRESSES, ''))
  return new Set(short).size === names.length ? short : [...names]
}
