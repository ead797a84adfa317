// SPDX-License-Identifier: Apache-2.0
/**
 * One flow of packets as the side that opens it sees it. Its stream asks for it, stands for it, and carries its first packets, which
 * so need not wait for the answer; from then on, packets are datagrams.
 */
import type { MuxSession, MuxStream } from '../../mux/index.js'
import { varIntLen, writeVarInt } from '../../index.js'
import { ignore } from '../../ignore.js'
import type { Counted } from '../live/open-streams.js'
import type { Outcome } from '../streams/pass-on.js'
import { answerOf } from '../streams/pass-on.js'
import type { StreamRequest } from '../streams/stream-request.js'
import { encodeRequest } from '../streams/stream-request.js'
import type { FlowEnd, FlowHub } from './flow-hub.js'

/** A flow without packets ends, milliseconds: two minutes are the least of RFC 4787 (section 4.3). */
export const IDLE_MS = 120_000
/** Bytes of packets before there is an answer. Others are lost. */
const EARLY_BYTES = 65_536
/** One that was refused takes its packets and drops them for so long, so that a program that insists costs little. */
const REFUSED_MS = 5000

export interface FlowInit {
  /** The session that stands, or the next one. */
  readonly session: (signal: AbortSignal) => Promise<MuxSession>
  readonly hubOf: (session: MuxSession) => FlowHub
  /** Of the kind `udp`. */
  readonly request: StreamRequest
  readonly onPacket: (packet: Buffer) => void
  readonly onOutcome: (outcome: Outcome) => void
  /** Called once, at its end. */
  readonly onClose: () => void
}

export class Flow implements Counted {
  /** As of a socket on this side. */
  bytesRead = 0
  bytesWritten = 0
  readonly #init: FlowInit
  readonly #life = new AbortController()
  readonly #idle: NodeJS.Timeout
  #early: Uint8Array[] = []
  #earlyBytes = 0
  #stream: MuxStream | undefined
  #end: FlowEnd | undefined
  #isOpen = false
  #isClosed = false

  constructor(init: FlowInit) {
    this.#init = init
    this.#idle = setTimeout(() => this.close(), IDLE_MS)
    void this.#open()
  }

  send(packet: Uint8Array): void {
    if (this.#isClosed) return
    this.#idle.refresh()
    this.bytesRead += packet.length
    if (this.#isOpen) this.#end!.send(packet)
    else this.#sendEarly(packet)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#idle)
    this.#life.abort()
    this.#end?.close()
    this.#stream?.destroy()
    this.#init.onClose()
  }

  #sendEarly(packet: Uint8Array): void {
    const framed = new Uint8Array(varIntLen(packet.length) + packet.length)
    framed.set(packet, writeVarInt(framed, packet.length))
    this.#earlyBytes += framed.length
    if (this.#earlyBytes > EARLY_BYTES) return
    if (this.#stream === undefined) this.#early.push(framed)
    else this.#stream.write(framed)
  }

  async #open(): Promise<void> {
    const { request, onOutcome } = this.#init
    const outcome = (await this.#ask(request).catch(ignore)) ?? 'unavailable'
    if (this.#isClosed) return
    onOutcome(outcome)
    if (outcome === 'ok') {
      this.#isOpen = true
      return
    }
    this.#stream?.destroy()
    setTimeout(() => this.close(), REFUSED_MS).unref()
  }

  /** Opens its stream. @throws what opening one throws */
  async #ask(request: StreamRequest): Promise<Outcome> {
    const { session: sessionOf, hubOf, onPacket } = this.#init
    const session = await sessionOf(this.#life.signal)
    const stream = session.open()
    stream.on('error', ignore)
    this.#stream = stream
    this.#end = hubOf(session).open(stream.id, (packet) => {
      this.#idle.refresh()
      this.bytesWritten += packet.length
      onPacket(packet)
    })
    stream.write(Buffer.concat([encodeRequest(request), ...this.#early.splice(0)]))
    const outcome = await answerOf(stream, this.#life.signal)
    if (outcome !== 'ok') return outcome
    stream.resume()
    stream.once('end', () => this.close())
    stream.once('close', () => this.close())
    return outcome
  }
}
