// SPDX-License-Identifier: Apache-2.0
/** What the two directions of a WebSocket have in common: RFC 6455, section 5.2. No input and no output here. */
import { RemoteProtocolError } from '../errors.js'

export const OPCODE = { more: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

export const FIN = 0x80
export const MASKED = 0x80
/** Largest payload of a close, ping or pong. */
export const MAX_CONTROL_BYTES = 125
/** Two bytes, eight of a length, four of a mask. */
export const MAX_HEADER_BYTES = 14

/** RFC 6455, section 7.4.1. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Never sent: a close frame without a code. */
  none: 1005,
  /** Never sent: no close frame. */
  abnormal: 1006,
  policy: 1008,
  tooBig: 1009,
} as const

/** The peer broke the rules of WebSockets, or those of a path over one. */
export class WebSocketError extends RemoteProtocolError {
  /** Tells the peer why. */
  readonly closeCode: number

  constructor(message: string, closeCode: number = CLOSE.protocolError) {
    super(message)
    this.closeCode = closeCode
  }
}
