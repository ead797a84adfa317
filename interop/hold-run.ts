// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run drill:hold -- --runs 20 --seconds 5,30,100`: both links of a connection go in the middle of 64 MiB each way and come
 * back, silently or with their addresses; with `--ways`, a process is stopped or the clocks are set. With `--programs`, it is an
 * ssh session and an rsync within `multipath forward`. Exits with 1 unless every byte arrived, and the first within a second.
 */
import { parseArgs } from 'node:util'
import type { Cut, Survival } from './support/hold-drill.js'
import { drill, drillPrograms } from './support/hold-process.js'
import type { ProgramsCut, ProgramsSurvival } from './support/programs-drill.js'

const { values: args } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    ways: { type: 'string', default: 'silent,addresses' },
    mib: { type: 'string', default: '64' },
    'at-once': { type: 'string', default: '4' },
    programs: { type: 'boolean', default: false },
  },
})

const MAX_FIRST_BYTE_MS = 1000

function isTransferWhole({ bytes, mismatchAt }: Survival, cut: Cut): boolean {
  return bytes.every((each) => each === cut.bytes) && mismatchAt.every((at) => at === -1)
}

async function run(cut: Cut): Promise<{ isWhole: boolean; survival: Survival | ProgramsSurvival }> {
  if (args.programs) {
    const survival = await drillPrograms(cut as ProgramsCut)
    return { isWhole: survival.isEchoWhole && survival.isCopyWhole, survival }
  }
  const survival = await drill(cut)
  return { isWhole: isTransferWhole(survival, cut), survival }
}

function inTime({ exitCodes, firstByteMs }: Survival | ProgramsSurvival): boolean {
  return exitCodes.every((code) => code === 0) && firstByteMs.every((ms) => ms <= MAX_FIRST_BYTE_MS)
}

async function all(): Promise<void> {
  const cuts: Cut[] = []
  for (const seconds of args.seconds.split(',').map(Number))
    for (const way of args.ways.split(',') as Cut['way'][])
      for (let run = 0; run < Number(args.runs); run++)
        cuts.push({ way, seconds, bytes: Number(args.mib) * 1024 * 1024 })
  const queue = [...cuts].sort((a, b) => b.seconds - a.seconds)
  const failed: Cut[] = []
  let latestMs = 0
  const work = async (): Promise<void> => {
    for (let cut = queue.shift(); cut !== undefined; cut = queue.shift()) {
      const { isWhole, survival } = await run(cut)
      latestMs = Math.max(latestMs, ...survival.firstByteMs)
      const isGood = isWhole && inTime(survival)
      if (!isGood) failed.push(cut)
      console.log(`${cut.way} ${cut.seconds} s: ${isGood ? 'whole' : 'FAILED'} ${JSON.stringify(survival)}`)
    }
  }
  await Promise.all(Array.from({ length: Number(args['at-once']) }, work))
  console.log(
    `${cuts.length} runs, ${failed.length} failed; the first byte came after ${latestMs} ms at most`,
  )
  if (failed.length > 0) process.exitCode = 1
}

await all()
