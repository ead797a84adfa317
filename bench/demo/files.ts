// SPDX-License-Identifier: Apache-2.0
/** The file of the demo, and its hash. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

const PIECE = 1024 * 1024

/** Writes `bytes` random bytes, so that nothing can be compressed or guessed. */
export async function writeRandomFile(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (let left = bytes; left > 0; left -= PIECE) await handle.write(randomBytes(Math.min(PIECE, left)))
  } finally {
    await handle.close()
  }
}

/** SHA-256 of the file as it is on disk, in hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: PIECE }), hash)
  return hash.digest('hex')
}
