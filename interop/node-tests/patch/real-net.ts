// SPDX-License-Identifier: Apache-2.0
/** Node's net as it was before it was replaced. */
import net from 'node:net'
import type { Listener, Options } from './transport.js'

interface Internals {
  _normalizeArgs(args: unknown[]): [Options, Listener]
}

export const real: Readonly<typeof net & Internals> = Object.defineProperties(
  {},
  Object.getOwnPropertyDescriptors(net),
) as typeof net & Internals

/** Whether a file of Node has called the function that asks. */
export function isCalledBy(file: string): boolean {
  const [, , , caller = ''] = (new Error().stack ?? '').split('\n')
  return caller.includes(`(${file}`)
}
