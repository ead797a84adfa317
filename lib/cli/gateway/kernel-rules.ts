// SPDX-License-Identifier: Apache-2.0
/** The rules of the kernel for as long as the gateway runs. A shell that outlives it removes them, however it ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ignore } from '../../ignore.js'
import { CliError, oneLine } from '../cli-error.js'
import { clearScript, setScript } from './net-script.js'
import type { NetScriptInit } from './net-script.js'

const MOST_SAID_BYTES = 4096
const PACKAGES: readonly (readonly [missing: RegExp, name: string])[] = [
  [/\bip: .*not found/, 'iproute2'],
  [/\bnft: .*not found/, 'nftables'],
]

/** @throws {CliError} */
export async function setRules(init: NetScriptInit): Promise<void> {
  const said = await failureOf(setScript(init))
  if (said === undefined) return
  await failureOf(clearScript(init.port))
  const missing = PACKAGES.find(([pattern]) => pattern.test(said))?.[1]
  throw new CliError(`cannot set the rules: ${oneLine({ message: said })}`, {
    hint:
      missing === undefined
        ? 'the kernel needs the modules nft_tproxy, nft_socket and nft_fib_inet'
        : `install the package ${missing}`,
  })
}

/** Whatever has set them. */
export async function clearRules(port: number): Promise<void> {
  await failureOf(clearScript(port))
}

/** Sets the rules for this process. @returns what removes them, and resolves when they are gone. @throws {CliError} */
export async function holdRules(init: NetScriptInit): Promise<() => Promise<void>> {
  await setRules(init)
  // It reads to the end of its input, which comes with the end of this process at the latest. In a session of its own, no
  // signal from a terminal reaches it; a service manager signals all processes of a service.
  const clear = clearScript(init.port, init.owner)
  const script = `trap '' TERM INT HUP\ncat >/dev/null\n${clear}`
  const guard = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  guard.on('error', ignore)
  guard.stdin.on('error', ignore)
  guard.unref()
  return async () => {
    if (guard.exitCode === null && guard.signalCode === null) {
      const ended = once(guard, 'exit')
      guard.ref()
      guard.stdin.end()
      await ended
    }
    // A signal may have ended it before it could ignore any.
    if (guard.exitCode !== 0) await failureOf(clear)
  }
}

/** `undefined`: it has succeeded. */
async function failureOf(script: string): Promise<string | undefined> {
  const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, MOST_SAID_BYTES)
  })
  try {
    const [code] = (await once(shell, 'close')) as [number | null]
    return code === 0 ? undefined : said.trim() || 'the shell was ended'
  } catch (error) {
    return (error as Error).message
  }
}
