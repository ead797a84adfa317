// SPDX-License-Identifier: Apache-2.0
/** The first part: a tarball is packed and installed as a user would, and both ends are started. */
import { execFileSync } from 'node:child_process'
import { ROOT } from '../shared/places.js'
import type { Program } from '../shared/program.js'
import type { Stage } from './stage.js'

/** Of the web server, which only the server reaches. */
export const SITE = '198.51.100.80'

export function install(stage: Stage): void {
  const npm = (args: string[], cwd: string): string[] =>
    execFileSync('npm', [...args, '--no-fund', '--no-audit', '--no-update-notifier'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .split('\n')
      .filter((line) => line !== '')
  const packed = npm(['pack', '--silent', '--pack-destination', stage.scratch], ROOT).at(-1) ?? ''
  const installed = npm(['install', '--global', '--prefix', stage.prefix, packed], stage.scratch)
  stage.transcript.shell([
    { prompt: '', command: 'npm pack --silent', output: [packed] },
    { prompt: '', command: `npm install --global ${packed}`, output: installed },
  ])
}

export interface Ends {
  readonly serve: Program
  readonly socks: Program
  readonly forward: Program
}

const PATHS = '--to 10.77.0.2:7000 --to 10.77.1.2:7000 --to 10.77.2.2:7000'

/** @throws {Error} where one of them doesn't start */
export async function startEnds(stage: Stage): Promise<Ends> {
  const token = await stage.run('server', 'head --bytes 32 /dev/urandom | base64 > secret')
  const copied = await stage.run('client', 'cp $SERVER/secret .')
  const serve = stage.background(
    'server',
    `multipath serve --listen 7000 --token-file secret --allow-socks ${SITE}:80 --allow ssh=localhost:2222 --allow iperf=localhost:5201 --verbose 2> serve.log`,
  )
  await stage.run('server', untilSays('listening on', 'serve.log'))
  const socks = stage.background(
    'client',
    `multipath socks ${PATHS} --token-file secret --listen 1080 2> socks.log`,
  )
  await stage.run('client', untilSays('connected to', 'socks.log'))
  const forward = stage.background(
    'client',
    `multipath forward ${PATHS} --token-file secret --local 2022=ssh --local 5201=iperf`,
  )
  await forward.program.line(/connected to/)
  stage.transcript.shell([token, copied])
  stage.transcript.shell([serve.said])
  stage.transcript.shell([socks.said, forward.said])
  return { serve: serve.program, socks: socks.program, forward: forward.program }
}

function untilSays(words: string, log: string): string {
  return `until grep --quiet '${words}' ${log}; do sleep 0.1; done`
}

/** As Ctrl-C does; each says what became of it by its exit code. */
export async function stopEnds(stage: Stage, { serve, socks, forward }: Ends): Promise<void> {
  const stopped = []
  for (const [side, name, program] of [
    ['client', 'socks', socks],
    ['client', 'forward', forward],
    ['server', 'serve', serve],
  ] as const) {
    await program.stop('SIGINT')
    if (program.exitCode !== 0) throw new Error(`${name} ended with ${program.exitCode}`)
    stopped.push({ prompt: side, command: `kill -INT %?${name}; wait %?${name}; echo $?`, output: ['0'] })
  }
  stage.transcript.shell(stopped)
}
