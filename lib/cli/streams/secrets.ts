// SPDX-License-Identifier: Apache-2.0
/** Secrets come from files or the environment, never from the command line: every user of a machine can read that. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { statSync } from 'node:fs'
import type { CheckLogin } from './proxy-handshake.js'
import { readOption, usage } from './usage.js'

/** A token can be guessed offline by whoever has seen a proof of it. */
const MIN_TOKEN_BYTES = 16
const MAX_FILE_BYTES = 65_536

export const TOKEN_VARIABLE = 'MULTIPATH_TOKEN'
export const LOGIN_VARIABLE = 'MULTIPATH_SOCKS_LOGIN'

type Environment = Readonly<Record<string, string | undefined>>

/** What a program that the command starts has of its environment: secrets are none of its business. */
export function withoutSecrets(env: Environment): NodeJS.ProcessEnv {
  const { [TOKEN_VARIABLE]: _token, [LOGIN_VARIABLE]: _login, ...others } = env
  return others
}

/**
 * The token out of `file`, or of the environment; `undefined` where there is none. White space around it is no part of
 * it.
 *
 * @throws {CliError} EXIT_USAGE for a file that cannot be read, or a token that is too short
 */
export function loadToken(file: string | undefined, env: Environment): Buffer | undefined {
  const text = file === undefined ? env[TOKEN_VARIABLE] : readSecret(file)
  if (text === undefined || (text === '' && file === undefined)) return undefined
  const token = Buffer.from(text.trim())
  if (token.length < MIN_TOKEN_BYTES)
    throw usage(
      `the token in ${file ?? TOKEN_VARIABLE} is shorter than ${MIN_TOKEN_BYTES} bytes`,
      'create one with: openssl rand -hex 32',
    )
  return token
}

/** Whether both are there and the same, or neither is there. */
export function isSameToken(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other)
}

/**
 * A check of users and passwords out of `file`, `user:password` on each line, or of the environment; `undefined` where
 * none are wanted.
 *
 * @throws {CliError} EXIT_USAGE
 */
export function loadLogins(file: string | undefined, env: Environment): CheckLogin {
  const text = file === undefined ? env[LOGIN_VARIABLE] : readSecret(file)
  if (text === undefined || (text === '' && file === undefined)) return undefined
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'))
  if (lines.length === 0 || !lines.every((line) => /^[^:]{1,255}:.{1,255}$/.test(line)))
    throw usage(`${file ?? LOGIN_VARIABLE} must contain user:password on each line`)
  const digests = lines.map(digest)
  return (user, password) => {
    const shown = digest(`${user}:${password}`)
    // All of them, so that the time tells nothing. A user cannot hold the colon.
    return digests.filter((known) => timingSafeEqual(known, shown)).length > 0 && !user.includes(':')
  }
}

/** Who may read a file beside its owner: its group, and all others. */
const OTHERS_READ = 0o044

/** A warning for each file that others may read, as ssh has it. Windows keeps no such modes. */
export function exposures(files: readonly (string | undefined)[]): string[] {
  if (process.platform === 'win32') return []
  return files.flatMap((file) => {
    const mode = file === undefined ? 0 : modeOf(file)
    if ((mode & OTHERS_READ) === 0) return []
    const shown = (mode & 0o777).toString(8).padStart(4, '0')
    return [`${file} can be read by other users (mode ${shown}): chmod 600 ${file}`]
  })
}

/** Of a file that was read a moment ago; 0 where it is gone. */
function modeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mode ?? 0
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function readSecret(file: string): string {
  const bytes = readOption(file)
  if (bytes.length > MAX_FILE_BYTES) throw usage(`${file} is larger than ${MAX_FILE_BYTES} bytes`)
  return bytes.toString('utf8')
}
