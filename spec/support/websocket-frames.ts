// SPDX-License-Identifier: Apache-2.0
/** Frames of WebSockets written byte by byte, and read again, by the letter of RFC 6455, section 5.2. */

export interface FrameParts {
  readonly opcode: number
  readonly payload?: Uint8Array
  readonly isFinal?: boolean
  readonly mask?: Uint8Array | undefined
  /** Bits above the opcode: 0x40, 0x20 and 0x10. */
  readonly reserved?: number
}

export function frameOf(parts: FrameParts): Buffer {
  const { opcode, payload = new Uint8Array(), isFinal = true, mask, reserved = 0 } = parts
  const first = (isFinal ? 0x80 : 0) | reserved | opcode
  const [short, ...more] = lengthOf(payload.length)
  if (mask === undefined) return Buffer.concat([Buffer.of(first, short!, ...more), payload])
  const masked = Buffer.from(payload).map((byte, at) => byte ^ mask[at % 4]!)
  return Buffer.concat([Buffer.of(first, 0x80 | short!, ...more, ...mask), masked])
}

function lengthOf(bytes: number): number[] {
  if (bytes < 126) return [bytes]
  const long = Buffer.alloc(8)
  long.writeBigUInt64BE(BigInt(bytes))
  return bytes < 65_536 ? [126, ...long.subarray(6)] : [127, ...long]
}

export interface ReadFrame {
  readonly opcode: number
  readonly payload: Buffer
  readonly mask: Buffer | undefined
}

/** Of whole frames without an end of the message in another one. */
export function framesIn(bytes: Uint8Array): ReadFrame[] {
  const found: ReadFrame[] = []
  let rest = Buffer.from(bytes)
  while (rest.length > 0) {
    const short = rest[1]! & 0x7f
    const [length, start] =
      short === 126
        ? [rest.readUInt16BE(2), 4]
        : short === 127
          ? [Number(rest.readBigUInt64BE(2)), 10]
          : [short, 2]
    const isMasked = rest[1]! >= 0x80
    const mask = isMasked ? rest.subarray(start, start + 4) : undefined
    const at = start + (isMasked ? 4 : 0)
    const payload = rest.subarray(at, at + length).map((byte, n) => byte ^ (mask?.[n % 4] ?? 0))
    if (payload.length < length) throw new Error('a frame is cut')
    found.push({ opcode: rest[0]!, payload: Buffer.from(payload), mask })
    rest = rest.subarray(at + length)
  }
  return found
}
