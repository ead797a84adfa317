// SPDX-License-Identifier: Apache-2.0
/** Ports that `multipath serve` listens on for us, and where what comes to them goes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { MuxSession, MuxStream } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import { CliError } from '../cli-error.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { Permission, TargetError } from './dial-target.js'
import { dialTarget } from './dial-target.js'
import { joinTarget } from './join-target.js'
import { Lookups } from './lookups.js'
import type { ForwardRule } from './parse-places.js'
import type { ClientContext, ClientPlan } from './run-client.js'
import type { Answer } from './stream-request.js'
import { ANSWER_BYTES, decodeAnswer, encodeRequest } from './stream-request.js'
import { takeBytes } from './take-bytes.js'
import { refuse, takeRequest } from './take-request.js'

const CONNECT_MS = 10_000
const ANSWER_MS = 30_000
/** Another session of ours may still hold the port there: its end has yet to be noticed. */
const RETRY_MS = 1000
/** Where serve allows no longer what it allowed before. */
const REFUSED_RETRY_MS = 30_000

/** What is forwarded is our own choice: no rule stands against it. */
const ANY: Permission = { mayAsk: () => true, mayDial: () => true }

export class RemoteForwards {
  readonly #rules: readonly ForwardRule<HostPort>[]
  /** Those that serve has listened for. */
  readonly #granted = new Set<ForwardRule<HostPort>>()
  /** One for each name: serve may ask as often as it likes. */
  readonly #resolve = new Lookups(1).forClient()

  constructor(rules: readonly ForwardRule<HostPort>[]) {
    this.#rules = rules
  }

  /** Told of each session. */
  readonly onSession: NonNullable<ClientPlan['onSession']> = (session, context, fail) => {
    session.on('stream', (stream) => context.tasks.add(this.#take(stream, context)))
    for (const rule of this.#rules) {
      const listening = this.#keepListening(session, rule, context)
      listening.catch((error: unknown) => fail(error as CliError))
    }
  }

  /** Asks again as long as the session stands. @throws {CliError} where serve does not allow it, and never has */
  async #keepListening(
    session: MuxSession,
    rule: ForwardRule<HostPort>,
    context: ClientContext,
  ): Promise<void> {
    const { bind, target } = rule
    const place = formatHostPort(bind)
    const isOver = (): boolean => !session.isOpen || context.signal.aborted
    while (!isOver()) {
      const outcome = await listen(session, bind, context.signal, () => {
        this.#granted.add(rule)
        context.log.info('remote', `serve listens on ${place} for ${formatHostPort(target)}`, { place })
      })
      if (isOver()) return
      if (outcome === 'not-allowed' && !this.#granted.has(rule))
        throw new CliError(`serve is not allowed to listen on ${place}`, {
          hint: `start it with --allow-remote ${place}`,
        })
      context.log.warn('remote-lost', `serve does not listen on ${place}: ${outcome}`, { place, outcome })
      await sleep(outcome === 'not-allowed' ? REFUSED_RETRY_MS : RETRY_MS, undefined, { ref: false })
    }
  }

  async #take(stream: MuxStream, { log, streams }: ClientContext): Promise<void> {
    stream.on('error', ignore)
    const request = await takeRequest(stream)
    if (request === undefined) return
    const { kind, host, port } = request
    const rule = this.#rules.find(
      ({ bind }) => kind === 'incoming' && bind.host === host && bind.port === port,
    )
    if (rule === undefined) {
      refuse(stream, 'not-allowed')
      return
    }
    const target = formatHostPort(rule.target)
    try {
      const socket = await dialTarget(rule.target, {
        permission: ANY,
        timeoutMs: CONNECT_MS,
        resolve: this.#resolve,
      })
      await joinTarget(stream, socket, target, log, streams)
    } catch (error) {
      const { refusal, message } = error as TargetError
      log.warn('refused', `${target}: ${message}`, { target })
      refuse(stream, refusal)
    }
  }
}

/** Resolves with why, once serve listens no more. */
async function listen(
  session: MuxSession,
  bind: HostPort,
  signal: AbortSignal,
  onListening: () => void,
): Promise<Answer | 'lost'> {
  let stream: MuxStream
  try {
    stream = session.open()
  } catch {
    return 'lost' // It goes away just now.
  }
  stream.on('error', ignore)
  const signalOnAbort = (): void => void stream.destroy()
  signal.addEventListener('abort', signalOnAbort)
  try {
    stream.write(encodeRequest({ kind: 'listen', ...bind }))
    const word = decodeAnswer(await takeBytes(stream, ANSWER_BYTES, { timeoutMs: ANSWER_MS })) ?? 'failed'
    if (word !== 'ok') return word
    onListening()
    stream.resume()
    if (!stream.readableEnded && !stream.closed)
      await new Promise<void>((resolve) => {
        stream.once('end', () => resolve())
        stream.once('close', () => resolve())
      })
    return 'lost'
  } catch {
    return 'lost'
  } finally {
    signal.removeEventListener('abort', signalOnAbort)
    stream.destroy()
  }
}
