// SPDX-License-Identifier: Apache-2.0
/** What may be asked of a running command. */
import { appendFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { PathPolicy, SchedulerName } from '../../index.js'
import { schedulers } from '../../index.js'
import type { Controlled } from '../live/controlled.js'
import type { LiveSession } from '../live/live-session.js'
import type { Registry } from '../live/registry.js'
import { statusOf } from '../live/status.js'
import { parsePolicy } from '../parse-policy.js'
import type { CtlRequest } from './protocol.js'
import { textField } from './protocol.js'

type Action = (controlled: Controlled, request: CtlRequest) => unknown

/** By `cmd`. Each returns the result, or throws an Error with what is wrong. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  status: statusOf,
  'paths-add': ({ dialer, pathsOf }, request) => {
    if (dialer === undefined || pathsOf === undefined) throw new Error('this command does not dial paths')
    const paths = pathsOf(textField(request, 'path'))
    if ('watch' in paths) {
      dialer.add(paths)
      return { labels: [] }
    }
    for (const path of paths) dialer.add(path)
    return { labels: paths.map(({ label }) => label) }
  },
  'paths-remove': ({ dialer }, request) => {
    const label = textField(request, 'label')
    if (dialer === undefined) throw new Error('this command does not dial paths')
    if (!dialer.remove(label)) throw unknownPath(label)
    return {}
  },
  'paths-pause': (controlled, request) => onPath(controlled, request, (conn, label) => conn.pausePath(label)),
  'paths-resume': (controlled, request) =>
    onPath(controlled, request, (conn, label) => conn.resumePath(label)),
  'paths-set': (controlled, request) => {
    const policy: PathPolicy = parsePolicy(textField(request, 'policy'))
    return onPath(controlled, request, (conn, label) => conn.setPathPolicy(label, policy))
  },
  scheduler: ({ registry }, request) => {
    const name = textField(request, 'name')
    if (!Object.hasOwn(schedulers, name))
      throw new Error(`the scheduler must be one of ${Object.keys(schedulers).join(', ')}`)
    registry.setScheduler(name as SchedulerName)
    return {}
  },
  'trace-on': ({ registry }, request) => {
    const file = textField(request, 'file')
    if (!isAbsolute(file)) throw new Error('file must be an absolute path')
    refuseSecondTrace(registry)
    // Now it can be told that it cannot be written.
    appendFileSync(file, '')
    registry.setTrace(file)
    return { file }
  },
  'trace-off': ({ registry }) => {
    if (registry.trace === undefined) throw new Error('no trace is on')
    registry.setTrace(undefined)
    return {}
  },
  drain: ({ stop }) => {
    setImmediate(stop, false)
    return {}
  },
  stop: ({ stop }) => {
    setImmediate(stop, true)
    return {}
  },
}

/** @throws {Error} where a trace is on */
export function refuseSecondTrace({ trace }: Pick<Registry, 'trace'>): void {
  if (trace === undefined) return
  throw new Error(
    `there is a trace already, ${typeof trace === 'string' ? `in ${trace}` : 'of another client'}`,
  )
}

type Steered = LiveSession['conn'] | NonNullable<Controlled['dialer']>

/** On the dialer, where there is one: sessions to come have the same paths. Otherwise on every session, or the one that is named. */
function onPath(
  { dialer, registry }: Controlled,
  request: CtlRequest,
  change: (steered: Steered, label: string) => void,
): unknown {
  const label = textField(request, 'label')
  if (dialer !== undefined) change(dialer, label)
  else {
    const { session: id } = request
    const sessions = registry.sessions.filter((one) => id === undefined || one.id === id)
    const found = sessions.flatMap((session) => session.labelsOf(label).map((one) => ({ session, one })))
    if (found.length === 0) throw unknownPath(label)
    for (const { session, one } of found) change(session.conn, one)
  }
  for (const session of registry.sessions) session.watch.look()
  return {}
}

function unknownPath(label: string): Error {
  return new Error(`no path is called ${JSON.stringify(label)}`)
}
