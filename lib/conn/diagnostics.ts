// SPDX-License-Identifier: Apache-2.0
/** What a connection publishes on channels of `node:diagnostics_channel`: its events, for tools that do not hold it. */
import type { Channel } from 'node:diagnostics_channel'
import { channel } from 'node:diagnostics_channel'
import type { SubflowChange, SubflowEventName } from './attach.js'
import type { Resumed } from './suspension-events.js'

const SUBFLOW: Readonly<Record<SubflowEventName, Channel>> = {
  'subflow-open': channel('multipath:subflow:open'),
  'subflow-suspect': channel('multipath:subflow:suspect'),
  'subflow-recovered': channel('multipath:subflow:recovered'),
  'subflow-close': channel('multipath:subflow:close'),
}
const SUSPENDED = channel('multipath:connection:suspended')
const RESUMED = channel('multipath:connection:resumed')

export function publishSubflow(conn: object, name: SubflowEventName, change: SubflowChange): void {
  publish(SUBFLOW[name], { conn, change })
}

/** @param resumed - `undefined`: it is suspended */
export function publishSuspension(conn: object, resumed: Resumed | undefined): void {
  publish(resumed === undefined ? SUSPENDED : RESUMED, { conn, ...resumed })
}

function publish(to: Channel, message: object): void {
  if (to.hasSubscribers) to.publish(message)
}
