// SPDX-License-Identifier: Apache-2.0
/** Changes the paths of a dialer into those of another list of `--to`; paths that both have are not touched. */
import type { MultipathDialer, PathPolicy } from '../../index.js'
import type { Dial } from './path-dialers.js'
import type { PathPlace } from './path-place.js'
import type { PathEntry } from './session-paths.js'
import { pathEntry } from './session-paths.js'

/** What a path has whose description says nothing else. */
const DEFAULT_POLICY: Required<PathPolicy> = {
  tier: 'primary',
  weight: 1,
  maxBytes: Infinity,
  maxBytesPerSecond: Infinity,
  parallel: 'auto',
}

/**
 * Adds, removes and changes paths. New ones are there before old ones go, except where both have the same name.
 *
 * @param dial - makes the new ones
 * @returns the entries that the dialer has then
 */
export function changePaths(
  dialer: MultipathDialer,
  entries: readonly PathEntry[],
  places: readonly PathPlace[],
  dial: Dial,
): PathEntry[] {
  const wanted = new Map(places.map((place) => [wordsOf(place), place]))
  const kept = entries.filter(({ place }) => wanted.delete(wordsOf(place)))
  const leaving = new Set(entries.filter((entry) => !kept.includes(entry)))
  const changed: PathEntry[] = []
  for (const [words, place] of wanted) {
    const old = [...leaving].find((entry) => !('watch' in entry.paths) && isSameWay(entry.place, place))
    if (old === undefined || 'watch' in old.paths) continue
    for (const { label } of old.paths) setPolicy(dialer, label, { ...DEFAULT_POLICY, ...place.policy })
    leaving.delete(old)
    wanted.delete(words)
    changed.push({ place, paths: old.paths })
  }
  const coming = [...wanted.values()].map((place) => pathEntry(place, dial))
  const names = new Set(coming.flatMap(labelsOf))
  const [first, later] = parted([...leaving], (entry) => labelsOf(entry).some((label) => names.has(label)))
  for (const entry of first) remove(dialer, entry)
  for (const entry of coming) add(dialer, entry)
  for (const entry of later) remove(dialer, entry)
  return [...kept, ...changed, ...coming]
}

function wordsOf(place: PathPlace | undefined): string {
  return JSON.stringify(place, (_, value: unknown) => (value === Infinity ? 'none' : value))
}

/** Whether they differ in nothing but their policy. */
function isSameWay(one: PathPlace | undefined, other: PathPlace): boolean {
  return one !== undefined && wordsOf({ ...one, policy: {} }) === wordsOf({ ...other, policy: {} })
}

function parted<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))]
}

/** Those of a source are known as they come. */
function labelsOf({ paths }: PathEntry): string[] {
  return 'watch' in paths ? [] : paths.map(({ label }) => label)
}

/** What is called the same has been added by ctl. */
function add(dialer: MultipathDialer, { paths }: PathEntry): void {
  if ('watch' in paths) dialer.add(paths)
  else for (const path of paths) if (!isKnown(dialer, path.label)) dialer.add(path)
}

function remove(dialer: MultipathDialer, { paths }: PathEntry): void {
  const labels = 'watch' in paths ? paths.end() : paths.map(({ label }) => label)
  for (const label of labels) dialer.remove(label)
}

function setPolicy(dialer: MultipathDialer, label: string, policy: PathPolicy): void {
  if (isKnown(dialer, label)) dialer.setPathPolicy(label, policy)
}

function isKnown(dialer: MultipathDialer, label: string): boolean {
  return dialer.stats().some((path) => path.label === label)
}
