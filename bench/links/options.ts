// SPDX-License-Identifier: Apache-2.0
/** The command line of `npm run bench:links`. */
import { parseArgs } from 'node:util'
import type { PathPolicy, SchedulerName } from 'multipath-net'
import { PEERS, type Peer } from './peers.js'
import type { Scenario } from './scenario.js'
import { isRecorded, playing } from './recording-files.js'
import { SCENARIOS } from './scenarios.js'

export const USAGE: string = `npm run bench:links -- [options]
  --only NAME,…     scenarios: ${SCENARIOS.map(({ id }) => id).join(', ')}
  --peers NAME,…    ${PEERS.map(({ id }) => id).join(', ')}
  --cc NAME,…       congestion control: bbr, cubic (default both)
  --runs N          runs of each (default 3)
  --seconds N       other than the scenario's own
  --quick           one short run of ours and plain TCP under bbr, within 5 minutes
  --fresh           don't go on with an interrupted full run
  --alone           one run after another, none side by side
  --save            write bench/results though only some was measured: the rest stays as it was
  --trace DIR       a timeline of each run as JSON lines: receiver, links, statistics of each path
  --recorded FILE,… recordings of links in mahimahi's format instead of those made here, for each link the next: FILE, or
                    FILE@SECONDS to begin later. X.down has its way back in X.up, any other plays both ways. Without --only,
                    all scenarios with recordings
  --link WORDS …    a scenario of its own instead: 'rate=50,delay=10' for each link, with
  --at WORDS …      '3 0 down' for each change, --work bulk|echo|both|offered, --seconds N,
                    --offered MBITS
  --scheduler NAME  other than the scenario's own
  --policy WORDS …  other than the scenario's own: '{"tier":"backup"}' for each link
Without --only, --peers, --cc, --runs and --seconds it goes on where it was cut off, and writes bench/results.`

export interface Options {
  readonly scenarios: readonly Scenario[]
  readonly peers: readonly Peer[]
  readonly congestionControls: readonly string[]
  readonly runs: number
  readonly seconds?: number
  readonly quick: boolean
  readonly fresh: boolean
  /** No run goes beside another. */
  readonly alone: boolean
  readonly save: boolean
  readonly trace?: string
  /** Everything is measured: results are written, and an interrupted run is gone on with. */
  readonly isFull: boolean
}

const text = { type: 'string' } as const
const many = { type: 'string', multiple: true } as const
/** What makes a scenario of one's own. */
const CUSTOM = { link: many, at: many, work: text, offered: text, scheduler: text, policy: many } as const

const QUICK_PEERS = ['ours', 'ours-go', 'plain']

/** Undefined where only help was asked for. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{ only: text, peers: text, cc: text, runs: text, seconds: text, trace: text, recorded: text },
      ...{ quick: flag, fresh: flag, alone: flag, save: flag, help: flag },
      ...CUSTOM,
    },
  })
  if (values.help) return undefined
  const {
    quick,
    fresh,
    alone,
    save,
    link,
    only,
    peers,
    cc,
    runs,
    seconds,
    trace,
    recorded,
    scheduler,
    policy,
  } = values
  const all = link ? [custom(link, Number(seconds ?? 10), values)] : SCENARIOS
  const usual = PEERS.filter(({ id, extra }) => (quick ? QUICK_PEERS.includes(id) : !extra))
  return {
    scenarios: scenarios(all, quick, only, recorded).map((scenario) => ({
      ...scenario,
      ...ownPolicies(values),
    })),
    peers: peers === undefined ? usual : chosen(PEERS, peers),
    congestionControls: (cc ?? (quick ? 'bbr' : 'bbr,cubic')).split(','),
    runs: Number(runs ?? (quick ? 1 : 3)),
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    ...(trace === undefined ? {} : { trace }),
    ...{ quick, fresh, alone, save },
    isFull: [link, only, peers, cc, runs, seconds, trace, recorded, scheduler, policy].every(
      (value) => value === undefined,
    ),
  }
}

function scenarios(
  all: readonly Scenario[],
  quick: boolean,
  only: string | undefined,
  recorded: string | undefined,
): Scenario[] {
  const isUsual = (scenario: Scenario): boolean =>
    recorded === undefined ? !scenario.extra && (!quick || scenario.quick > 0) : isRecorded(scenario)
  const wanted = only === undefined ? all.filter(isUsual) : chosen(all, only)
  return recorded === undefined ? wanted : wanted.map((scenario) => playing(scenario, recorded.split(',')))
}

interface Custom {
  readonly at?: readonly string[]
  readonly work?: string
  readonly offered?: string
  readonly scheduler?: string
  readonly policy?: readonly string[]
}

function custom(links: readonly string[], seconds: number, words: Custom): Scenario {
  const { at: changes = [], work = 'bulk', offered } = words
  if (work !== 'bulk' && work !== 'echo' && work !== 'both' && work !== 'offered')
    throw new Error(`--work is bulk, echo, both or offered, not ${work}`)
  const title = [...links, ...changes, words.scheduler ?? [], ...(words.policy ?? [])].flat().join(' + ')
  return {
    ...{ title, links, changes, work, seconds },
    id: `custom ${title}`,
    quick: seconds,
    warm: work === 'echo' ? 1 : 0,
    ...(work === 'offered' ? { offered: Number(offered ?? 10) } : {}),
  }
}

/** The library itself tells what is no scheduler and no policy. */
function ownPolicies({ scheduler, policy }: Custom): Pick<Scenario, 'scheduler' | 'policies'> {
  return {
    ...(scheduler === undefined ? {} : { scheduler: scheduler as SchedulerName }),
    ...(policy === undefined ? {} : { policies: policy.map((words) => JSON.parse(words) as PathPolicy) }),
  }
}

function chosen<T extends { readonly id: string }>(all: readonly T[], names: string): T[] {
  const wanted = names.split(',')
  const unknown = wanted.find((name) => !all.some(({ id }) => id === name))
  if (unknown !== undefined)
    throw new Error(`no such name: ${unknown}; there are ${all.map(({ id }) => id).join(', ')}`)
  return all.filter(({ id }) => wanted.includes(id))
}
