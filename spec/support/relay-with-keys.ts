// SPDX-License-Identifier: Apache-2.0
/**
 * Somebody on a path, in virtual time, who speaks the protocol with each side: with keys of its own, or without what it strips.
 * Its proofs follow docs/protocol.md, and share no code with the library.
 */
import type { KeyObject } from 'node:crypto'
import { createHmac, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { SubflowDialer } from '../../lib/index.js'
import type { Link } from '../../lib/testing/link.js'
import { EXTENSION, Extension } from '../../lib/wire/extension.js'
import { AckWriter, encodeDataHeader } from '../../lib/wire/frame.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import { HELLO_BYTES } from '../../lib/wire/limits.js'
import { Payload } from '../../lib/wire/payload.js'
import { encodeProof, provenBytes } from '../../lib/wire/proof.js'
import { varIntLen, writeVarInt } from '../../lib/wire/varint.js'

export interface Deeds {
  /** Its own keys take the place of those of both sides, in SETTINGS and in PROOF. */
  readonly hasKeys?: boolean
  /** What it believes the secret to be. */
  readonly secret?: string
  /** Codes and types of extension frames that it leaves out, both ways. */
  readonly strips?: { readonly codes?: readonly number[]; readonly types?: readonly number[] }
  /** What it makes of each payload, of the same length. */
  readonly forge?: (payload: Buffer) => Uint8Array
  /** Says this to the dialer instead of what the listener says, and that to the listener. */
  readonly replays?: Recorded
  /** Closes both ends in order once a FIN has come, and lets nobody through again. */
  readonly cutsBehindFin?: boolean
}

/** All that was said on one stream. */
export interface Recorded {
  readonly byDialer: Buffer[]
  readonly byListener: Buffer[]
}

/** Of all relays: what one has said on the first path, the others prove. */
const KEYS: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } = generateKeyPairSync('x25519')
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const KEY_FIELD = 6
const KEY_BYTES = 32

type Side = 'dialer' | 'listener'
const PROVERS = { dialer: 1, listener: 2 } as const

/** One stream through it. */
class Conversation {
  readonly #relay: Relay
  readonly #deeds: Deeds
  readonly #ends: Readonly<Record<Side, Duplex>>
  readonly #recorded: Recorded
  /** What each side has said of itself first, and what the other one got of it. */
  readonly #said: Partial<
    Record<Side, { readonly key: Buffer | undefined; readonly asPassedOn: Buffer; readonly asSaid: Buffer }>
  > = {}
  #cid = Buffer.alloc(0)

  constructor(relay: Relay, near: Duplex, far: Duplex, recorded: Recorded) {
    this.#deeds = relay.deeds
    this.#relay = relay
    this.#ends = { dialer: near, listener: far }
    this.#recorded = recorded
    this.#listen('dialer', 'listener')
    this.#listen('listener', 'dialer')
  }

  #listen(from: Side, to: Side): void {
    const [source, sink] = [this.#ends[from], this.#ends[to]]
    const reader = this.#reader(from, to)
    const { replays } = this.#deeds
    const said = from === 'dialer' ? this.#recorded.byDialer : this.#recorded.byListener
    let helloLeft = HELLO_BYTES
    source.on('error', () => sink.destroy())
    source.on('close', () => sink.destroy())
    source.on('end', () => sink.end())
    if (replays !== undefined)
      sink.write(Buffer.concat(from === 'dialer' ? replays.byDialer : replays.byListener))
    source.on('data', (chunk: Buffer) => {
      said.push(chunk)
      if (replays !== undefined) return
      const hello = chunk.subarray(0, helloLeft)
      helloLeft -= hello.length
      if (from === 'listener' && hello.length > 0) this.#cid = Buffer.concat([this.#cid, hello])
      if (hello.length > 0) sink.write(hello)
      reader.push(chunk.subarray(hello.length))
    })
  }

