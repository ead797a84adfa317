// SPDX-License-Identifier: Apache-2.0
/** Where the sockets of running commands are: a folder that only their user can read. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs'
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
export function placesIn(env: Env): SocketPlace[] {
  const names = IS_WINDOWS ? pipes() : readdirSync(socketFolder(env))
  const places: (SocketPlace & { readonly pid: number })[] = []
  for (const file of names) {
    const { command, pid } = NAME.exec(file)?.groups ?? {}
    if (command === undefined) continue
    const name = `${command}-${pid}`
    const path = IS_WINDOWS
      ? `\\\\.\\pipe\\multipath-${userInfo().username}-${name}`
      : join(socketFolder(env), file)
    if (isRunning(Number(pid))) places.push({ name, path, pid: Number(pid) })
    else removeSocket(path)
  }
  return places.sort((a, b) => b.pid - a.pid)
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

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
