// SPDX-License-Identifier: Apache-2.0
/** A WireGuard tunnel whose packets `multipath forward` carries over two uplinks, as docs/datagrams.md sets it up. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { Program } from '../bench/shared/program.js'
import { blocksOf } from '../spec/support/blocks.js'
import { CliProcess } from '../spec/support/cli-process.js'
import { commandsOf } from './support/example-stage.js'
import { SERVER, Uplinks } from './support/uplinks.js'
import { buildWireGuard, keyPair, openTunnel, whyNoWireGuard } from './support/wireguard.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 180_000 })

const why = whyNoWireGuard()
const BLOCKS = blocksOf('docs/datagrams.md')
const [SERVE, FORWARD] = commandsOf(BLOCKS.find(({ tags }) => tags['world'] === 'wireguard')!.code)
const CONFIGS = BLOCKS.filter(({ language }) => language === 'ini').map(({ code }) => code)
/** The server within the tunnel. */
const THERE = '10.9.0.1'
const TOKEN = 'a token that only specs know'
const MIB = 1_048_576

/** Echoes on port 7 over UDP. On port 80 over TCP, sends at once, and as much again when asked. */
const SERVERS = `
const udp = require('node:dgram').createSocket('udp4')
udp.on('message', (packet, { address, port }) => udp.send(packet, port, address)).bind(7, '${THERE}')
require('node:net').createServer((socket) => {
  socket.on('error', () => {}).write(Buffer.alloc(${4 * MIB}))
  socket.once('data', () => socket.end(Buffer.alloc(${4 * MIB})))
})
  .listen(80, '${THERE}', () => console.log('ready'))`
/** How many of so many packets come back. */
const PINGS = `
const udp = require('node:dgram').createSocket('udp4')
let [sent, came] = [0, 0]
udp.on('message', () => came++)
const timer = setInterval(() => {
  if (sent++ < 100) return udp.send('ping', 7, '${THERE}')
  clearInterval(timer)
  setTimeout(() => { console.log('came', came); udp.close() }, 500)
}, 5)`
const DOWNLOAD = `
let bytes = 0
const socket = require('node:net').connect(80, '${THERE}')
socket.once('data', () => console.log('begins'))
process.stdin.once('data', () => socket.write('more'))
socket.on('data', (chunk) => bytes += chunk.length).on('close', () => { console.log('bytes', bytes); process.exit() })`

let program: string
const running: AsyncDisposable[] = []

beforeAll(async () => {
  if (why === undefined) program = await buildWireGuard()
})
afterEach(async () => {
  for (const one of running.splice(0).toReversed()) await one[Symbol.asyncDispose]()
})

function keep<One extends AsyncDisposable>(one: One): One {
  running.push(one)
  return one
}

/** The line of the document on the machines of this spec. */
function multipath(line: string, within: readonly string[]): CliProcess {
  const args = line
    .replace(/^multipath /, '')
    .replace(/--token-file \S+/, '--no-ctl -v')
    .replaceAll('there.example', SERVER)
    .replace('@eth0', '@up1')
    .replace('@wwan0', '@up2')
    .split(' ')
  return keep(new CliProcess(args, { within, env: { MULTIPATH_TOKEN: TOKEN } }))
}

describe.skipIf(why !== undefined)(`a WireGuard tunnel${why ? ` (skipped: ${why})` : ''}`, () => {
  it('goes on while one of two links is cut, and none of its connections ends', async () => {
    using uplinks = new Uplinks(2)
    const [here, there] = [uplinks.within('client'), uplinks.within('server')]
    const keys = { client: keyPair(), server: keyPair() }
    const [client, server] = CONFIGS.map((config) =>
      config
        .replace('CLIENT_PRIVATE', keys.client.privateKey)
        .replace('CLIENT_PUBLIC', keys.client.publicKey)
        .replace('SERVER_PRIVATE', keys.server.privateKey)
        .replace('SERVER_PUBLIC', keys.server.publicKey),
    ) as [string, string]
    await multipath(SERVE!, there).line(/listening/)
    const forward = multipath(FORWARD!, here)
    await forward.line(/2 of 2 (paths )?up/)
    keep(await openTunnel({ program, within: there, name: `wg-s-${process.pid}`, config: server }))
    keep(await openTunnel({ program, within: here, name: `wg-c-${process.pid}`, config: client }))
    const node = (within: readonly string[], source: string): Program =>
      keep(new Program([...within, process.execPath, '-e', source]))
    await node(there, SERVERS).line(/ready/)

    expect(await node(here, PINGS).line(/came/)).toBe('came 100')
    const download = node(here, DOWNLOAD)
    await download.line(/begins/)
    uplinks.silence(1)
    download.say('more')
    expect(await download.line(/bytes/)).toBe(`bytes ${8 * MIB}`)
    expect(Number((await node(here, PINGS).line(/came/)).split(' ')[1])).toBeGreaterThan(95)
    expect(forward.lines.filter((line) => line.includes('connected to'))).toHaveLength(1)
  })
})
