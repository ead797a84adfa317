// SPDX-License-Identifier: Apache-2.0
/** Servers of Debian, on free ports of loopback with nothing but a temporary folder, and those of clients/servers.js. */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../spec/support/free-ports.js'
import { SSHD, writeSshdFiles } from './sshd.js'

export interface RealServer extends AsyncDisposable {
  readonly port: number
  /** What its client has to know. */
  readonly settings: object
}

const POSTGRES = '/usr/lib/postgresql'
const POLL_MS = 20
/** What they say once they serve: PostgreSQL listens before, and turns its first clients away. */
const READY = /ready to accept connections|Server listening on/i

/** Why the server of a client cannot run here, or `undefined`. */
export function whyNoServer(client: string): string | undefined {
  if (client === 'ioredis' && !isInstalled('redis-server')) return 'apt-get install redis-server'
  if (client === 'ssh2' && !existsSync(SSHD)) return 'apt-get install openssh-server'
  if (client === 'pg' && !existsSync(POSTGRES)) return 'apt-get install postgresql'
  return undefined
}

export async function startServer(client: string): Promise<RealServer> {
  const start = { ioredis: redis, pg: postgres, ssh2: sshd }[client]
  return start === undefined ? ofNpm(client) : start()
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0
}

async function ofNpm(client: string): Promise<RealServer> {
  const { servers } = (await import(new URL('../clients/servers.js', import.meta.url).href)) as {
    servers: Record<string, () => Promise<Server>>
  }
  const server = await servers[client]!()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    settings: {},
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

async function redis(): Promise<RealServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'multipath-redis-'))
  const [port] = (await freePorts(1)) as [number]
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  return running('redis-server', args, { port, folder })
}

/** It refuses to run as root, and gets its package's user there. */
async function postgres(): Promise<RealServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'multipath-postgres-'))
  const [port] = (await freePorts(1)) as [number]
  const version = readdirSync(POSTGRES).sort().at(-1)!
  const bin = path.join(POSTGRES, version, 'bin')
  const data = path.join(folder, 'data')
  const user = process.getuid?.() === 0 ? userOf('postgres') : undefined
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const options = { ...user, cwd: folder }
  execFileSync(path.join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], {
    ...options,
    stdio: 'pipe',
  })
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-F']
  return running(path.join(bin, 'postgres'), args, { port, folder }, {}, options)
}

function userOf(name: string): { uid: number; gid: number } {
  const numberOf = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: numberOf('-u'), gid: numberOf('-g') }
}

async function sshd(): Promise<RealServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'multipath-sshd-'))
  const [port] = (await freePorts(1)) as [number]
  const { config, key } = writeSshdFiles(folder, port)
  const settings = { username: userInfo().username, privateKey: readFileSync(key, 'utf8') }
  return running(SSHD, ['-D', '-e', '-f', config], { port, folder }, settings)
}

async function running(
  command: string,
  args: readonly string[],
  place: { readonly port: number; readonly folder: string },
  settings: object = {},
  options: SpawnOptions = {},
): Promise<RealServer> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-10_000)))
  while (!READY.test(log) || !(await answers(place.port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${log}`)
    await delay(POLL_MS)
  }
  if (child.exitCode !== null) throw new Error(`${command} ended: ${log}`)
  return { port: place.port, settings, [Symbol.asyncDispose]: () => end(child, place.folder) }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    child.kill('SIGINT')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
}
