// SPDX-License-Identifier: Apache-2.0
/** One socket that somebody has opened here, led through a stream of a session to where it is to go. */
import type { Socket } from 'node:net'
import type { MuxStream } from '../../mux/index.js'
import { cut, dismiss, Splice } from './splice.js'
import type { Answer, StreamRequest } from './stream-request.js'
import { ANSWER_BYTES, decodeAnswer, encodeRequest } from './stream-request.js'
import { takeBytes, TakeTimeout } from './take-bytes.js'

/** What became of it. */
export type Outcome = Answer | 'unavailable'

export interface PassOnInit {
  readonly socket: Socket
  readonly request: StreamRequest
  /** Opens the stream; `signal` is aborted when it is no longer wanted. */
  readonly open: (signal: AbortSignal) => Promise<MuxStream>
  /** What has come from the socket already. */
  readonly head?: Uint8Array
  /** What the socket is told. Where it understands nothing, one that is turned away is reset. */
  readonly words?: (outcome: Outcome) => Uint8Array
  /** `words` say that it stands before anybody knows: a round trip sooner, and a failure is a reset. Default: false. */
  readonly isEarly?: boolean
  /** Called once it is joined; what it returns, at its end. */
  readonly onJoined?: () => () => void
  /** Told once it stands or does not. */
  readonly onOutcome: (outcome: Outcome) => void
}

/** The other end gives up sooner; this is for one that says nothing at all. */
const ANSWER_MS = 60_000
/** A client that has been turned away has so long to read why. */
const LAST_WORDS_MS = 2000

/** Resolves when both are closed; never rejects. */
export async function passOn(init: PassOnInit): Promise<void> {
  const { socket, words, isEarly = false, onOutcome } = init
  const left = new AbortController()
  const socketOnClose = (): void => left.abort(new Error('the client left'))
  socket.once('close', socketOnClose)
  let stream: MuxStream
  try {
    stream = await init.open(left.signal)
  } catch {
    onOutcome('unavailable')
    turnAway(socket, words?.('unavailable'))
    return
  }
  const splice = new Splice(socket, stream)
  // What follows the request need not wait for the answer.
  stream.write(Buffer.concat([encodeRequest(init.request), init.head ?? new Uint8Array()]))
  splice.lead()
  if (isEarly && words !== undefined) socket.write(words('ok'))
  const outcome = await answerOf(stream, left.signal)
  onOutcome(outcome)
  if (outcome === 'ok') {
    if (!isEarly && words !== undefined) socket.write(words(outcome))
    await joined(splice, init)
    return
  }
  splice.unlead()
  cut(stream)
  turnAway(socket, isEarly ? undefined : words?.(outcome))
}

async function joined(splice: Splice, { onJoined }: PassOnInit): Promise<void> {
  const end = onJoined?.()
  await splice.join()
  end?.()
}

/** What the other end says to a request; never rejects. */
export async function answerOf(stream: MuxStream, signal: AbortSignal): Promise<Outcome> {
  try {
    const bytes = await takeBytes(stream, ANSWER_BYTES, { timeoutMs: ANSWER_MS, signal })
    return decodeAnswer(bytes) ?? 'failed'
  } catch (error) {
    return error instanceof TakeTimeout ? 'timeout' : 'unavailable'
  }
}

function turnAway(socket: Socket, words: Uint8Array | undefined): void {
  if (words === undefined) cut(socket)
  else dismiss(socket, words, LAST_WORDS_MS)
}
