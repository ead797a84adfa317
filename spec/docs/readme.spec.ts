// SPDX-License-Identifier: Apache-2.0
/** README as a stranger reads it: its programs and commands, run from the packed tarball in an empty folder. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
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
const COMMANDS = [...FIRST_SCREEN.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, command]) => command!.trim())

describe('the README', () => {
  let folder: string
  let ports: number[]
  let more: number[]
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
    more = await freePorts(6)
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

  /** The commands of the block that holds `words`, each on one line, with the ports of this machine. */
  function commandsWith(words: string): string[] {
    const [web, local, socks, first, second] = more
    const blocks = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text!)
    return blocks
      .find((text) => text.includes(words))!
      .replaceAll('\\\n', ' ')
      .replaceAll('--local 8080', `--local ${local}`)
      .replaceAll('localhost:8080', `127.0.0.1:${web}`)
      .replaceAll('--listen 1080', `--listen ${socks}`)
      .replaceAll('there.example', '127.0.0.1')
      .replaceAll('7000', String(first))
      .replaceAll('7001', String(second))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
  }

  /** Resolves with the command once it has said that. */
  async function saying(command: string, words: string): Promise<ChildProcess> {
    const child = start(`exec npx --no-install ${command}`)
    for await (const line of createInterface({ input: child.stderr! })) if (line.includes(words)) break
    child.stderr!.resume()
    return child
  }

  it('has a tunnel and a proxy that work as they stand', async () => {
    const [secret, serve, forward, socks] = commandsWith('openssl rand')
    const [web, local, proxy] = more
    const site = createServer((_request, response) => response.end('a page')).listen(web)
    try {
      await run('sh', ['-c', secret!], { cwd: folder })
      await saying(serve!, 'listening on')
      await Promise.all([saying(forward!, 'paths up'), saying(socks!, 'paths up')])
      expect(await (await fetch(`http://127.0.0.1:${local}/`)).text()).toBe('a page')
      // The rules of serve allow no address of a private network.
      const refused = run('curl', ['-sSx', `socks5h://127.0.0.1:${proxy}`, 'http://127.0.0.1/'])
      await expect(refused).rejects.toThrow(/SOCKS5 .*\(2\)/)
    } finally {
      site.close()
    }
  })

  it('has measurements that work as they stand', async () => {
    const [, doctor, speed] = commandsWith('multipath doctor')
    const [, , , , , port] = more
    const place = /127\.0\.0\.1:\d+/
    await saying(
      `multipath serve --listen 127.0.0.1:${port} --allow web=127.0.0.1:${more[0]}`,
      'listening on',
    )
    for (const command of [doctor!, speed!]) {
      const brief = `npx --no-install ${command.replace(place, `127.0.0.1:${port}`)} --seconds 0.2`
      const { stdout } = await run('sh', ['-c', brief], { cwd: folder })
      expect(stdout).toMatch(/Mbit\/s/)
    }
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
