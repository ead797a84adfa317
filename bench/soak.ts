// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run soak`: connections over failing loopback paths for as long as wished, every byte accounted for.
 *
 *   --minutes 20   --seed 7   the seed is printed; the same one draws the same plans and faults, as far as real time lets it
 *
 * Four connections at a time, each over two to four relays of random rates, ours to ours, ours to Go and Go to ours. They
 * send seeded data in rounds, to readers that may be slow or stop, and end in order; paths freeze, are cut and change
 * their rate meanwhile, except that one path of each connection is never frozen and never cut. Exit code 1, with what
 * is wrong and the seed, when a byte is missing or wrong, when a connection ends otherwise than in order or stands
 * still for 30 s, or when the process takes more than 600 MiB.
 *
 * An unmodified Go peer loses for good what it had for a path that is reset or closed (interop/README.md). So where Go
 * sends, no path is cut, silences are short, and ours gives no silent path up; where paths are cut, Go only reads.
 * Under load a Go peer that sends may lock itself up, whatever its peer is. A connection that stands still is left
 * out and counted as that only where the Go peer's goroutines prove it.
 */
import { randomInt } from 'node:crypto'
import { optionsOf } from './shared/options-of.js'
import { buildPeer, goVersion } from '../interop/support/build-peer.js'
import { GoPeer } from '../interop/support/go-peer.js'
import { KINDS } from './soak/plan.js'
import { Soak } from './soak/run.js'

const MOST_SEED = 2 ** 31 - 1
const TERMINAL_MS = 10_000
const FILE_MS = 60_000
/** From the end of the last connection until the process has nothing left to do. */
const LEFTOVER_MS = 15_000

function numberOf(option: string, text: string, isRight: (value: number) => boolean, what: string): number {
  const value = Number(text)
  if (text.trim() !== '' && isRight(value)) return value
  console.error(`--${option} takes ${what}, not '${text}'`)
  process.exit(2)
}

const args = optionsOf({
  minutes: { type: 'string', default: '20' },
  seed: { type: 'string', default: String(randomInt(1, MOST_SEED)) },
})
const minutes = numberOf('minutes', args.minutes, (n) => n > 0 && n < Infinity, 'a number above 0')
const isSeed = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= MOST_SEED
const seed = numberOf('seed', args.seed, isSeed, `an integer from 0 to ${MOST_SEED}`)

const hasGo = goVersion() !== undefined
// Once, before several are started at the same time.
if (hasGo) await buildPeer()
else console.error('Go is missing: the connections with it are left out')
const kinds = KINDS.filter(({ dials, listens }) => hasGo || (dials === 'ours' && listens === 'ours'))
console.log(`soak of ${minutes} min, --seed ${seed}`)
using soak = new Soak({ minutes, seed, kinds, startGo: () => GoPeer.start() })
const telling = setInterval(() => console.log(soak.progress()), process.stdout.isTTY ? TERMINAL_MS : FILE_MS)
try {
  await soak.run()
  console.log(`${soak.progress()}\n${soak.summary()}\nEvery byte is accounted for.`)
} catch (error) {
  console.error(
    `${soak.progress()}\n${soak.summary()}\nFAILED with --seed ${seed}: ${(error as Error).message}`,
  )
  // The connections that did not fail go on: nothing else would end them.
  process.exit(1)
} finally {
  clearInterval(telling)
}
// Whatever keeps the process alive after this was left behind by a connection that is over.
setTimeout(() => {
  console.error(`FAILED with --seed ${seed}: left behind: ${process.getActiveResourcesInfo().join(', ')}`)
  process.exit(1)
}, LEFTOVER_MS).unref()
