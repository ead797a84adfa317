// SPDX-License-Identifier: Apache-2.0
/** What a scheduler owes at every single choice, shown on snapshots drawn by chance. */
import { AssertionError } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { Scheduler, Snapshot, SubflowView } from '../core/scheduler.js'
import type { SnapshotKind } from './snapshots.js'
import { drawSnapshots, frozen, inWords } from './snapshots.js'

const ANY: SnapshotKind = { count: [0, 6], room: 'some' }

/** Checks by the name of the rule. */
export const CHOICE_RULES: Readonly<Record<string, (scheduler: Scheduler) => void>> = {
  'chooses only what is there and has room': (scheduler) => {
    for (const snapshot of drawSnapshots(ANY)) {
      const chosen = choice(scheduler, snapshot)
      if (chosen === undefined) continue
      if (!isThere(snapshot, chosen)) fail(scheduler, `chose ${shown(chosen)}, which is not there,`, snapshot)
      if (!snapshot.hasRoom(chosen)) fail(scheduler, `chose ${shown(chosen)}, which has no room,`, snapshot)
    }
  },

  'chooses the same from the same': (scheduler) => {
    const snapshots = drawSnapshots(ANY)
    const first = snapshots.map((snapshot) => choice(scheduler, snapshot))
    // Backwards, so that what it might remember is something else.
    for (const [index, snapshot] of [...snapshots.entries()].toReversed()) {
      const again = choice(scheduler, snapshot)
      if (again !== first[index])
        fail(scheduler, `chose ${shown(first[index])} and then ${shown(again)}`, snapshot)
    }
  },

  'changes nothing when it chooses': (scheduler) => {
    for (const snapshot of drawSnapshots(ANY))
      changesNothing(scheduler, snapshot, (given) => `chose ${shown(choice(scheduler, given))}`)
  },

  'chooses one where data waits and all are idle': (scheduler) => {
    for (const snapshot of drawSnapshots({ count: [1, 6], room: 'all', isIdle: true }))
      if (choice(scheduler, snapshot) === undefined) fail(scheduler, 'chose none, for ever,', snapshot)
  },

  'chooses a lone subflow that has room': (scheduler) => {
    for (const snapshot of drawSnapshots({ count: [1, 1], room: 'all' }))
      if (choice(scheduler, snapshot) === undefined) fail(scheduler, 'chose none', snapshot)
  },

  'chooses none where none has room': (scheduler) => {
    for (const snapshot of drawSnapshots({ count: [0, 6], room: 'none' })) {
      const chosen = choice(scheduler, snapshot)
      if (chosen !== undefined) fail(scheduler, `chose ${shown(chosen)}`, snapshot)
    }
  },

  'says true or false of sharing, and changes nothing': (scheduler) => {
    if (scheduler.isShared === undefined) return
    for (const snapshot of drawSnapshots({ count: [1, 6], room: 'some' })) {
      const said = sharing(scheduler, snapshot)
      if (typeof said !== 'boolean') fail(scheduler, `said ${inspect(said)} of sharing`, snapshot)
      changesNothing(scheduler, snapshot, (given) => `said ${inspect(sharing(scheduler, given))}`)
    }
  },
}

/** What a scheduler chooses; it may be nonsense. */
function choice(scheduler: Scheduler, snapshot: Snapshot): unknown {
  return asked(scheduler, snapshot, () => scheduler.choose(snapshot))
}

function sharing(scheduler: Scheduler, snapshot: Snapshot): unknown {
  return asked(scheduler, snapshot, () => scheduler.isShared?.(snapshot))
}

function asked(scheduler: Scheduler, snapshot: Snapshot, ask: () => unknown): unknown {
  try {
    return ask()
  } catch (error) {
    return fail(scheduler, `threw ${String(error)}`, snapshot, error)
  }
}

/** Loose code changes what is frozen without a word, so that a copy is compared, too. */
function changesNothing(scheduler: Scheduler, snapshot: Snapshot, ask: (given: Snapshot) => string): void {
  ask(frozen(snapshot))
  const views = [...snapshot.subflows]
  const before = copyOf(snapshot)
  const did = ask(snapshot)
  const isSame = snapshot.subflows.every((view, index) => view === views[index])
  if (!isSame || !isDeepStrictEqual(copyOf(snapshot), before))
    fail(scheduler, `${did} and made ${inWords(snapshot)}`, before)
}

function copyOf(snapshot: Snapshot): Snapshot {
  return { ...snapshot, subflows: snapshot.subflows.map((view) => ({ ...view })) }
}

function isThere(snapshot: Snapshot, chosen: unknown): chosen is SubflowView {
  return snapshot.subflows.includes(chosen as SubflowView)
}

function shown(chosen: unknown): string {
  if (chosen === undefined) return 'none'
  const { label } = (chosen ?? {}) as Partial<SubflowView>
  return label ?? inspect(chosen, { depth: 0 })
}

/** @throws AssertionError that says what was done, and with what before one's eyes */
function fail(scheduler: Scheduler, did: string, snapshot: Snapshot, cause?: unknown): never {
  const error = new AssertionError({ message: `${scheduler.name} ${did} from ${inWords(snapshot)}` })
  throw cause === undefined ? error : Object.assign(error, { cause })
}
