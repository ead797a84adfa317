// SPDX-License-Identifier: Apache-2.0
/** What may be asked of a running command. */
import { appendFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { PathPolicy, SchedulerName, TraceTarget } from '../../index.js'
import { schedulers } from '../../index.js'
import type { Controlled, ControlledPart } from '../live/controlled.js'
import type { LiveSession } from '../live/live-session.js'
import { statusOf } from '../live/status.js'
import { parsePolicy } from '../parse-policy.js'
import type { CtlRequest } from './protocol.js'
import { textField } from './protocol.js'

type Parts = readonly ControlledPart[]
type Action = (controlled: Controlled, request: CtlRequest) => unknown

/** By `cmd`. Each returns the result, or throws an Error with what is wrong. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  status: statusOf,
  'paths-add': ({ parts }, request) => {
    const [{ dialer, pathsOf } = {}, another] = dialing(parts)
    if (another !== undefined)
      throw new Error('several parts of the file dial paths: add the path to the file, and send SIGHUP')
    if (dialer === undefined || pathsOf === undefined) throw new Error('this command does not dial paths')
    const paths = pathsOf(textField(request, 'path'))
    if ('watch' in paths) {
      dialer.add(paths)
      return { labels: [] }
    }
    for (const path of paths) dialer.add(path)
    return { labels: paths.map(({ label }) => label) }
  },
  'paths-remove': ({ parts }, request) => {
    const label = textField(request, 'label')
    const dialers = dialing(parts).map(({ dialer }) => dialer)
    if (dialers.length === 0) throw new Error('this command does not dial paths')
    if (dialers.filter((dialer) => dialer?.remove(label)).length === 0) throw unknownPath(label)
    return {}
  },
  'paths-pause': (controlled, request) => onPath(controlled, request, (conn, label) => conn.pausePath(label)),
  'paths-resume': (controlled, request) =>
    onPath(controlled, request, (conn, label) => conn.resumePath(label)),
  'paths-set': (controlled, request) => {
    const policy: PathPolicy = parsePolicy(textField(request, 'policy'))
    return onPath(controlled, request, (conn, label) => conn.setPathPolicy(label, policy))
  },
  scheduler: ({ parts }, request) => {
    const name = textField(request, 'name')
    if (!Object.hasOwn(schedulers, name))
      throw new Error(`the scheduler must be one of ${Object.keys(schedulers).join(', ')}`)
    for (const { registry } of parts) registry.setScheduler(name as SchedulerName)
    return {}
  },
  'trace-on': ({ parts }, request) => {
    const file = textField(request, 'file')
    if (!isAbsolute(file)) throw new Error('file must be an absolute path')
    refuseSecondTrace(parts)
    // Now it can be told that it cannot be written.
    appendFileSync(file, '')
    setTrace(parts, file)
    return { file }
  },
  'trace-off': ({ parts }) => {
    if (traceOf(parts) === undefined) throw new Error('no trace is on')
    setTrace(parts, undefined)
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

/** That of all parts; `undefined` while there is none. */
export function traceOf(parts: Parts): TraceTarget | undefined {
  return parts[0]?.registry.trace
}

/** Of all parts. */
export function setTrace(parts: Parts, target: TraceTarget | undefined): void {
  for (const { registry } of parts) registry.setTrace(target)
}

/** @throws {Error} where a trace is on */
export function refuseSecondTrace(parts: Parts): void {
  const trace = traceOf(parts)
  if (trace === undefined) return
  throw new Error(
    `there is a trace already, ${typeof trace === 'string' ? `in ${trace}` : 'of another client'}`,
  )
}

function dialing(parts: Parts): ControlledPart[] {
  return parts.filter(({ dialer }) => dialer !== undefined)
}

type Steered = LiveSession['conn'] | NonNullable<ControlledPart['dialer']>

/** On the dialer, where there is one: sessions to come have the same paths. Otherwise on every session, or the one that is named. */
function onPath(
  { parts }: Controlled,
  request: CtlRequest,
  change: (steered: Steered, label: string) => void,
): unknown {
  const label = textField(request, 'label')
  const found = parts.flatMap((part) => steered(part, label, request.session))
  if (found.length === 0) throw unknownPath(label)
  for (const { one, by } of found) change(one, by)
  for (const { registry } of parts) for (const session of registry.sessions) session.watch.look()
  return {}
}

/** What knows a path by that name, and how it calls it. */
function steered(
  { dialer, registry }: ControlledPart,
  label: string,
  id: unknown,
): { readonly one: Steered; readonly by: string }[] {
  if (dialer !== undefined)
    return dialer.stats().some((path) => path.label === label) ? [{ one: dialer, by: label }] : []
  return registry.sessions
    .filter((session) => id === undefined || session.id === id)
    .flatMap((session) => session.labelsOf(label).map((by) => ({ one: session.conn, by })))
}

function unknownPath(label: string): Error {
  return new Error(`no path is called ${JSON.stringify(label)}`)
}
