// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run demo`: a file of 256 MiB over three loopback paths. One is cut on the way, another falls silent and
 * comes back; the file that arrives must have the SHA-256 of the one that was sent. Exit code 1 when it has not.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { MultipathDialer, MultipathListener } from 'multipath-net'
import { Board } from './demo/board.js'
import { sha256Of, writeRandomFile } from './demo/files.js'
import { DemoPath } from './demo/path.js'

const FILE_BYTES = 256 * 1024 * 1024
const MB = 1_000_000
/** Beyond this, milliseconds, the demo has failed. */
const LIMIT_MS = 120_000

/** What happens to the paths, by the share of the file that has arrived. */
const EVENTS: readonly { share: number; text: string; run(paths: readonly DemoPath[]): void }[] = [
  { share: 0.2, text: 'path 2 is cut, for good', run: (paths) => paths[1]!.cut() },
  { share: 0.45, text: 'path 1 falls silent', run: (paths) => paths[0]!.freeze() },
  { share: 0.7, text: 'path 1 comes back', run: (paths) => paths[0]!.thaw() },
]

/** Megabytes a second of each path: the file takes about ten seconds. */
const RATES = [20, 12, 16]

async function openPaths(port: number): Promise<DemoPath[]> {
  return Promise.all(RATES.map((rate, index) => DemoPath.open(`path ${index + 1}`, port, rate * MB)))
}

async function transfer(source: string, target: string, signal: AbortSignal): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using listener = new MultipathListener([server])
  const paths = await openPaths((server.address() as AddressInfo).port)
  const dialer = new MultipathDialer(
    'the other end',
    paths.map((one) => one.dialer),
  )
  for (const one of paths) one.watch(dialer)
  const [sender, receiver] = await Promise.all([dialer.dial({ signal }), listener.accept({ signal })])
  using board = new Board(paths, FILE_BYTES, () => receiver.bytesRead)
  const due = [...EVENTS]
  const watching = setInterval(() => {
    while (due[0] !== undefined && receiver.bytesRead >= due[0].share * FILE_BYTES) {
      const event = due.shift()!
      board.say(`* ${event.text}`)
      event.run(paths)
    }
  }, 20)
  try {
    await Promise.all([
      pipeline(createReadStream(source), sender, { signal }),
      pipeline(receiver, createWriteStream(target), { signal }),
    ])
    if (due.length > 0) throw new Error(`the file was through before ${due[0]!.text}`)
  } finally {
    clearInterval(watching)
    for (const one of paths) await one[Symbol.asyncDispose]()
  }
}

async function main(folder: string): Promise<boolean> {
  const source = path.join(folder, 'sent')
  const target = path.join(folder, 'received')
  console.log(`writing a file of ${(FILE_BYTES / MB).toFixed(1)} MB`)
  await writeRandomFile(source, FILE_BYTES)
  const startedAt = performance.now()
  await transfer(source, target, AbortSignal.timeout(LIMIT_MS))
  const seconds = (performance.now() - startedAt) / 1000
  const [sent, received] = await Promise.all([sha256Of(source), sha256Of(target)])
  console.log(`\n${seconds.toFixed(1)} s, ${(FILE_BYTES / MB / seconds).toFixed(1)} MB/s`)
  console.log(`sent      SHA-256 ${sent}\nreceived  SHA-256 ${received}`)
  return sent === received
}

const folder = await mkdtemp(path.join(tmpdir(), 'multipath-demo-'))
try {
  const isWhole = await main(folder)
  console.log(isWhole ? 'The file came through whole.' : 'FAILED: the file is not the one that was sent.')
  process.exitCode = isWhole ? 0 : 1
} catch (error) {
  console.error(`FAILED: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
