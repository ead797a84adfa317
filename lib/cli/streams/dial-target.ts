// SPDX-License-Identifier: Apache-2.0
/** Opens the TCP connection that a stream is for. What has been checked is what is dialled: no name is asked twice. */
import type { LookupAddress } from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import { connect } from 'node:net'
import type { AllowList, Place } from './allow-list.js'
import type { Address } from './host.js'
import { parseAddress } from './host.js'
import { orAborted } from './or-aborted.js'
import type { Refusal } from './stream-request.js'
import { ignore } from '../../ignore.js'

/** What decides on places and on the addresses that they lead to. */
export type Permission = Pick<AllowList, 'mayAsk' | 'mayDial'>

/** As dns.lookup with `all`. */
export type Resolve = (host: string, options: { all: true }) => Promise<LookupAddress[]>

export interface DialTargetOptions {
  readonly permission: Permission
  /** For the name and the connection together. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly resolve: Resolve
}

/** The target cannot be had; `message` is for the log of this side alone. */
export class TargetError extends Error {
  /** What the peer is told. */
  readonly refusal: Refusal
  /** No rule allows it, whatever the peer is told. */
  readonly isForbidden: boolean

  constructor(
    refusal: Refusal,
    message: string,
    options?: ErrorOptions & { readonly isForbidden?: boolean },
  ) {
    super(message, options)
    this.name = 'TargetError'
    this.refusal = refusal
    this.isForbidden = options?.isForbidden ?? false
  }
}

/** Time for each of several addresses before the next is tried beside it (RFC 8305), milliseconds. */
const NEXT_ADDRESS_MS = 500

const REFUSAL_OF: Readonly<Record<string, Refusal>> = {
  ECONNREFUSED: 'refused',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EHOSTDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'not-found',
  ENODATA: 'not-found',
  EAI_AGAIN: 'not-found',
  EMFILE: 'limit',
  ENFILE: 'limit',
}

/** A socket that is connected and may be half open. @throws {TargetError} */
export function dialTarget(place: Place, options: DialTargetOptions): Promise<Socket> {
  return reachTarget(place, options, (addresses, signal) => connected(place, addresses, signal))
}

/**
 * Has `reach` open what leads to `place`.
 *
 * @param reach - given the addresses of `place` that may be dialled, at least one; what it throws is explained
 * @throws {TargetError}
 */
export async function reachTarget<Reached>(
  place: Place,
  options: DialTargetOptions,
  reach: (addresses: readonly Address[], signal: AbortSignal) => Promise<Reached>,
): Promise<Reached> {
  const { permission, timeoutMs, signal } = options
  if (!permission.mayAsk(place))
    throw new TargetError('not-allowed', 'no rule allows it', { isForbidden: true })
  const life = new AbortController()
  const stop = (): void => life.abort(new TargetError('failed', 'the client has gone'))
  const timer = setTimeout(
    () => life.abort(new TargetError('timeout', `not connected within ${timeoutMs / 1000} s`)),
    timeoutMs,
  )
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  try {
    const found = await orAborted(addressesOf(place, options.resolve), life.signal)
    const allowed = found.filter((address) => permission.mayDial(place, address))
    if (allowed.length === 0) throw forbidden(place, found)
    return await reach(allowed, life.signal)
  } catch (error) {
    throw targetError(error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** A name that leads to a forbidden address is answered like one that does not exist: clients must not learn which names exist. */
function forbidden({ host }: Place, found: readonly Address[]): TargetError {
  const led = found.map(({ address }) => address).join(', ')
  const refusal = parseAddress(host) === undefined ? 'not-found' : 'not-allowed'
  return new TargetError(refusal, `it resolves to ${led || 'no address'}, which no rule allows`, {
    isForbidden: true,
  })
}

async function addressesOf({ host }: Place, resolve: Resolve): Promise<Address[]> {
  const literal = parseAddress(host)
  if (literal !== undefined) return [literal]
  const found = await resolve(host, { all: true })
  return found.map(({ address }) => parseAddress(address)).filter((address) => address !== undefined)
}

function connected(
  { host, port }: Place,
  addresses: readonly Address[],
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      lookup: pinned(addresses),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    })
    const settle = (): void => {
      signal.removeEventListener('abort', signalOnAbort)
      socket.off('connect', socketOnConnect)
      socket.off('error', fail)
    }
    const fail = (error: Error): void => {
      settle()
      socket.on('error', ignore)
      socket.destroy()
      reject(error)
    }
    const signalOnAbort = (): void => fail(signal.reason as Error)
    const socketOnConnect = (): void => {
      settle()
      resolve(socket)
    }
    signal.addEventListener('abort', signalOnAbort)
    socket.on('connect', socketOnConnect)
    socket.on('error', fail)
    if (signal.aborted) signalOnAbort()
  })
}

/** Answers with what has been checked. */
function pinned(addresses: readonly Address[]): LookupFunction {
  const all = addresses.map(({ address, family }) => ({ address, family }))
  return (_, options, callback) => {
    if (options.all === true) callback(null, all)
    else callback(null, all[0]!.address, all[0]!.family)
  }
}

function targetError(error: unknown): TargetError {
  if (error instanceof TargetError) return error
  const { code, message } = error as NodeJS.ErrnoException
  // Several addresses fail as one error without a message of its own.
  return new TargetError(REFUSAL_OF[code ?? ''] ?? 'failed', message || (code ?? String(error)), {
    cause: error,
  })
}
