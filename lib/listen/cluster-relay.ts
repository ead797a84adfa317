// SPDX-License-Identifier: Apache-2.0
/** The primary's part in a cluster: subflows go from the worker that got them to the one that they belong to. */
import cluster from 'node:cluster'
import type { Worker } from 'node:cluster'
import type { Socket } from 'node:net'
import { OptionError } from '../errors.js'
import type { OptionTable } from '../options.js'
import { refuseUnknown, resolveOptions } from '../options.js'
import type { HandoverRefused } from './handover.js'
import { isHandover, isHandoverRefused, stopReading, tagOf } from './handover.js'
import { ignore } from '../ignore.js'

/** Options of `relaySubflows`. */
export interface RelayOptions {
  /**
   * Subflows that are being handed over to one worker. Further ones are closed, and dialled again. Default: 1,024; 1 to
   * 1,000,000.
   */
  maxPendingHandovers?: number | undefined
}

export const RELAY_TABLE: OptionTable<RelayOptions> = {
  maxPendingHandovers: { default: 1024, min: 1, max: 1_000_000 },
}

/**
 * Hands subflows over between the workers of this cluster, for listeners with the option `cluster`. Call it once in the
 * primary, before the workers accept connections. If the right worker is gone, the one that accepted the subflow refuses
 * it.
 *
 * @returns a function that ends it
 * @throws {OptionError} ERR_MULTIPATH_OPTION, also in a worker
 */
export function relaySubflows(options?: RelayOptions): () => void {
  if (!cluster.isPrimary) throw new OptionError('relaySubflows is for the primary of a cluster')
  refuseUnknown(options, RELAY_TABLE)
  const { maxPendingHandovers } = resolveOptions(RELAY_TABLE, options)
  const pending = new Map<Worker, Set<Socket>>()
  const onMessage = (from: Worker, message: unknown, socket: Socket | undefined): void => {
    if (isHandoverRefused(message)) tell(cluster.workers?.[message.to], message)
    if (!isHandover(message) || socket === undefined) return
    stopReading(socket)
    socket.on('error', ignore)
    // Most CIDs that somebody makes up name no worker at all.
    const target = workerOf(message.tag) ?? from
    const waiting = pending.get(target) ?? new Set()
    if (!target.isConnected() || waiting.size >= maxPendingHandovers) {
      socket.destroy()
      return
    }
    pending.set(target, waiting.add(socket))
    target.send(message, socket, {}, () => {
      waiting.delete(socket)
      socket.destroy()
    })
  }
  // Node forgets what waits for a worker that dies.
  const onGone = (worker: Worker): void => {
    for (const socket of pending.get(worker) ?? []) socket.destroy()
    pending.delete(worker)
  }
  cluster.on('message', onMessage).on('disconnect', onGone).on('exit', onGone)
  return () => {
    cluster.off('message', onMessage).off('disconnect', onGone).off('exit', onGone)
  }
}

/** `undefined`: it is gone, or never was. */
function workerOf(tag: number): Worker | undefined {
  return Object.values(cluster.workers ?? {}).find(
    (worker) => tagOf(worker!.id) === tag && worker!.isConnected(),
  )
}

/** A worker that goes meanwhile needs no word. */
function tell(worker: Worker | undefined, message: HandoverRefused): void {
  if (worker?.isConnected() === true) worker.send(message, () => {})
}
