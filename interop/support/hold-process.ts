// SPDX-License-Identifier: Apache-2.0
/** One cut in a process of its own, since namespaces are named by processes. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Cut, Survival } from './hold-drill.js'
import { survive } from './hold-drill.js'

const CUT = '--cut'

export async function drill(cut: Cut): Promise<Survival> {
  const child = fork(import.meta.filename, [CUT, JSON.stringify(cut)], { execArgv: ['--import', 'tsx'] })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the drill ended with ${code}`)
  })
  ended.catch(() => {}) // It may come after the message.
  const [survival] = (await Promise.race([once(child, 'message'), ended])) as [Survival]
  return survival
}

const [flag, cut] = process.argv.slice(2)
if (flag === CUT && process.send !== undefined)
  process.send(await survive(JSON.parse(cut!) as Cut), () => process.disconnect())
