// SPDX-License-Identifier: Apache-2.0
/** What is fetched and copied: bytes that look random and are the same every time. */
import { createCipheriv } from 'node:crypto'

export const IMAGES = 60
export const DOWNLOAD_BYTES = 40_000_000

const SIDE = 82
const HEADER_BYTES = 54
/** Of a pixel; rows of a bitmap are padded to four. */
const ROW_BYTES = Math.ceil((SIDE * 3) / 4) * 4

export function seeded(seed: number, bytes: number): Buffer {
  const key = Buffer.alloc(32, seed)
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes))
}

/** A bitmap of 20 KB. */
export function image(seed: number): Buffer {
  const pixels = seeded(seed, ROW_BYTES * SIDE)
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('BM')
  header.writeUInt32LE(HEADER_BYTES + pixels.length, 2)
  header.writeUInt32LE(HEADER_BYTES, 10)
  header.writeUInt32LE(40, 14)
  header.writeInt32LE(SIDE, 18)
  header.writeInt32LE(SIDE, 22)
  header.writeUInt16LE(1, 26)
  header.writeUInt16LE(24, 28)
  return Buffer.concat([header, pixels])
}

/** Counts what came of its images, for --dump-dom to show. */
export function page(): string {
  const images = Array.from({ length: IMAGES }, (_, i) => `<img src="/${i}.bmp">`)
  const count = '[...document.images].filter((image) => image.naturalWidth > 0).length'
  return `<!doctype html><title>Photos</title><p id="told">not loaded</p>
${images.join('\n')}
<script>onload = () => { told.textContent = ${count} + ' of ' + document.images.length + ' images' }</script>
`
}
