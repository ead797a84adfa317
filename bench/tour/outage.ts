// SPDX-License-Identifier: Apache-2.0
/** The act without any link: an ssh session and an rsync wait until one returns. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Program } from '../shared/program.js'
import { seeded } from './content.js'
import type { Part } from './parts.js'
import { startSshd } from './sshd.js'
import type { Stage } from './stage.js'
import type { Said } from './transcript.js'

const OUTAGE_S = 30
const FILM_BYTES = 40_000_000
const COUNT = 50
/** Before the links go. */
const BEFORE_MS = 2000
/** Whatever the server sends vanishes, on all links. */
const SILENCE = ['priority', '10', 'to', '10.77.0.0/16', 'blackhole']

/** @param forward - the command that both programs go through */
export function outage(forward: Program): Part {
  return {
    title: 'No link at all',
    prose: `An ssh session counts to ${COUNT}, and rsync copies a file of ${FILM_BYTES / 1_000_000} MB. After ${BEFORE_MS / 1000} seconds, all links fall silent for
${OUTAGE_S} seconds. Both ends of the tunnel hold the session (\`--hold\`, two minutes by default), so the programs wait and then continue.`,
    needs: ['rsync', 'ssh', 'ssh-keygen', '/usr/sbin/sshd'],
    run: (stage) => play(stage, forward),
  }
}

async function play(stage: Stage, forward: Program): Promise<void> {
  const film = join(stage.folder('client'), 'film')
  mkdirSync(film)
  writeFileSync(join(film, 'film.mkv'), seeded(99, FILM_BYTES))
  const sshd = await startSshd(stage)
  try {
    const before = forward.lines.length
    const counter = stage.background(
      'client',
      `ssh -F ssh_config far 'for i in $(seq ${COUNT}); do echo $i; sleep 1; done' > counted`,
    )
    const copying = stage.run('client', "rsync --archive --stats --rsh='ssh -F ssh_config' film far:$SERVER/")
    await Promise.all([copying, silence(stage)])
    const copied = await copying
    await counter.program.ended(2 * COUNT * 1000)
    const counted = await stage.run('client', `seq ${COUNT} | cmp - counted && echo "counted to ${COUNT}"`)
    const sum = 'sha256sum film/film.mkv'
    const [here, there] = [await stage.run('client', sum), await stage.run('server', sum)]
    if (here.output[0] !== there.output[0]) throw new Error('the copy differs')
    stage.transcript.shell([counter.said, { ...copied, output: statsOf(copied) }])
    stage.transcript.prose('Meanwhile, `forward` said:')
    const said = forward.lines.slice(before).filter((line) => /: (suspended|resumed)/.test(line))
    if (said.length < 2) throw new Error(`forward did not tell of the outage: ${forward.lines.join('\n')}`)
    stage.transcript.shell([{ prompt: 'client', command: 'fg %?forward', output: said }])
    stage.transcript.shell([counted, here, there])
  } finally {
    await sshd.stop()
  }
}

async function silence(stage: Stage): Promise<void> {
  await delay(BEFORE_MS)
  stage.network.ip('server', 'rule', 'add', ...SILENCE)
  await delay(OUTAGE_S * 1000)
  stage.network.ip('server', 'rule', 'delete', ...SILENCE)
}

function statsOf({ output }: Said): string[] {
  return output.filter((line) => /transferred:|Total file size/.test(line))
}
