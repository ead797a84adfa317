// SPDX-License-Identifier: Apache-2.0
/** The state of a command in the text format of Prometheus, version 0.0.4. */
import type { MetricOf } from '../../metrics/metric.js'
import { metricsOf, metricsText, PATH_HEADINGS } from '../../metrics/metric.js'
import type { PathStatus, SessionStatus, Status } from '../live/status.js'

const OF_SESSIONS: readonly MetricOf<SessionStatus>[] = [
  {
    name: 'multipath_session_sent_bytes_total',
    help: 'Payload bytes sent.',
    type: 'counter',
    value: ({ sentBytes }) => sentBytes,
  },
  {
    name: 'multipath_session_received_bytes_total',
    help: 'Payload bytes received.',
    type: 'counter',
    value: ({ receivedBytes }) => receivedBytes,
  },
  {
    name: 'multipath_session_unacked_bytes',
    help: 'Payload bytes not acknowledged.',
    type: 'gauge',
    value: ({ unackedBytes }) => unackedBytes,
  },
  {
    name: 'multipath_session_suspended',
    help: 'Whether no path is up.',
    type: 'gauge',
    value: ({ suspendedMs }) => Number(suspendedMs !== null),
  },
]

const OF_PATHS: readonly MetricOf<PathStatus>[] = [
  { ...PATH_HEADINGS.up, value: ({ state }) => Number(state === 'up') },
  { ...PATH_HEADINGS.paused, value: ({ isPaused }) => Number(isPaused) },
  { ...PATH_HEADINGS.rtt, value: ({ rttMs }) => rttMs && rttMs / 1000 },
  {
    name: 'multipath_path_sent_bytes_total',
    help: 'Payload bytes sent, without those sent again.',
    type: 'counter',
    value: ({ sentBytes }) => sentBytes,
  },
  {
    name: 'multipath_path_received_bytes_total',
    help: 'Payload bytes received, duplicates included.',
    type: 'counter',
    value: ({ receivedBytes }) => receivedBytes,
  },
  {
    name: 'multipath_path_resent_bytes_total',
    help: 'Payload bytes sent again.',
    type: 'counter',
    value: ({ resentBytes }) => resentBytes,
  },
  { ...PATH_HEADINGS.inFlight, value: ({ inFlightBytes }) => inFlightBytes },
  {
    name: 'multipath_path_delivery_bytes_per_second',
    help: 'Delivery rate as the congestion control measures it.',
    type: 'gauge',
    value: ({ deliveryBytesPerSecond }) => deliveryBytesPerSecond,
  },
  {
    ...PATH_HEADINGS.capLeft,
    value: ({ maxBytes, spentBytes }) => (maxBytes === null ? null : Math.max(0, maxBytes - spentBytes)),
  },
]

/** Ends with a line break. */
export function prometheusText(status: Status): string {
  const sessions = status.sessions.map((thing) => ({ thing, labels: sessionLabels(thing) }))
  const paths = sessions.flatMap(({ thing, labels }) =>
    thing.paths.map((path) => ({ thing: path, labels: { ...labels, path: path.label, tier: path.tier } })),
  )
  return metricsText([
    {
      name: 'multipath_sessions',
      help: 'Open sessions.',
      type: 'gauge',
      samples: [{ value: sessions.length }],
    },
    {
      name: 'multipath_streams',
      help: 'Open streams.',
      type: 'gauge',
      samples: [{ value: status.streamCount }],
    },
    {
      name: 'multipath_uptime_seconds',
      help: 'Age of the command.',
      type: 'gauge',
      samples: [{ value: status.ageMs / 1000 }],
    },
    ...metricsOf(OF_SESSIONS, sessions),
    ...metricsOf(OF_PATHS, paths),
  ])
}

function sessionLabels({ id, client }: SessionStatus): Record<string, string> {
  return { session: id, ...(client !== null && { client }) }
}
