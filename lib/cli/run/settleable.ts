// SPDX-License-Identifier: Apache-2.0
/** A promise that is settled from elsewhere. Whoever settles it may be the only one that ever looks at it. */
import { ignore } from '../../ignore.js'

export interface Settleable<Value = void> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error: Error) => void
}

export function settleable<Value = void>(): Settleable<Value> {
  let settle: Omit<Settleable<Value>, 'promise'> | undefined
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(ignore)
  return { promise, ...settle! }
}
