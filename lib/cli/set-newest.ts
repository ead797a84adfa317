// SPDX-License-Identifier: Apache-2.0

/**
 * Sets an entry of `map`, and makes it the newest.
 *
 * @returns the entry that was set longest ago, if there were more than `most`: it is removed
 */
export function setNewest<Key, Value>(
  map: Map<Key, Value>,
  key: Key,
  value: Value,
  most: number,
): [Key, Value] | undefined {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return undefined
  const oldest = map.entries().next().value!
  map.delete(oldest[0])
  return oldest
}
