// SPDX-License-Identifier: Apache-2.0
/**
 * An act of the tour: a `forward` with tiers runs while the monitor is open in tmux and the page in chromium. A link is cut, capped,
 * paused and resumed: by itself, by ctl, by key and by button. It has links of its own, and draws the pictures of docs/tour/.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Chromium } from '../../spec/support/chromium.js'
import { Network } from '../links/network.js'
import { ROOT } from '../shared/places.js'
import { LINKS } from './links.js'
import { screenSvg } from './screen-svg.js'
import { Stage } from './stage.js'
import { StageTerminal } from './terminal.js'

export const STEER_NEEDS: readonly string[] = ['tmux', 'chromium', 'iperf3']

const INTRO = `## Watch and steer

The same links, each with a tier: the data takes \`fibre\` first, \`dsl\` where that is full, and \`lte\` only where both are gone. iperf3 uploads through
\`forward\` all the time.`
/** Seconds behind the mark. */
const CUTS = ['1 0 down', '9 0 up']
/** Of a picture. */
const MOST_BYTES = 100_000
const COLUMNS = 132
const ROWS = 14
const TO = [
  '--to 10.77.0.2:7000,label=fibre',
  '--to 10.77.1.2:7000,label=dsl,tier=secondary',
  '--to 10.77.2.2:7000,label=lte,tier=backup',
].join(' ')

const row = (label: string): string =>
  `[...document.querySelectorAll('.paths tbody tr')].find((one) => one.dataset.key === '${label}')`

/** @returns its part of the page @throws {Error} where something isn't as it must be */
export async function steer(): Promise<string> {
  await using network = await Network.start({ links: LINKS, changes: CUTS, congestionControl: 'cubic' })
  await using stage = new Stage(network)
  installCheckout(stage)
  stage.transcript.prose(INTRO)
  const url = await start(stage)
  const terminal = new StageTerminal(stage, 'client', COLUMNS)
  await terminal.open('multipath monitor -t forward', ROWS)
  await using page = await Chromium.open({ width: 1060, height: 555, within: network.inside('client') })
  await page.goto(url)
  await page.until(`${row('lte')}?.dataset.look === 'up'`)
  try {
    await play({ stage, terminal, page })
  } finally {
    await terminal.close()
  }
  return stage.transcript.markdown()
}

interface Props {
  readonly stage: Stage
  readonly terminal: StageTerminal
  readonly page: Chromium
}

async function play(props: Props): Promise<void> {
  const { stage, terminal } = props
  await delay(6000)
  stage.transcript.shell([await stage.run('client', 'multipath status -t forward')])
  await draw(terminal, 'monitor', /fibre +up/)
  stage.transcript.prose(
    `\`multipath monitor\` shows that live. Another terminal has it open from here on, and a browser the page of \`--web\`.

![the monitor: three paths with states, rates, round-trip times and tiers](tour/monitor.svg)`,
  )
  await cut(props)
  await steerBy(props)
  await end(props)
}

/** By itself. */
async function cut({ stage, terminal, page }: Props): Promise<void> {
  stage.network.mark()
  await happened(stage.network, 'down')
  const ms = await page.until(`${row('fibre')}.dataset.look === 'down'`)
  if (ms > 1000) throw new Error(`the page showed the cut after ${ms} ms`)
  await draw(terminal, 'cut', /fibre +(?:suspect|down)/)
  stage.transcript.prose(`### A link is cut

The fibre is cut for 8 seconds; its packets are dropped silently. The page shows it in red within a second, and the data takes the DSL line at once.

![the monitor: fibre gives no answer, and dsl carries the data](tour/cut.svg)`)
  await page.until(`${row('fibre')}.dataset.look === 'up'`, 30_000)
  await delay(3000)
  stage.transcript.shell([
    await stage.run('client', 'grep --extended-regexp "fibre .*(down|recovered)" forward.log'),
  ])
}

