// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../support/free-ports.js'

const ROOT = join(import.meta.dirname, '../..')
/** Inside of the package, so that its name leads to the built one. */
const FOLDER = join(ROOT, 'build/readme')
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The code of the block that is marked with `file=NAME`. */
function block(name: string): string {
  const match = new RegExp(`\`\`\`js file=${name.replace('.', '\\.')}\\n([\\s\\S]*?)\`\`\``).exec(README)
  expect(match, `${name} in README.md`).not.toBeNull()
  return match![1]!
}

describe('the README', () => {
  let ports: number[]

  beforeAll(async () => {
    ports = await freePorts(2)
    mkdirSync(FOLDER, { recursive: true })
    for (const name of ['server.mjs', 'client.mjs']) {
      const code = block(name).replaceAll('7001', String(ports[0])).replaceAll('7002', String(ports[1]))
      writeFileSync(join(FOLDER, name), code)
    }
  })

  const children: ReturnType<typeof spawn>[] = []
  afterAll(() => {
    for (const child of children) child.kill()
  })

  it('has a server and a client that work as they stand', async () => {
    const server = spawn(process.execPath, [join(FOLDER, 'server.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(server)
    await once(server.stdout, 'data')
    const client = spawn(process.execPath, [join(FOLDER, 'client.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(client)
    expect(await text(client.stdout)).toBe('hello over two paths\n')
    expect(client.exitCode ?? (await once(client, 'exit'))[0]).toBe(0)
  })

  it('names only documents that exist', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]!)
    expect(links.length).toBeGreaterThan(5)
    const missing = links.filter((link) => {
      const parts = link.replace(/\/$/, '').split('/')
      return !readdirSync(join(ROOT, ...parts.slice(0, -1))).includes(parts.at(-1)!)
    })
    expect(missing).toEqual([])
  })

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    const names = [...README.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]!)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(Object.keys(scripts)).toContain(name)
  })
})
