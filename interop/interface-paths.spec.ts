// SPDX-License-Identifier: Apache-2.0
/** Interfaces and addresses come and go under a connection whose paths find themselves. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { bundled } from '../spec/support/bundled.js'
import { nc } from '../spec/support/cli-process.js'
import { Checker, SeededStream } from './support/seeded-data.js'
import { whyNoNamespaces } from './support/namespaces.js'
import { SERVER, Uplinks } from './support/uplinks.js'

const CLIENT = fileURLToPath(new URL('support/paths-client.ts', import.meta.url))
const SEED = 83
const CHUNK_BYTES = 64 * 1024
/** Between two chunks, milliseconds: some 6 MB/s, so that a slow machine keeps up. */
const PAUSE_MS = 10
/** More than handshakes, pings and repeats come to. */
const LOAD_BYTES = 512 * 1024
/** Interfaces are looked at each 2 s: so much the longer is for machines that are slow. */
const SOON_MS = 30_000

/** A client under the load of a stream that goes on until it is ended. */
class Sender {
  readonly lines: string[] = []
  readonly exited: Promise<unknown[]>
  readonly #child: ChildProcess
  readonly #feeding: Promise<void>
  #isEnded = false
  bytes = 0

  constructor(within: readonly string[], script: string, port: number) {
    const command = [process.execPath, script, SERVER, `${port}`]
    const [program, ...args] = [...within, ...command] as [string, ...string[]]
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.exited = once(this.#child, 'exit')
    this.#child.stdin!.on('error', () => {}) // Its exit tells.
    this.#child
      .stdout!.setEncoding('utf8')
      .on('data', (text: string) => this.lines.push(...text.trim().split('\n')))
    this.#feeding = this.#feed()
  }

  async #feed(): Promise<void> {
    const data = new SeededStream(SEED)
    const { stdin } = this.#child
    while (!this.#isEnded && !stdin!.destroyed) {
      this.bytes += CHUNK_BYTES
      await new Promise((resolve) => stdin!.write(data.next(CHUNK_BYTES), resolve))
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    stdin!.end()
  }

  /** @returns the code with which it exits when everything is sent */
  async end(): Promise<unknown> {
    this.#isEnded = true
    await this.#feeding
    const [code] = await this.exited
    return code
  }

  [Symbol.dispose](): void {
    this.#isEnded = true
    this.#child.kill('SIGKILL')
  }
}

const why = whyNoNamespaces()

describe.skipIf(why !== undefined)(`interfacePaths${why ? ` (skipped: ${why})` : ''}`, () => {
  it('carries a stream over interfaces and addresses that come and go, every byte of it', async () => {
    using uplinks = new Uplinks(3)
    await using server = nc(['-l', '-a'], { within: uplinks.within('server'), output: 'pipe' })
    const arrived = new Checker(SEED)
    server.stdout.on('data', (chunk: Buffer) => arrived.add(chunk))
    using sender = new Sender(uplinks.within('client'), await bundled(CLIENT), await server.port())
    const label = (uplink: number, host: number): string => `10.83.${uplink}.${host}|${SERVER}`
    const carries = async (...names: number[]): Promise<void> => {
      for (const uplink of names) {
        const before = uplinks.sent(uplink)
        await expect
          .poll(() => uplinks.sent(uplink) - before, { timeout: SOON_MS })
          .toBeGreaterThan(LOAD_BYTES)
      }
    }
    const tells = (start: string): Promise<void> =>
      expect.poll(() => sender.lines.some((line) => line.startsWith(start)), { timeout: SOON_MS }).toBe(true)
    await carries(1, 2, 3)

    // An address is taken away, and another one comes on the same interface.
    uplinks.removeAddress(1, 2)
    await tells(`close ${label(1, 2)}`)
    await carries(2, 3)
    uplinks.addAddress(1, 7)
    await tells(`open ${label(1, 7)}`)
    await carries(1)

    // An interface goes down, and comes back with its address.
    uplinks.down(2)
    await tells(`close ${label(2, 2)}`)
    sender.lines.length = 0
    uplinks.up(2)
    await tells(`open ${label(2, 2)}`)
    await carries(2)

    // A new one is the only one in the end.
    uplinks.plug(4)
    await carries(4)
    for (const uplink of [1, 2, 3]) uplinks.down(uplink)
    await carries(4)

    // For a while there is none at all.
    uplinks.down(4)
    await tells(`failed no address of this machine can reach ${SERVER}`)
    uplinks.up(4)
    uplinks.up(1)
    await carries(1, 4)

    expect(await sender.end()).toBe(0)
    expect(await server.exited).toMatchObject({ code: 0 })
    expect(arrived.result()).toMatchObject({ bytes: sender.bytes, mismatchAt: -1 })
  })
})
