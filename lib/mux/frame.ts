// SPDX-License-Identifier: Apache-2.0
/**
 * The header of a yamux frame. Pure functions.
 *
 * ```
 *  0         1      2       4           8         12
 * | version | type | flags | stream id | length | payload of data frames
 * ```
 *
 * @see hashicorp/yamux: spec.md, const.go
 */
import { MultipathError } from '../errors.js'

export const HEADER_BYTES = 12

/** What a peer may send on a new stream before it hears of us. The same for all of yamux. */
export const INITIAL_WINDOW_BYTES: number = 256 * 1024

export const MAX_UINT32: number = 2 ** 32 - 1

const VERSION = 0

/** What a frame is. `length` means: bytes of payload, bytes of credit, an opaque value, a reason. */
export const FrameType = { data: 0, window: 1, ping: 2, goAway: 3 } as const

export const Flag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const

/** Why a session ends: the length field of a go away. */
export const GoAwayCode = { normal: 0, protocol: 1, internal: 2 } as const

export interface FrameHeader {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly length: number
}

/** The peer broke the protocol: the session ends. */
export function protocolError(message: string): MultipathError {
  return new MultipathError('ERR_MULTIPATH_MUX_PROTOCOL', message)
}

/** @returns the twelve bytes */
export function encodeHeader({ type, flags, streamId, length }: FrameHeader): Uint8Array {
  // From Node's pool: an array of its own costs more below than its bytes, where its buffer is asked for.
  const bytes = Buffer.allocUnsafe(HEADER_BYTES)
  bytes[0] = VERSION
  bytes[1] = type
  bytes[2] = flags >>> 8
  bytes[3] = flags & 0xff
  writeUint32(bytes, 4, streamId)
  writeUint32(bytes, 8, length)
  return bytes
}

/**
 * Reads the header at `at`, which must be there in full. Unknown flags are left in place and ignored, as Go does.
 *
 * @throws ERR_MULTIPATH_MUX_PROTOCOL for another version or an unknown type
 */
export function decodeHeader(bytes: Uint8Array, at = 0): FrameHeader {
  const type = bytes[at + 1]!
  if (bytes[at] !== VERSION)
    throw protocolError(`the peer sent a frame of version ${bytes[at]!}, not ${VERSION}`)
  if (type > FrameType.goAway) throw protocolError(`the peer sent a frame of unknown type ${type}`)
  return {
    type,
    flags: bytes[at + 2]! * 256 + bytes[at + 3]!,
    streamId: readUint32(bytes, at + 4),
    length: readUint32(bytes, at + 8),
  }
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = (value >>> 16) & 0xff
  bytes[at + 2] = (value >>> 8) & 0xff
  bytes[at + 3] = value & 0xff
}

/** Multiplies where a shift would lose the sign bit. */
function readUint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x100_0000 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) + bytes[at + 3]!
}
