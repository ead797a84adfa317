// SPDX-License-Identifier: Apache-2.0
/** `multipath nc`, the built one, and a Go program exchange a file over three paths, one of them killed midway. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CliProcess } from '../spec/support/cli-process.js'
import { nc } from '../spec/support/cli-process.js'
import type { GoConn, GoPeer } from './support/go-peer.js'
import type { Direction } from './support/path-relay.js'
import { PathRelay } from './support/path-relay.js'
import { SeededStream, seededSha256 } from './support/seeded-data.js'
import type { Side } from './support/with-go.js'
import { describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 256 * MIB
const FROM_NODE = 21
const FROM_GO = 22
const PATHS = 3
/** The path that carries most is killed after so many bytes of the file, in the middle of a frame. */
const KILLED_AFTER = BYTES / 8 + 12_345
/** Go may lose a frame for ever when a path dies under it (reset.spec.ts says why): so often it is asked again. */
const ATTEMPTS = 8
/** nc is taken to stand still for good when it has written nothing for so long. */
const STANDSTILL_MS = 4000
/** A break is a matter of the past after so long. */
const CLEAN_MS = 2500

let folder = ''
const sent = (): string => path.join(folder, 'sent')
const received = (): string => path.join(folder, 'received')

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multipath-nc-'))
  const file = await open(sent(), 'w')
  const data = new SeededStream(FROM_NODE)
  for (let left = BYTES; left > 0; left -= MIB) await file.write(data.next(MIB))
  await file.close()
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** A running nc with the file as its input, or none, and a file as its output; and its Go peer. */
interface Exchange extends AsyncDisposable {
  readonly cli: CliProcess
  readonly go: GoConn
  readonly relays: readonly PathRelay[]
  /** Where relays count what nc sends. */
  readonly fromNode: Direction
  readonly fromGo: Direction
}

async function exchange(peer: GoPeer, dials: Side, sends: boolean): Promise<Exchange> {
  const output = await open(received(), 'w')
  const input = sends ? await open(sent(), 'r') : undefined
  const files = { input: input?.fd ?? ('null' as const), output: output.fd }
  const exchanged = dials === 'Node' ? await nodeDials(peer, files) : await goDials(peer, files)
  await Promise.all([output.close(), input?.close()])
  await Promise.all(exchanged.relays.map((relay) => relay.joined()))
  return {
    ...exchanged,
    async [Symbol.asyncDispose]() {
      await exchanged.cli[Symbol.asyncDispose]()
      for (const relay of exchanged.relays) await relay[Symbol.asyncDispose]()
      await exchanged.go.close().catch(() => undefined) // The spec may have closed it.
    },
  }
}

type Files = Exclude<Parameters<typeof nc>[1], undefined>
type Opened = Omit<Exchange, typeof Symbol.asyncDispose>

async function nodeDials(peer: GoPeer, files: Files): Promise<Opened> {
  const listener = await peer.listen(PATHS)
  const relays = await Promise.all(listener.addrs.map((addr) => PathRelay.open(addr)))
  const cli = nc(['-a', '--quit-after', '0.5', ...relays.map((relay) => relay.address)], files)
  return { cli, go: await listener.accept(), relays, fromNode: 'up', fromGo: 'down' }
}

async function goDials(peer: GoPeer, files: Files): Promise<Opened> {
  const cli = nc(['-l', '-a', '--quit-after', '0.5'], files)
  const port = await cli.port()
  const relays = await Promise.all(Array.from({ length: PATHS }, () => PathRelay.open(port)))
  const dialer = await peer.dialer(relays.map((relay) => relay.address))
  return { cli, go: await dialer.dial(), relays, fromNode: 'down', fromGo: 'up' }
}

/** Kills the path over which `bytes` have passed first. */
async function killBusiest(relays: readonly PathRelay[], direction: Direction, bytes: number): Promise<void> {
  const busiest = await Promise.race(
    relays.map(async (relay) => {
      await relay.passed(direction, bytes)
      return relay
    }),
  )
  busiest.refuse(true)
  busiest.reset()
}

/** Go sends its file, and closes once nc has written all of it, or has stood still for {@link STANDSTILL_MS}. */
async function goSends({ go, cli }: Exchange): Promise<void> {
  void go.send({ bytes: BYTES, seed: FROM_GO }).catch(() => undefined) // It never ends where a frame was lost.
  const ended = cli.exited.then(() => true)
  let bytes = 0
  for (let movedAt = performance.now(); performance.now() - movedAt < STANDSTILL_MS; ) {
    const { size } = await stat(received())
    if (size > bytes) movedAt = performance.now()
    bytes = size
    if (bytes === BYTES || (await Promise.race([ended, delay(100, false)]))) break
  }
  // What broke shortly before the end may have been the end: only a later close is known to be clean.
  if (bytes === BYTES) await delay(CLEAN_MS)
  await go.close()
}

describeWithGo('multipath nc', (go) => {
  describe.each<Side>(['Node', 'Go'])('with %s dialling', (dials) => {
    it('brings a file whole to Go although a path is killed midway', async () => {
      await using pair = await exchange(go(), dials, true)
      const killed = killBusiest(pair.relays, pair.fromNode, KILLED_AFTER)
      const atGo = pair.go.receive({ seed: FROM_NODE })
      const { code, lines } = await pair.cli.exited
      expect(code, lines.join()).toBe(0)
      await killed
      expect(await atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1, end: 'closed connection' })
    })

    it('brings a file whole from Go although a path is killed midway, or says that it has not', async () => {
      for (let attempt = 1; ; attempt++) {
        await using pair = await exchange(go(), dials, false)
        void killBusiest(pair.relays, pair.fromGo, KILLED_AFTER)
        await goSends(pair)
        const { code, lines } = await pair.cli.exited
        const isWhole = (await fileSha256(received())) === seededSha256(FROM_GO, BYTES)
        expect({ isWhole, lines }).toMatchObject({ isWhole: code === 0 })
        if (isWhole) break
        expect(attempt, 'attempts in which Go lost a frame').toBeLessThan(ATTEMPTS)
      }
    })

    it('exchanges files both ways at once', async () => {
      await using pair = await exchange(go(), dials, true)
      const atGo = pair.go.receive({ seed: FROM_NODE })
      await pair.go.send({ bytes: BYTES, seed: FROM_GO })
      const { code, lines } = await pair.cli.exited
      expect(code, lines.join()).toBe(0)
      expect(await atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
      expect(await fileSha256(received())).toBe(seededSha256(FROM_GO, BYTES))
    })
  })
})
