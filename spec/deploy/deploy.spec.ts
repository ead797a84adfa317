// SPDX-License-Identifier: Apache-2.0
/** What deploy/ and docs/operation.md give to those who run the commands as services. */
import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readConfig } from '../../lib/cli/up/read-config.js'
import { CERTIFICATE } from '../support/certificate.js'
import { tempFiles } from '../support/temp-files.js'

const run = promisify(execFile)
const write = tempFiles()

function isThere(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 5000 })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!isThere('systemd-analyze', '--version'))('the units of systemd', () => {
  it('are those that systemd-analyze takes without a word', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'multipath-units-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const names = ['multipath@home', 'multipath-gateway'].flatMap((name) => [
      `${name}.service`,
      `${name}.socket`,
    ])
    for (const name of names) {
      const source = `deploy/systemd/${name.replace('home', '')}`
      writeFileSync(join(folder, name), readFileSync(source, 'utf8'))
    }
    const units = names.map((name) => join(folder, name))
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...units])
    const ofOurs = (stdout + stderr).split('\n').filter((line) => line.includes('multipath'))
    expect(ofOurs).toEqual([])
  })
})

it('the example of docs/operation.md is a file of up', () => {
  const text = /```yaml world=home\n(.*?)```/s.exec(readFileSync('docs/operation.md', 'utf8'))![1]!
  write('token', 'a token of sixteen bytes')
  write('gw.pem', CERTIFICATE.cert)
  const { parts } = readConfig(write('home.yaml', text), {})
  expect(parts.map(({ name }) => name)).toEqual(['forward', 'socks'])
})

describe('the container', () => {
  const text = readFileSync('deploy/container/Containerfile', 'utf8')

  it('runs as an ordinary user, and hands signals to the command itself', () => {
    expect(text).toMatch(/^USER node$/m)
    expect(text).toMatch(/^ENTRYPOINT \["multipath"\]$/m)
  })

  const engine = ['docker', 'podman'].find((name) => isThere(name, 'info'))
  it.skipIf(engine === undefined)(
    'is built by the engine of this machine, and prints its version',
    { timeout: 300_000 },
    async () => {
      const context = mkdtempSync(join(tmpdir(), 'multipath-image-'))
      onTestFinished(() => rmSync(context, { recursive: true }))
      const { stdout } = await run('npm', [
        'pack',
        '--ignore-scripts',
        '--silent',
        '--pack-destination',
        context,
      ])
      chmodSync(context, 0o755)
      const file = join(context, 'Containerfile')
      writeFileSync(file, text.replace('RUN npm', `COPY ${stdout.trim()} /tmp/\nRUN npm`))
      const args = ['--file', file, '--build-arg', `PACKAGE=/tmp/${stdout.trim()}`, '--quiet', context]
      const image = (await run(engine!, ['build', ...args])).stdout.trim()
      const shown = await run(engine!, ['run', '--rm', image, '--version'])
      expect(shown.stdout).toMatch(/^\d+\.\d+\.\d+/)
    },
  )
})
