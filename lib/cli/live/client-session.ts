// SPDX-License-Identifier: Apache-2.0
/** The session of a client, as a server sees it: it knows of no path but those that clients have opened. */
import type { MultipathConn } from '../../index.js'
import type { Log } from '../streams/log.js'
import type { PathEnds } from './change-text.js'
import { LiveSession } from './live-session.js'

export function clientSession(conn: MultipathConn, log: Log): LiveSession {
  const client = shortAddress(conn.remoteAddress ?? 'a client')
  return new LiveSession({ conn, log, client, endsOf, nameOf })
}

/** Without what IPv6 sockets put before an IPv4 address. */
export function shortAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '')
}

const LABEL = /^(?<local>.*):(?<localPort>\d+)\|(?<remote>.*):\d+$/

/** The client's port changes with each attempt: its address names the path. */
function nameOf(label: string): string {
  const { local, localPort, remote } = LABEL.exec(label)?.groups ?? {}
  if (local === undefined || remote === undefined) return label
  return `${shortAddress(remote)} → ${shortAddress(local)}:${localPort}`
}

function endsOf(name: string): PathEnds {
  const [to, from] = name.split(' → ')
  return { from, to }
}
