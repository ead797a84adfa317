// SPDX-License-Identifier: Apache-2.0
/**
 * README as a stranger reads it: its first screen and its programs, run from the packed tarball in an empty folder. Its other
 * commands need a second machine: interop/examples.spec.ts.
 */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'
import { packTarball } from '../support/packed.js'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const FIRST_SCREEN = README.slice(0, README.indexOf('\n## '))

/** The code of the block that is marked with `file=NAME`. */
function block(name: string): string {
  const match = new RegExp(`\`\`\`js file=${name.replace('.', '\\.')}\\n([\\s\\S]*?)\`\`\``).exec(README)
  expect(match, `${name} in README.md`).not.toBeNull()
  return match![1]!
}

/** The commands of the first screen, in order. */
const COMMANDS = [...FIRST_SCREEN.matchAll(/```sh file=\w+\n([\s\S]*?)```/g)].map(([, command]) =>
  command!.trim(),
)

describe('the README', () => {
  let folder: string
  let ports: number[]
  const children: ChildProcess[] = []

  /** A program or a command in the folder. */
  function start(command: string): ReturnType<typeof spawn> {
    const child = spawn('sh', ['-c', command], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    return child
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'multipath-readme-'))
    ports = await freePorts(3)
    const tarball = await packTarball(folder)
    const install = COMMANDS[0]!.replace('multipath-net', tarball)
    writeFileSync(join(folder, 'package.json'), '{}')
    await run('sh', ['-c', `${install} --prefer-offline --no-audit --no-fund`], { cwd: folder })
    for (const name of ['hello.mjs', 'server.mjs', 'client.mjs']) {
      const code = block(name).replaceAll('7001', String(ports[0])).replaceAll('7002', String(ports[1]))
      writeFileSync(join(folder, name), code)
    }
  }, 60_000)

  afterAll(() => {
    for (const child of children) child.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  it('begins with a sentence, a picture, an install line, ten lines of code and a command', () => {
    const lines = block('hello.mjs').trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(10)
    expect(COMMANDS).toHaveLength(2)
    expect(COMMANDS[0]).toBe('npm install multipath-net')
    expect(FIRST_SCREEN.match(/!\[/g)).toHaveLength(1)
    const picture = readFileSync(join(ROOT, 'docs/pictures/transfer.svg'), 'utf8')
    expect(Number(/height="(\d+)"/.exec(picture)![1])).toBeLessThan(300)
  })

  it('begins with a program that works as it stands', async () => {
    const { stdout, stderr } = await run(process.execPath, ['hello.mjs'], { cwd: folder })
    expect(stdout + stderr).toBe('hello over two paths\n')
  })

  it('begins with a command that works as it stands', async () => {
    const [, , port] = ports
    const [waiting] = /`(multipath nc -l [^`]+)`/.exec(FIRST_SCREEN)!.slice(1)
    writeFileSync(join(folder, 'sent'), 'the contents of a disk\n')
    const npx = 'npx --package multipath-net'
    const receiver = start(`${npx} ${waiting!.replace('7000', String(port))}`)
    const sending = COMMANDS[1]!
      .replace('there.example:7000', `127.0.0.1:${port}`)
      .replace('disk.img', 'sent')
    await once(receiver.stderr!, 'data')
    await run('sh', ['-c', sending], { cwd: folder })
    expect(receiver.exitCode ?? (await once(receiver, 'exit'))[0]).toBe(0)
    expect(readFileSync(join(folder, 'disk.img'), 'utf8')).toBe('the contents of a disk\n')
  })

  it('has a server and a client that work as they stand', async () => {
    const server = start(`exec "${process.execPath}" server.mjs`)
    await once(server.stdout!, 'data')
    const client = start(`exec "${process.execPath}" client.mjs`)
    expect(await text(client.stdout!)).toBe('hello over two paths\n')
    expect(client.exitCode ?? (await once(client, 'exit'))[0]).toBe(0)
  })

  it('links by whole addresses, which npm shows as well, and only to files that exist', () => {
    const { homepage } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { homepage: string }
    const home = homepage.replace(/#.*/, '')
    const raw = home.replace('https://github.com/', 'https://raw.githubusercontent.com/')
    const links = [...README.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!)
    expect(links.filter((link) => !/^(https:\/\/|#)/.test(link))).toEqual([])
    const ours = links.filter((link) => link.startsWith(home) || link.startsWith(raw))
    expect(ours.length).toBeGreaterThan(20)
    const files = ours.map((link) => link.replace(`${home}/blob/HEAD/`, '').replace(`${raw}/HEAD/`, ''))
    expect(files.filter((file) => !existsSync(join(ROOT, file.replace(/#.*/, ''))))).toEqual([])
  })

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    const names = [...README.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]!)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(Object.keys(scripts)).toContain(name)
  })
})
