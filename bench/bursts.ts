// SPDX-License-Identifier: Apache-2.0
/**
 * Short connections of one address, many at once: none may fail, each is one `connection` at the server, and nothing is
 * left. `npm run bursts -- --connections 10000 --at-once 100 --paths 3`; without flags, all of 100 and 1,000, 1 and 3.
 */
import type { BurstPlan } from './bursts/run.js'
import { runBurst } from './bursts/run.js'
import { optionsOf } from './shared/options-of.js'

const values = optionsOf({
  connections: { type: 'string', default: '10000' },
  'at-once': { type: 'string', default: '100,1000' },
  paths: { type: 'string', default: '1,3' },
})

function numbersOf(text: string): number[] {
  return text.split(',').map((part) => {
    const number = Number(part)
    if (!Number.isInteger(number) || number < 1) throw new Error(`not a whole number from 1: ${part}`)
    return number
  })
}

const [connections = 1] = numbersOf(values.connections)
let hasFault = false

for (const atOnce of numbersOf(values['at-once'])) {
  const plain: BurstPlan = { kind: 'net', connections, atOnce, paths: 1 }
  const { perSecond: rate, faults } = await runBurst(plain)
  console.log(`${atOnce} at once, plain net: ${rate} a second ${faults.join('; ')}`)
  for (const paths of numbersOf(values.paths)) {
    const result = await runBurst({ kind: 'ours', connections, atOnce, paths })
    const share = ((100 * result.perSecond) / rate).toFixed(0)
    const refused = result.refused.map(([code, count]) => `${count} ${code}`).join(', ')
    console.log(
      `${atOnce} at once, ${paths} paths: ${result.perSecond} a second, ${share} % of net;`,
      `${refused === '' ? 'none' : refused} refused; ${result.faults.join('; ') || 'no fault'}`,
    )
    hasFault ||= result.faults.length > 0
  }
}
process.exitCode = hasFault ? 1 : 0
