// SPDX-License-Identifier: Apache-2.0
/** The state of a command in the text format of Prometheus, version 0.0.4. */
import type { Metric, MetricSample } from '../../metrics/index.js'
import { metricsText } from '../../metrics/index.js'
import type { PathStatus, SessionStatus, Status } from '../live/status.js'

type PathValue = (path: PathStatus) => number | null

const PATH_METRICS: readonly {
  readonly name: string
  readonly help: string
  readonly type: Metric['type']
  readonly value: PathValue
}[] = [
  {
    name: 'multipath_path_up',
    help: 'Whether the path is up.',
    type: 'gauge',
    value: ({ state }) => Number(state === 'up'),
  },
  {
    name: 'multipath_path_paused',
    help: 'Whether the path is paused.',
    type: 'gauge',
    value: ({ isPaused }) => Number(isPaused),
  },
  {
    name: 'multipath_path_rtt_seconds',
    help: 'Smoothed round-trip time.',
    type: 'gauge',
    value: ({ rttMs }) => seconds(rttMs),
  },
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
  {
    name: 'multipath_path_in_flight_bytes',
    help: 'Payload bytes sent and not acknowledged.',
    type: 'gauge',
    value: ({ inFlightBytes }) => inFlightBytes,
  },
  {
    name: 'multipath_path_delivery_bytes_per_second',
    help: 'Delivery rate as the congestion control measures it.',
    type: 'gauge',
    value: ({ deliveryBytesPerSecond }) => deliveryBytesPerSecond,
  },
  {
    name: 'multipath_path_cap_left_bytes',
    help: 'Bytes left of the cap of the path.',
    type: 'gauge',
    value: ({ maxBytes, spentBytes }) => (maxBytes === null ? null : Math.max(0, maxBytes - spentBytes)),
  },
]

/** Ends with a line break. */
export function prometheusText(status: Status): string {
  const { sessions } = status
  const metrics: Metric[] = [
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
    ofSessions(
      sessions,
      'multipath_session_sent_bytes_total',
      'Payload bytes sent.',
      'counter',
      (one) => one.sentBytes,
    ),
    ofSessions(
      sessions,
      'multipath_session_received_bytes_total',
      'Payload bytes received.',
      'counter',
      (one) => one.receivedBytes,
    ),
    ofSessions(
      sessions,
      'multipath_session_unacked_bytes',
      'Payload bytes not acknowledged.',
      'gauge',
      (one) => one.unackedBytes,
    ),
    ofSessions(sessions, 'multipath_session_suspended', 'Whether no path is up.', 'gauge', (one) =>
      Number(one.suspendedMs !== null),
    ),
    ...PATH_METRICS.map((metric) => ({ ...metric, samples: ofPaths(sessions, metric.value) })),
  ]
  return metricsText(metrics)
}

function ofSessions(
  sessions: readonly SessionStatus[],
  name: string,
  help: string,
  type: Metric['type'],
  valueOf: (session: SessionStatus) => number,
): Metric {
  const samples = sessions.map((session) => ({ labels: sessionLabels(session), value: valueOf(session) }))
  return { name, help, type, samples }
}

function ofPaths(sessions: readonly SessionStatus[], valueOf: PathValue): MetricSample[] {
  return sessions.flatMap((session) =>
    session.paths.flatMap((path) => {
      const value = valueOf(path)
      const labels = { ...sessionLabels(session), path: path.label, tier: path.tier }
      return value === null ? [] : [{ labels, value }]
    }),
  )
}

function sessionLabels({ id, client }: SessionStatus): Record<string, string> {
  return { session: id, ...(client !== null && { client }) }
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000
}
