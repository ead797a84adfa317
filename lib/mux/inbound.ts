// SPDX-License-Identifier: Apache-2.0
/** What the frames of the peer do to a session. What it throws ends the session. */
import { MultipathError } from '../errors.js'
import type { FrameHeader } from './frame.js'
import { Flag, FrameType, GoAwayCode, protocolError } from './frame.js'
import type { FrameHandler } from './frame-reader.js'
import type { SessionState } from './session-state.js'
import type { StreamCore } from './stream-core.js'

export class Inbound implements FrameHandler {
  readonly #state: SessionState
  /** Of the data frame under way; `undefined` where its payload is not wanted. */
  #receiving: StreamCore | undefined
  #flags = 0

  constructor(state: SessionState) {
    this.#state = state
  }

  onFrame({ type, flags, streamId, length }: FrameHeader): void {
    if (type === FrameType.ping) this.#onPing(flags, length)
    else if (type === FrameType.goAway) this.#onGoAway(length)
    else this.#onStreamFrame(type, flags, streamId, length)
    const { limits, output } = this.#state
    if (output.waitingAnswers > limits.maxWaitingAnswers)
      throw new MultipathError(
        'ERR_MULTIPATH_MUX_LIMIT',
        'the peer requested more answers than it reads (maxWaitingAnswers)',
      )
  }

  onPayload(piece: Uint8Array): void {
    const stream = this.#receiving
    if (stream?.isOver === false && !stream.isAbandoned) this.#state.keep(stream, piece)
  }

  onPayloadEnd(): void {
    const stream = this.#receiving
    this.#receiving = undefined
    if (stream?.isOver === false) this.#endOf(stream, this.#flags)
  }

  #onPing(flags: number, id: number): void {
    const { output, pings, now } = this.#state
    if ((flags & Flag.syn) !== 0) {
      this.#state.chargeIdleFrame()
      output.pong(id)
      return
    }
    const rttMs = pings.answered(id, now)
    if (rttMs === undefined) this.#state.chargeIdleFrame()
    else this.#state.tell({ type: 'ping-end', id, rttMs })
  }

  #onGoAway(code: number): void {
    if (code !== GoAwayCode.normal)
      throw protocolError(`the peer ended the session: ${GO_AWAY_REASONS[code] ?? `reason ${code}`}`)
    if (this.#state.hasGoneAway) {
      this.#state.chargeIdleFrame()
      return
    }
    this.#state.hasGoneAway = true
    this.#state.tell({ type: 'go-away' })
    // The peer has not seen them and will not take them: they can be tried again elsewhere.
    for (const stream of [...this.#state.table.values()])
      if (stream.phase === 'waiting')
        this.#state.reset(
          stream,
          new MultipathError('ERR_MULTIPATH_MUX_CLOSED', 'the peer accepts no more streams'),
        )
  }

  #onStreamFrame(type: number, flags: number, id: number, length: number): void {
    const { table } = this.#state
    const stream = (flags & Flag.syn) === 0 ? table.get(id) : this.#onSyn(id)
    const isData = type === FrameType.data
    if (isIdle(stream, isData, flags, length)) this.#state.chargeIdleFrame()
    // What is unknown was reset, or refused: what was on its way is dropped. Go: session.go, handleStreamMessage.
    if (stream === undefined) return
    if ((flags & Flag.ack) !== 0) this.#onAck(stream)
    if ((flags & Flag.rst) !== 0) {
      this.#onReset(stream)
      return
    }
    if (isData) this.#beginData(stream, flags, length)
    else {
      stream.addCredit(length)
      this.#state.output.touch(stream)
      this.#endOf(stream, flags)
    }
  }

  #onSyn(id: number): StreamCore | undefined {
    const { table, output, now, isClosing } = this.#state
    const stream = isClosing && table.isFree(id) ? undefined : table.admit(id, now)
    if (stream === undefined) {
      this.#state.chargeReset()
      output.reset(id, true)
    } else this.#state.arrived(stream)
    return stream
  }

  #onAck(stream: StreamCore): void {
    this.#state.table.acked(stream)
    this.#state.openMore()
    this.#state.changed(stream)
  }

  #onReset(stream: StreamCore): void {
    const verb = stream.phase === 'opening' ? 'refused' : 'reset'
    const message = `the peer has ${verb} stream ${stream.id}`
    this.#state.resetByPeer(stream, new MultipathError('ERR_MULTIPATH_MUX_RESET', message))
  }

  #beginData(stream: StreamCore, flags: number, length: number): void {
    // Until our end is sent, a reset would take what we wrote before with it: what comes meanwhile is dropped.
    if (stream.isAbandoned && stream.isWriteEnd && length > 0) {
      this.#state.reset(stream)
      return
    }
    stream.checkPayload(length)
    this.#receiving = stream
    this.#flags = flags
  }

  #endOf(stream: StreamCore, flags: number): void {
    if ((flags & Flag.fin) === 0) return
    stream.remoteEnded()
    this.#state.changed(stream)
    this.#state.removeIfEnded(stream)
  }
}

/** Whether a frame changes nothing, so that a peer could send any number of them. */
function isIdle(stream: StreamCore | undefined, isData: boolean, flags: number, length: number): boolean {
  if (isData && length > 0) return false
  if ((flags & Flag.syn) !== 0) return false
  if (stream === undefined) return true
  if ((flags & (Flag.fin | Flag.rst)) !== 0) return false
  if ((flags & Flag.ack) !== 0 && stream.phase === 'opening') return false
  return isData || !stream.needsCredit(length)
}

const GO_AWAY_REASONS: Readonly<Record<number, string>> = {
  [GoAwayCode.protocol]: 'it reports a violation of the protocol by this side',
  [GoAwayCode.internal]: 'it reports an internal error',
}
