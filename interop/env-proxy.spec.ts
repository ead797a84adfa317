// SPDX-License-Identifier: Apache-2.0
/** `NODE_USE_ENV_PROXY=1` as docs/integrations.md has it: an unchanged program, through `multipath socks` over two paths. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { CliProcess } from '../spec/support/cli-process.js'
import { freePorts } from '../spec/support/free-ports.js'
import { PathRelay } from './support/path-relay.js'

/** Where `npm run runtimes` puts it. */
const NODE_24 = join(import.meta.dirname, '../build/runtimes/Node-24')
const TOKEN = { MULTIPATH_TOKEN: 'a token of more than sixteen bytes' }
const PROGRAM = `
import http from 'node:http'
import { text } from 'node:stream/consumers'
const [url] = process.argv.slice(-1)
const get = () => new Promise((resolve, reject) => http.get(url, resolve).on('error', reject))
for (let i = 0; i < 5; i++) {
  console.log(await (await fetch(url)).text())
  console.log(await text(await get()))
  if (i === 0) await new Promise((next) => process.stdin.once('data', next))
}
process.stdin.destroy()`

/** The Node that runs the specs, if it knows the variable; otherwise the one that was installed for that. */
function nodeWithProxy(): string | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21)) return process.execPath
  return existsSync(NODE_24) ? NODE_24 : undefined
}

it.skipIf(nodeWithProxy() === undefined)(
  'a program with fetch and http works on through a reset and a silent path, ends by itself and prints no warning',
  async () => {
    const web = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
    onTestFinished(() => void web.close())
    await once(web, 'listening')
    const target = `127.0.0.1:${(web.address() as AddressInfo).port}`
    const [port, proxy] = await freePorts(2)
    const serving = ['serve', '--listen', `127.0.0.1:${port}`, '--allow-socks', target, '--no-ctl']
    await using serve = new CliProcess(serving, { env: TOKEN })
    await serve.line(/listening on/)
    await using first = await PathRelay.open(port!)
    await using second = await PathRelay.open(port!)
    await using third = await PathRelay.open(port!)
    const to = [first, second, third].flatMap((relay) => ['--to', `127.0.0.1:${relay.port}`])
    await using socks = new CliProcess(['socks', ...to, '--listen', `${proxy}`, '--no-ctl'], { env: TOKEN })
    await socks.line(/connected to/)
    await Promise.all([first, second].map((relay) => relay.joined()))

    const url = `http://localhost:${proxy}`
    const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url }
    const args = ['--input-type=module', '--eval', PROGRAM, `http://${target}/`]
    const program = spawn(nodeWithProxy()!, args, { env, stdio: 'pipe' })
    onTestFinished(() => void program.kill())
    const said = Promise.all([text(program.stdout), text(program.stderr)])
    await once(program.stdout, 'data')
    first.reset()
    second.freeze()
    program.stdin.write('\n')
    expect((await once(program, 'exit'))[0]).toBe(0)
    expect(await said).toEqual(['hello\n'.repeat(10), ''])
  },
)