  #reader(from: Side, to: Side): FrameReader {
    const { strips, forge } = this.#deeds
    const pass = (...parts: readonly Uint8Array[]): void => {
      const sink = this.#ends[to]
      if (sink.writable) sink.write(Buffer.concat(parts))
    }
    const say = (code: number): void => {
      if (strips?.codes?.includes(code) === true) return
      const writer = new AckWriter()
      writer.add(code)
      pass(writer.take())
    }
    return new FrameReader({
      begin: (_fn, size) => new Payload(size),
      onData: (fn, size, pieces = []) => {
        const payload = Buffer.concat(pieces)
        pass(encodeDataHeader(size, fn), forge?.(payload) ?? payload)
      },
      onAck: say,
      onCode: say,
      onExtension: (number, bytes) => {
        const { type } = new Extension(bytes)
        if (strips?.types?.includes(type) !== true)
          pass(...this.#extension(from, to, number, Buffer.from(bytes)))
        if (type === EXTENSION.fin && this.#deeds.cutsBehindFin === true) this.#relay.cut()
      },
    })
  }

  #extension(from: Side, to: Side, number: number, bytes: Buffer): Uint8Array[] {
    const frame = new Extension(bytes)
    if (frame.type === EXTENSION.settings) this.#introduced(from, frame, bytes)
    if (this.#deeds.hasKeys === true && frame.type === EXTENSION.proof) return [this.#proof(from, to)]
    return [header(bytes.length, number), bytes]
  }

  /** Puts its own key in. */
  #introduced(from: Side, frame: Extension, bytes: Buffer): void {
    const asSaid = Buffer.from(bytes)
    const key = frame.bytes(KEY_FIELD, KEY_BYTES)
    const copy = key && Buffer.from(key)
    if (copy !== undefined && this.#deeds.hasKeys === true)
      KEYS.publicKey.export({ format: 'der', type: 'spki' }).copy(bytes, asSaid.indexOf(copy), SPKI.length)
    this.#said[from] ??= { key: copy, asPassedOn: Buffer.from(bytes), asSaid }
  }

  /** In the name of `from`, for `to`: with the key that `to` believes to be that of `from`. */
  #proof(from: Side, to: Side): Uint8Array {
    const own = this.#said[to]!
    const der = Buffer.concat([SPKI, own.key!])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    const shared = diffieHellman({ privateKey: KEYS.privateKey, publicKey })
    const input = Buffer.concat([shared, Buffer.from(this.#deeds.secret ?? '')])
    const key = Buffer.from(hkdfSync('sha256', input, '', 'multipath-net join 1', 32))
    const texts = { [from]: this.#said[from]!.asPassedOn, [to]: own.asSaid } as Record<Side, Buffer>
    const hmac = createHmac('sha256', key).update(this.#cid.subarray(1))
    for (const part of provenBytes(PROVERS[from], texts.dialer, texts.listener)) hmac.update(part)
    return encodeProof(hmac.digest())
  }
}

/** A path over two links, with somebody between them. */
export class Relay {
  deeds: Deeds
  /** Each stream by itself. */
  readonly recorded: Recorded[] = []
  readonly #near: Link
  readonly #far: Link
  readonly #streams: Duplex[] = []
  #isCut = false

  constructor(near: Link, far: Link, deeds: Deeds) {
    this.deeds = deeds
    this.#near = near
    this.#far = far
    near.server.on('connection', (stream: Duplex) => void this.#relay(stream))
  }

  /** Ends all that passes through in order. */
  cut(): void {
    this.#isCut = true
    for (const stream of this.#streams) stream.end()
  }

  /** For a dialer. */
  path(label: string): SubflowDialer {
    return this.#near.dialer(label)
  }

  async #relay(near: Duplex): Promise<void> {
    near.on('error', () => {})
    try {
      const far = await this.#far.dialer('').dial({ signal: new AbortController().signal })
      far.on('error', () => {})
      if (this.#isCut) throw new Error('nobody comes through')
      this.#streams.push(near, far)
      const recorded: Recorded = { byDialer: [], byListener: [] }
      this.recorded.push(recorded)
      new Conversation(this, near, far, recorded)
    } catch {
      near.destroy()
    }
  }
}

function header(size: number, number: number): Uint8Array {
  const bytes = new Uint8Array(varIntLen(size) + 1)
  bytes[writeVarInt(bytes, size)] = number
  return bytes
}
