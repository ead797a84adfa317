// SPDX-License-Identifier: Apache-2.0
/** Links that play recordings: three carriers in a car, and a Wi-Fi that fades. Only on demand. */
import { BULK, ECHO, type Scenario } from './scenario.js'

const CAR = [
  'recorded=carrier-1,delay=25,queue=256',
  'recorded=carrier-2,delay=35,queue=512',
  'recorded=carrier-3,delay=45,queue=256',
]
const ON_DEMAND = { extra: true, seconds: 30, quick: 15 }
const OURS = { peers: ['ours'] }
/** 200 bytes every 20 ms: a call. */
const CALL = { ...ECHO, ...ON_DEMAND, links: CAR, every: 20 } as const

export const RECORDED_SCENARIOS: readonly Scenario[] = [
  { ...BULK, ...ON_DEMAND, id: 'car', title: 'recorded: three carriers in a car', links: CAR },
  {
    ...BULK,
    ...ON_DEMAND,
    id: 'fading',
    title: 'recorded: a Wi-Fi that fades and a carrier',
    links: ['recorded=wifi,delay=5,queue=256', 'recorded=carrier-2,delay=35,queue=512'],
  },
  { ...CALL, id: 'echo-car', title: 'recorded: echo over three carriers in a car' },
  {
    ...CALL,
    ...OURS,
    id: 'redundant-car',
    title: 'recorded, redundant: echo over three carriers in a car',
    scheduler: 'redundant',
  },
  {
    ...CALL,
    ...OURS,
    id: 'hybrid-car',
    title: 'recorded, hybrid: echo over three carriers in a car',
    scheduler: 'hybrid',
  },
  {
    ...CALL,
    id: 'both-car',
    title: 'recorded: bulk over three carriers in a car, and echo on a second connection',
    work: 'both',
    warm: 0,
  },
]
