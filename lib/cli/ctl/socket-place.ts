// SPDX-License-Identifier: Apache-2.0
/** Where the sockets of running commands are: a folder that only their user can read. */
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { CliError } from '../cli-error.js'

export interface SocketPlace {
  /** `forward-1234`: what `--target` takes. */
  readonly name: string
  readonly path: string
}

type Env = Readonly<Record<string, string | undefined>>

const NAME = /^(?<command>[a-z]+)-(?<pid>\d+)\.sock$/
const IS_WINDOWS = process.platform === 'win32'

/** @throws {CliError} for a folder that is not ours alone */
function socketFolder(env: Env): string {
  const { uid, username } = userInfo()
  const runtime = env['XDG_RUNTIME_DIR']
  const folder =
    runtime === undefined || runtime === ''
      ? join(tmpdir(), `multipath-${IS_WINDOWS ? username : uid}`)
      : join(runtime, 'multipath')
  if (IS_WINDOWS) return folder
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid: owner } = lstatSync(folder)
  if (owner !== uid || !lstatSync(folder).isDirectory())
    throw new CliError(`${folder} belongs to another user`, { hint: 'set XDG_RUNTIME_DIR' })
  chmodSync(folder, 0o700)
  return folder
}

/** Of this process. */
export function ownPlace(command: string, env: Env): SocketPlace {
  const name = `${command}-${process.pid}`
  if (IS_WINDOWS) return { name, path: `\\\\.\\pipe\\multipath-${userInfo().username}-${name}` }
  return { name, path: join(socketFolder(env), `${name}.sock`) }
}

/** Of every command of this user that runs, the newest first; what processes that were killed have left is removed. */
export async function placesIn(env: Env): Promise<SocketPlace[]> {
  const names = IS_WINDOWS ? pipes() : readdirSync(socketFolder(env))
  const found = names.flatMap((file) => {
    const { command, pid } = NAME.exec(file)?.groups ?? {}
    if (command === undefined) return []
    const name = `${command}-${pid}`
    const path = IS_WINDOWS
      ? `\\\\.\\pipe\\multipath-${userInfo().username}-${name}`
      : join(socketFolder(env), file)
    return [{ name, path, pid: Number(pid) }]
  })
  const answers = await Promise.all(found.map(({ path }) => isServed(path)))
  for (const [index, { path }] of found.entries()) if (!answers[index]) removeSocket(path)
  return found
    .filter((_, index) => answers[index])
    .sort((a, b) => b.pid - a.pid)
    .map(({ name, path }) => ({ name, path }))
}

export function removeSocket(path: string): void {
  try {
    if (!IS_WINDOWS) unlinkSync(path)
  } catch {
    // Somebody else was faster.
  }
}

function pipes(): string[] {
  const prefix = `multipath-${userInfo().username}-`
  return readdirSync('\\\\.\\pipe\\')
    .filter((name) => name.startsWith(prefix))
    .map((name) => `${name.slice(prefix.length)}.sock`)
}

/** Another process may have the number of one that was killed: only the socket itself tells. */
async function isServed(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    return !NOBODY.has((error as NodeJS.ErrnoException).code)
  } finally {
    socket.destroy()
  }
}

/** Of a socket that no process has any more. */
const NOBODY: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT'])
