// SPDX-License-Identifier: Apache-2.0
/**
 * The answer to one of ours that asks for a connection which is not there: so it learns at once that we have restarted, or
 * hold the connection no longer. It has to have announced itself behind its hello, since a Go peer would take an answer
 * for a join.
 */
import type { Hello } from '../conn/hello-io.js'
import type { JoinKeyring } from '../conn/join-keys.js'
import { RemoteProtocolError } from '../errors.js'
import type { IncomingStream } from '../transport/transport.js'
import { encodeReset, RESET } from '../wire/end-frames.js'
import { EXTENSION, Extension, payloadOf } from '../wire/extension.js'
import { FrameReader } from '../wire/frame-reader.js'
import { encodeHello } from '../wire/hello.js'
import { encodeProof, PROVER, provenBytes } from '../wire/proof.js'
import { ANNOUNCEMENT, decodeSettings, encodeSettings } from '../wire/settings.js'
import { INSTANCE } from './cids.js'
import { ignore } from '../ignore.js'

/** The answer gets so long to leave, milliseconds. */
const ANSWER_MS = 1000

/** @param keys - what the answer is proven with. @returns whether the stream was answered, and closes by itself */
export function answerUnknown(
  stream: IncomingStream,
  { cid, head }: Hello,
  keys: JoinKeyring | undefined,
): boolean {
  const isOurs = ANNOUNCEMENT.every((byte, at) => byte === head[at])
  if (!isOurs || !stream.writable) return false
  keys?.setCid(cid)
  const reset = encodeReset({ code: RESET.unknown, instance: INSTANCE })
  stream.end(Buffer.concat([encodeHello(cid), ANNOUNCEMENT, ...proven(head, keys), reset]))
  const timer = setTimeout(() => stream.destroy(), ANSWER_MS)
  timer.unref()
  stream.once('close', () => {
    clearTimeout(timer)
  })
  stream.resume()
  return true
}

/** SETTINGS and PROOF, where the dialer has said who it is: the process that it knew, or one with the same secret. */
function proven(head: Uint8Array, keys: JoinKeyring | undefined): Uint8Array[] {
  const dialer = settingsIn(head)
  if (keys === undefined || dialer === undefined) return []
  const prove = keys.proverFor(dialer.publicKey)
  if (prove === undefined) return []
  const { publicKey } = keys
  const settings = encodeSettings({ holdMs: 0, instance: INSTANCE, publicKey, nonce: keys.nonce() })
  const proof = prove(provenBytes(PROVER.listener, dialer.payload, payloadOf(settings)))
  return [settings, encodeProof(proof)]
}

/** The first SETTINGS that came with the hello, if they have a key. */
function settingsIn(head: Uint8Array): { payload: Uint8Array; publicKey: Uint8Array } | undefined {
  let payload: Uint8Array | undefined
  const reader = new FrameReader({
    begin: () => undefined,
    onData: ignore,
    onAck: ignore,
    onCode: ignore,
    onExtension: (_number, bytes) => {
      payload ??= bytes
    },
  })
  try {
    reader.push(head)
    const frame = payload && new Extension(payload)
    const publicKey = frame?.type === EXTENSION.settings ? decodeSettings(frame).publicKey : undefined
    return publicKey && frame && { payload: frame.payload, publicKey }
  } catch (error) {
    if (error instanceof RemoteProtocolError) return undefined
    throw error
  }
}
