// SPDX-License-Identifier: Apache-2.0
/** The rules for schedulers of multipath-net/testing: ours keep them, and each rule finds who does not. */
import { AssertionError } from 'node:assert'
import { describe, expect, it, vi } from 'vitest'
import type { Scheduler, SubflowView } from '../../../lib/core/scheduler.js'
import type { SchedulerName } from '../../../lib/core/schedulers/by-name.js'
import { schedulers } from '../../../lib/core/schedulers/by-name.js'
import { schedulerRules } from '../../../lib/testing/scheduler-rules.js'

// Seconds of virtual time are as many of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

type Choose = Scheduler['choose']
/** A scheduler that keeps a rule no better than this. */
type Breach = readonly [rule: string, scheduler: Omit<Scheduler, 'name'>, message: RegExp]

const firstOf: Choose = ({ subflows, hasRoom }) => subflows.find(hasRoom)
/** What is written to in spite of its type. */
const loose = (value: object): Record<string, unknown> => value as Record<string, unknown>

let turns = 0

const BREACHES: readonly Breach[] = [
  [
    'chooses only what is there and has room',
    { choose: ({ subflows }) => subflows[0] },
    /^mine chose path \d+, which has no room, from path \d+ \(no room, /,
  ],
  [
    'chooses only what is there and has room',
    { choose: ({ subflows }) => subflows[0] && { ...subflows[0] } },
    /^mine chose path \d+, which is not there, from path \d+ \(/,
  ],
  [
    'chooses only what is there and has room',
    { choose: () => null as unknown as undefined },
    /^mine chose null, which is not there, from /,
  ],
  [
    'chooses only what is there and has room',
    {
      choose: () => {
        throw new Error('no idea')
      },
    },
    /^mine threw Error: no idea from /,
  ],
  [
    'chooses the same from the same',
    { choose: ({ subflows, hasRoom }) => subflows.filter(hasRoom).at(turns++ % 2) },
    /^mine chose (path \d+|none) and then (path \d+|none) from path \d+ \(/,
  ],
  [
    'changes nothing when it chooses',
    {
      choose: ({ subflows, hasRoom }) => {
        const first: SubflowView | undefined = subflows[0]
        if (first !== undefined) loose(first)['weight'] = 99
        return subflows.find(hasRoom)
      },
    },
    /^mine threw TypeError: Cannot assign to read only property 'weight'.* from path \d+ \(/,
  ],
  [
    'changes nothing when it chooses',
    {
      choose: (snapshot) => {
        Reflect.set(snapshot, 'lastId', 99)
        return firstOf(snapshot)
      },
    },
    /^mine chose (path \d+|none) and made .* last was 99 from .* last was (\d|none)/,
  ],
  [
    'changes nothing when it chooses',
    {
      choose: (snapshot) => {
        if (!Object.isFrozen(snapshot)) (snapshot.subflows as unknown[]).reverse()
        return firstOf(snapshot)
      },
    },
    /^mine chose (path \d+|none) and made path (\d+) \(.*, path \d+ \(.* from path (?!\2 )/,
  ],
  [
    'chooses one where data waits and all are idle',
    { choose: (snapshot) => (snapshot.queuedBytes > 1 ? firstOf(snapshot) : undefined) },
    /^mine chose none, for ever, from path \d+ \(room, .*; queued 1,/,
  ],
  [
    'chooses a lone subflow that has room',
    { choose: (snapshot) => (snapshot.subflows.length > 1 ? firstOf(snapshot) : undefined) },
    /^mine chose none from path \d+ \(room, /,
  ],
  [
    'chooses none where none has room',
    { choose: ({ subflows }) => subflows.at(-1) },
    /^mine chose path \d+ from path \d+ \(no room, /,
  ],
  [
    'says true or false of sharing, and changes nothing',
    { choose: firstOf, isShared: () => 'yes' as unknown as boolean },
    /^mine said 'yes' of sharing from path \d+ \(/,
  ],
  [
    'says true or false of sharing, and changes nothing',
    { choose: firstOf, isShared: ({ subflows }) => Reflect.set(subflows, 0, { ...subflows[0] }) },
    /^mine said true and made path \d+ \(.* from path \d+ \(/,
  ],
  [
    'fills a lone path to nine tenths of its rate',
    { choose: (snapshot) => (snapshot.unackedBytes < 20_000 ? firstOf(snapshot) : undefined) },
    /^mine over 20 Mbit\/s 10 ms: it was filled to \d+\.\d Mbit\/s only, after \d+ of 20000000 bytes; link 1 \(up\) got/,
  ],
  [
    'carries everything over uneven paths, and ends',
    {
      choose: (snapshot) => (snapshot.unackedBytes < 200_000 ? firstOf(snapshot) : undefined),
      isShared: fails,
    },
    /^mine over 50 Mbit\/s 5 ms \+ 20 Mbit\/s 40 ms: the sender failed with ERR_MULTIPATH_SCHEDULER/,
  ],
  [
    'carries everything over uneven paths, and ends',
    { choose: (snapshot) => (snapshot.subflows.length < 2 ? firstOf(snapshot) : undefined) },
    /: nothing moved for 10\d\d ms, after 0 of 6000000 bytes; link 1 \(up\) got 0 bytes, link 2 \(up\) got 0 bytes$/,
  ],
  [
    'carries everything while either of two paths is silent for 2 s, and ends',
    { choose: onlyOn('link 2') },
    /^mine over 5 Mbit\/s 10 ms \+ 5 Mbit\/s 20 ms: nothing moved for 10\d\d ms, after \d+ of 2500000 bytes; .*link 2 \(suspect\)/,
  ],
  [
    'carries everything when either of two paths breaks, and ends',
    { choose: onlyOn('link 1') },
    /: nothing moved for 10\d\d ms, after \d+ of 1500000 bytes; link 2 \(up\) got 0 bytes$/,
  ],
]

/** Waits for one path, come what may. */
function onlyOn(wanted: string): Choose {
  return ({ subflows, hasRoom }) => subflows.find((view) => view.label === wanted && hasRoom(view))
}

function fails(): never {
  throw new Error('no idea')
}

describe.each(Object.keys(schedulers) as SchedulerName[])('the scheduler %s', (name) => {
  for (const rule of schedulerRules(() => name)) it(rule.name, rule.check)
})

describe('the rules for schedulers', () => {
  it.each(BREACHES)('find who breaks (%#): %s', async (name, scheduler, message) => {
    const rule = schedulerRules(() => ({ ...scheduler, name: 'mine' })).find((each) => each.name === name)
    const failure: unknown = await rule?.check().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(AssertionError)
    expect((failure as Error).message).toMatch(message)
  })

  it('are all broken above', () => {
    const names = schedulerRules(() => 'lowest-rtt').map(({ name }) => name)
    expect([...new Set(BREACHES.map(([name]) => name))]).toEqual(names)
  })

  it('keep what a scheduler threw as the cause', async () => {
    const [rule] = schedulerRules(() => ({ name: 'mine', choose: fails }))
    await expect(rule?.check()).rejects.toMatchObject({ cause: { message: 'no idea' } })
  })

  it('ask for a new scheduler each time', async () => {
    const make = vi.fn(() => schedulers.redundant)
    const [first, second] = schedulerRules(make)
    expect(make).not.toHaveBeenCalled()
    await first?.check()
    await second?.check()
    expect(make).toHaveBeenCalledTimes(2)
  })

  it('refuse what is no scheduler, nothing included', async () => {
    for (const made of [undefined, null, 'fastest', {}]) {
      const [rule] = schedulerRules(() => made as SchedulerName)
      await expect(rule?.check()).rejects.toMatchObject({ code: 'ERR_MULTIPATH_OPTION' })
    }
  })
})