async function steerBy({ stage, terminal, page }: Props): Promise<void> {
  await terminal.press('2')
  await terminal.screen(/2 dsl +paused/)
  await page.until(`${row('dsl')}.dataset.look === 'paused'`)
  await delay(3000)
  stage.transcript.prose(`### By key, by button and by ctl

The key \`2\` pauses the second path in the monitor.`)
  stage.transcript.shell([
    await stage.run('client', 'multipath status -t forward | grep --extended-regexp "PATH|dsl"'),
  ])
  await page.evaluate(`${row('dsl')}.querySelector('button').id = 'resume'`)
  await page.click('#resume')
  await terminal.screen(/2 dsl +up/)
  const said = await stage.run('client', "multipath ctl -t forward paths set fibre 'max-rate=4Mbit'")
  stage.transcript.prose('The button of the page resumes it. `ctl` caps the rate of the fibre.')
  stage.transcript.shell([said, await stage.run('client', 'tail --lines 2 forward.log')])
  await delay(8000)
  const picture = await page.screenshot()
  if (picture.length > MOST_BYTES) throw new Error(`the picture of the page has ${picture.length} bytes`)
  writeFileSync(join(ROOT, 'docs/tour/page.png'), picture)
  stage.transcript.prose(`The page has all of that in its history: the cut in red, the pause in grey, and the rate of the fibre under its cap.

![the page: charts of rate, round-trip time and bytes in flight, and a timeline of states](tour/page.png)`)
  if (page.errors.length > 0) throw new Error(page.errors.join('\n'))
}

async function end({ stage }: Props): Promise<void> {
  const said = await stage.run(
    'client',
    'multipath ctl -t forward drain; sleep 1; tail --lines 1 forward.log',
  )
  stage.transcript.prose('`drain` ends the command as a signal does.')
  stage.transcript.shell([said])
}

async function draw(terminal: StageTerminal, name: string, pattern: RegExp): Promise<void> {
  const lines = await terminal.screen(pattern)
  writeFileSync(join(ROOT, `docs/tour/${name}.svg`), screenSvg(lines, terminal.columns))
}

async function happened(network: Network, words: string): Promise<void> {
  while (network.changedAt(0, words) === undefined) await delay(5)
}

/** @returns the URL of the page */
async function start(stage: Stage): Promise<string> {
  await stage.run('server', 'umask 077; head --bytes 32 /dev/urandom | base64 > secret')
  await stage.run('client', 'cp --preserve=mode $SERVER/secret .')
  const serve = stage.background(
    'server',
    'multipath serve --listen 7000 --token-file secret --allow iperf=localhost:5201 2> serve.log',
  )
  stage.background('server', 'iperf3 --server > iperf.log')
  await stage.run('server', "until grep --quiet 'listening on' serve.log; do sleep 0.1; done")
  const forward = stage.background(
    'client',
    `multipath forward ${TO} --token-file secret --local 5201=iperf --web 8090 2> forward.log`,
  )
  const isUp =
    'timeout 20 sh -c "until grep --quiet \'3 of 3 paths up\' forward.log; do sleep 0.1; done" || cat forward.log'
  const early = await stage.run('client', isUp)
  if (early.output.length > 0) throw new Error(early.output.join('\n'))
  const iperf = stage.background('client', 'iperf3 --client 127.0.0.1 --port 5201 --time 600 > iperf.log')
  const log = await stage.run('client', 'cat forward.log')
  const url = /page on (\S+)/.exec(log.output.join('\n'))?.[1]
  if (url === undefined) throw new Error(log.output.join('\n'))
  const shown = log.output.map((line) => line.replace(/#token=\S+/, '#token=…'))
  stage.transcript.shell([serve.said, forward.said, { ...log, output: shown }, iperf.said])
  return url
}

/** The commands of this checkout: that a tarball works is tried elsewhere. */
function installCheckout(stage: Stage): void {
  const folder = join(stage.prefix, 'bin')
  mkdirSync(folder, { recursive: true })
  const program = join(folder, 'multipath')
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${ROOT}dist/cli/main.js "$@"\n`)
  chmodSync(program, 0o755)
}
