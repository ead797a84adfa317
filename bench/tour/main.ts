// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run tour`: tries the commands as a new user would, from a packed tarball, between two network namespaces with
 * three links that are cut in turn; checks what arrives, and writes the transcript, docs/tour.md. What is not installed
 * is left out, and the transcript goes to standard output alone then.
 */
import { writeFileSync } from 'node:fs'
import { missingForLinks } from '../links/needs.js'
import { Network } from '../links/network.js'
import { ROOT } from '../shared/places.js'
import { install, SITE, startEnds, stopEnds } from './install.js'
import { cuts, cutsSince, LINKS, nextCut } from './links.js'
import { missingPrograms } from './needs.js'
import { outage } from './outage.js'
import { BROWSER, CURL, DOWNLOAD, IPERF, type Part, RSYNC } from './parts.js'
import { Stage } from './stage.js'
import { steer, STEER_NEEDS } from './steer.js'

const HEAD = `# A tour

This tour runs \`serve\` on one machine, \`socks\` and \`forward\` on a second one, three links between them, and programs that know
nothing about multipath. \`npm run tour\` wrote this page: it ran the commands and checked the transferred data. The machines are network
namespaces, and the links are emulated: 20 Mbit/s with a one-way delay of 10 ms, 20 Mbit/s with 25 ms, and 10 Mbit/s with 40 ms.`

const CUTS = `## Links fail and recover

From here on, a different link is cut for 3 seconds every 5 seconds. Its packets are dropped silently, and the programs
do not notice.`

/** False where it was left out. */
async function play(stage: Stage, part: Part, isCut: boolean): Promise<boolean> {
  const missing = missingPrograms(part.needs)
  stage.transcript.prose(`${isCut ? '###' : '##'} ${part.title}`)
  if (missing.length > 0) {
    stage.transcript.prose(`Left out: ${missing.join('; ')}.`)
    return false
  }
  stage.transcript.prose(part.prose)
  const since = Date.now()
  if (isCut) await nextCut(stage.network)
  await part.run(stage)
  if (isCut) stage.transcript.prose(`Cuts during this part: ${cutsSince(stage.network, since)}.`)
  return true
}

async function tour(stage: Stage): Promise<boolean> {
  const { transcript, network } = stage
  transcript.prose(HEAD)
  transcript.prose('## Install')
  install(stage)
  transcript.prose(`## Start both ends

Both machines share a secret. The server runs \`serve\`, and the client a proxy and two forwarded ports. Clients can reach only
the targets that \`--allow\` and \`--allow-socks\` name.`)
  network.ip('server', 'addr', 'add', `${SITE}/32`, 'dev', 'lo')
  const web = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    `${ROOT}bench/tour/web.ts`,
    SITE,
    '80',
  ]
  await stage.prop('server', web, /listening/)
  const ends = await startEnds(stage)
  let isWhole = await play(stage, CURL, false)
  isWhole = (await play(stage, outage(ends.forward), false)) && isWhole
  transcript.prose(CUTS)
  network.mark()
  for (const part of [IPERF, RSYNC, DOWNLOAD, BROWSER]) isWhole = (await play(stage, part, true)) && isWhole
  transcript.prose(`## The log of serve

With \`--verbose\`, \`serve\` reports events of each path of each client. A silent path gets no more data until it answers, or until a
second subflow, dialled beside it, has replaced it.`)
  transcript.shell([
    await stage.run(
      'server',
      'grep --extended-regexp "suspect|recovered|replaced" serve.log | tail --lines 12',
    ),
  ])
  transcript.prose('## The end\n\nA signal, such as Ctrl-C, ends the commands in order.')
  await stopEnds(stage, ends)
  return isWhole
}

async function main(): Promise<void> {
  const missing = await missingForLinks()
  if (missing.length > 0) {
    console.error(`No tour here. Missing:\n${missing.map((what) => `- ${what}`).join('\n')}`)
    process.exitCode = 1
    return
  }
  const acts = process.argv.includes('--only-steer') ? [steering] : [programs, steering]
  const pages: string[] = []
  let isWhole = acts.length > 1
  for (const act of acts) {
    const { markdown, isWhole: isOneWhole } = await act()
    pages.push(markdown)
    isWhole &&= isOneWhole
  }
  if (isWhole) writeFileSync(`${ROOT}docs/tour.md`, pages.join('\n'))
  else console.log(pages.join('\n'))
}

interface Played {
  readonly markdown: string
  /** Nothing was left out. */
  readonly isWhole: boolean
}

/** Programs that know nothing about multipath, over links that are cut in turn. */
async function programs(): Promise<Played> {
  await using network = await Network.start({ links: LINKS, changes: cuts(), congestionControl: 'cubic' })
  await using stage = new Stage(network)
  const isWhole = await tour(stage)
  return { markdown: stage.transcript.markdown(), isWhole }
}

/** The monitor, the page and ctl. */
async function steering(): Promise<Played> {
  const missing = missingPrograms(STEER_NEEDS)
  if (missing.length === 0) return { markdown: await steer(), isWhole: true }
  return { markdown: `Left out: ${missing.join('; ')}.\n`, isWhole: false }
}

// Only a process that ends by itself runs its exit handlers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main()
