// SPDX-License-Identifier: Apache-2.0
/**
 * Writes what the Go peer really sends to vectors/*.json, which unit specs read.
 * Run with `npx tsx interop/capture-vectors.ts`; interop/README.md describes the files.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { captureVectors } from './support/capture.js'
import { GoPeer } from './support/go-peer.js'

const folder = new URL('./vectors/', import.meta.url)
await mkdir(folder, { recursive: true })
await using go = await GoPeer.start()
for (const [name, content] of Object.entries(await captureVectors(go)))
  await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify(content, null, 2)}\n`)
