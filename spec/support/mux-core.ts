// SPDX-License-Identifier: Apache-2.0
/** A session core whose peer is the spec itself: frames in, frames out, by hand. */
import type { FrameHeader } from '../../lib/mux/frame.js'
import { encodeHeader, FrameType } from '../../lib/mux/frame.js'
import { FrameReader } from '../../lib/mux/frame-reader.js'
import type { MuxNumbers, MuxRole } from '../../lib/mux/options.js'
import { resolveMuxOptions } from '../../lib/mux/options.js'
import { SessionCore } from '../../lib/mux/session-core.js'
import type { MuxEvent } from '../../lib/mux/session-state.js'
import type { StreamCore } from '../../lib/mux/stream-core.js'

/** A frame as the spec writes it down: type, flags, stream, length, and the payload of data. */
export interface Frame extends FrameHeader {
  readonly payload: string
}

export const KIB = 1024

const HEADER = { flags: 0, streamId: 0, length: 0 }
export const frame = {
  data: (streamId: number, payload: string | number, flags = 0): Buffer => {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.alloc(payload)
    return Buffer.concat([header({ type: FrameType.data, streamId, flags, length: bytes.length }), bytes])
  },
  window: (streamId: number, length: number, flags = 0): Buffer =>
    header({ type: FrameType.window, streamId, flags, length }),
  ping: (length: number, flags: number): Buffer => header({ type: FrameType.ping, flags, length }),
  goAway: (length: number): Buffer => header({ type: FrameType.goAway, length }),
}

function header(fields: Partial<FrameHeader> & { type: number }): Buffer {
  return Buffer.from(encodeHeader({ ...HEADER, ...fields }))
}

export class ScriptedSession {
  readonly core: SessionCore
  now = 0

  constructor(role: MuxRole, limits: MuxNumbers = {}, firstId?: number) {
    this.core = new SessionCore({ role, limits: resolveMuxOptions({ role, ...limits }), now: 0, firstId })
  }

  /** What the peer sends. */
  receive(...frames: Buffer[]): this {
    this.core.receive(Buffer.concat(frames), this.now)
    return this
  }

  /** What is sent, all of it. */
  sent(): Frame[] {
    const out: Frame[] = []
    for (;;) {
      const chunks = this.core.poll(KIB * KIB, this.now)
      if (chunks.length === 0) return out
      out.push(...framesOf(Buffer.concat(chunks)))
    }
  }

  /** What the shell hears. */
  events(): readonly MuxEvent[] {
    return this.core.takeEvents()
  }

  /** The one stream that the peer has opened. */
  incoming(): StreamCore {
    const event = this.events().find(({ type }) => type === 'stream')
    if (event?.type !== 'stream') throw new Error('no stream came')
    return event.stream
  }

  /** Why it is over. */
  error(): unknown {
    const event = this.events().find(({ type }) => type === 'over')
    return event?.type === 'over' ? event.error : undefined
  }

  /** All that `stream` has received. */
  read(stream: StreamCore): string {
    let text = ''
    for (let bytes = this.core.take(stream); bytes !== undefined; bytes = this.core.take(stream))
      text += Buffer.from(bytes).toString()
    return text
  }

  /** Lets time pass, and what is due happen. */
  wait(ms: number): this {
    this.now += ms
    this.core.tick(this.now)
    return this
  }

  write(stream: StreamCore, bytes: string | number): void {
    const chunk = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.alloc(bytes)
    this.core.write(stream, [chunk], () => false)
  }
}

/** Reads frames off `bytes`, which holds whole ones. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = []
  const reader = new FrameReader({
    onFrame: (head) => frames.push({ ...head, payload: '' }),
    onPayload: (piece) => {
      const last = frames.pop()!
      frames.push({ ...last, payload: last.payload + Buffer.from(piece).toString('latin1') })
    },
    onPayloadEnd: () => {},
  })
  reader.read(bytes)
  return frames
}
