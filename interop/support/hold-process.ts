// SPDX-License-Identifier: Apache-2.0
/** One cut in a process of its own, since namespaces are named by processes. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Cut, Survival } from './hold-drill.js'
import { survive } from './hold-drill.js'
import type { ProgramsCut, ProgramsSurvival } from './programs-drill.js'
import { surviveWithPrograms } from './programs-drill.js'

const DRILLS = { '--transfer': survive, '--programs': surviveWithPrograms }
type Drill = keyof typeof DRILLS

async function inProcess(drill: Drill, cut: Cut | ProgramsCut): Promise<unknown> {
  const child = fork(import.meta.filename, [drill, JSON.stringify(cut)], { execArgv: ['--import', 'tsx'] })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the drill ended with ${code}`)
  })
  ended.catch(() => {}) // It may come after the message.
  const [survival] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
  return survival
}

export const drill = (cut: Cut): Promise<Survival> => inProcess('--transfer', cut) as Promise<Survival>

/** With an ssh session and an rsync, at the built command. */
export const drillPrograms = (cut: ProgramsCut): Promise<ProgramsSurvival> =>
  inProcess('--programs', cut) as Promise<ProgramsSurvival>

const [flag, cut] = process.argv.slice(2)
if (process.send !== undefined && flag !== undefined && flag in DRILLS)
  process.send(await DRILLS[flag as Drill](JSON.parse(cut!) as Cut & ProgramsCut), () => process.disconnect())
