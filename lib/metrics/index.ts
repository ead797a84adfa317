// SPDX-License-Identifier: Apache-2.0
/** `multipath-net/metrics`: what connections, dialers and listeners do, for Prometheus and OpenTelemetry. */
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { ConnPath } from '../conn/path-view.js'
import type { PathStats } from '../conn/path-stats.js'
import { MultipathDialer } from '../dial/multipath-dialer.js'
import { MultipathListener } from '../listen/multipath-listener.js'
import type { Metric, MetricSample } from './metric.js'
import { metricsText } from './metric.js'

export type { Metric, MetricSample } from './metric.js'
export { metricsText } from './metric.js'
export type { BatchResult, Meter, Observable } from './to-meter.js'
export { observeWith } from './to-meter.js'

/** What metrics can be of. */
export type MetricsSource = MultipathConn | MultipathDialer | MultipathListener

type Labels = Readonly<Record<string, string>>

/**
 * Follows connections, dialers and listeners. A connection is forgotten when it closes; the connections of a listener come
 * and go by themselves. Nothing is measured that the sources do not know: a collection costs what `paths()` and `stats()` cost.
 */
export class Metrics {
  readonly #conns = new Map<MultipathConn, Labels>()
  readonly #dialers = new Map<MultipathDialer, Labels>()
  readonly #listeners = new Map<MultipathListener, { readonly labels: Labels; refused: number }>()

  /** @param labels - stand beside those of each sample; choose them so that sources can be told apart */
  add(source: MetricsSource, labels: Labels = {}): this {
    if (source instanceof MultipathDialer) this.#dialers.set(source, labels)
    else if (source instanceof MultipathListener) this.#addListener(source, labels)
    else this.#addConn(source, labels)
    return this
  }

  /** The state now, in an order that does not change. */
  collect(): Metric[] {
    const conns = [...this.#conns]
    const paths = conns.flatMap(([conn, labels]) =>
      conn.paths().map((path) => ({ path, labels: { ...connLabels(conn, labels), path: path.label } })),
    )
    const dialled = [...this.#dialers].flatMap(([dialer, labels]) =>
      dialer.stats().map((path) => ({ path, labels: { ...labels, path: path.label } })),
    )
    return [
      {
        name: 'multipath_connections',
        help: 'Open connections.',
        type: 'gauge',
        samples: [{ value: conns.length }],
      },
      ...OF_CONNS.map(({ value, ...metric }) => ({
        ...metric,
        samples: conns.map(([conn, labels]) => ({ labels: connLabels(conn, labels), value: value(conn) })),
      })),
      ...OF_CONN_PATHS.map(({ value, ...metric }) => ({ ...metric, samples: samplesOf(paths, value) })),
      ...OF_DIALED_PATHS.map(({ value, ...metric }) => ({ ...metric, samples: samplesOf(dialled, value) })),
      {
        ...{
          name: 'multipath_listener_refused_total',
          help: 'Streams refused in or before their handshake.',
          type: 'counter',
        },
        samples: [...this.#listeners.values()].map(({ labels, refused }) => ({ labels, value: refused })),
      },
    ]
  }

  /** {@link collect} in the text format of Prometheus. */
  text(): string {
    return metricsText(this.collect())
  }

  #addConn(conn: MultipathConn, labels: Labels): void {
    if (conn.destroyed || this.#conns.has(conn)) return
    this.#conns.set(conn, labels)
    conn.once('close', () => this.#conns.delete(conn))
  }

  #addListener(listener: MultipathListener, labels: Labels): void {
    if (this.#listeners.has(listener)) return
    const counts = { labels, refused: 0 }
    this.#listeners.set(listener, counts)
    listener.on('refused', () => counts.refused++)
    listener.on('subflow-open', (_change, conn) => this.#addConn(conn, labels))
  }
}

interface ConnMetric extends Omit<Metric, 'samples'> {
  readonly value: (conn: MultipathConn) => number
}

const OF_CONNS: readonly ConnMetric[] = [
  {
    ...{ name: 'multipath_connection_sent_bytes_total', help: 'Payload bytes written.', type: 'counter' },
    value: ({ bytesWritten }) => bytesWritten,
  },
  {
    ...{
      name: 'multipath_connection_received_bytes_total',
      help: 'Payload bytes received.',
      type: 'counter',
    },
    value: ({ bytesRead }) => bytesRead,
  },
  {
    ...{ name: 'multipath_connection_unacked_bytes', help: 'Payload bytes not acknowledged.', type: 'gauge' },
    value: ({ unflushedBytes }) => unflushedBytes,
  },
  {
    ...{ name: 'multipath_connection_suspended', help: 'Whether no path is up.', type: 'gauge' },
    value: ({ isSuspended }) => Number(isSuspended),
  },
]

interface PathMetric<Path> extends Omit<Metric, 'samples'> {
  readonly value: (path: Path) => number | undefined
}

const OF_CONN_PATHS: readonly PathMetric<ConnPath>[] = [
  {
    ...{ name: 'multipath_path_up', help: 'Whether the path is up.', type: 'gauge' },
    value: ({ state }) => Number(state === 'up'),
  },
  {
    ...{ name: 'multipath_path_paused', help: 'Whether the path is paused.', type: 'gauge' },
    value: ({ isPaused }) => Number(isPaused),
  },
  {
    ...{ name: 'multipath_path_rtt_seconds', help: 'Smoothed round-trip time.', type: 'gauge' },
    value: ({ rttMs }) => rttMs && rttMs / 1000,
  },
  {
    ...{
      name: 'multipath_path_in_flight_bytes',
      help: 'Payload bytes sent and not acknowledged.',
      type: 'gauge',
    },
    value: ({ subflows }) => subflows.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0),
  },
  {
    ...{ name: 'multipath_path_cap_left_bytes', help: 'Bytes left of the cap of the path.', type: 'gauge' },
    value: ({ maxBytes, spentBytes }) =>
      maxBytes === Infinity ? undefined : Math.max(0, maxBytes - spentBytes),
  },
]

const OF_DIALED_PATHS: readonly PathMetric<PathStats>[] = [
  {
    ...{ name: 'multipath_dialer_path_opened_total', help: 'Subflows opened.', type: 'counter' },
    value: ({ successes }) => successes,
  },
  {
    ...{ name: 'multipath_dialer_path_failures_total', help: 'Attempts that failed.', type: 'counter' },
    value: ({ failures }) => failures,
  },
  {
    ...{
      name: 'multipath_dialer_path_sent_bytes_total',
      help: 'Payload bytes sent, without those sent again.',
      type: 'counter',
    },
    value: ({ sentBytes }) => sentBytes,
  },
  {
    ...{
      name: 'multipath_dialer_path_received_bytes_total',
      help: 'Payload bytes received, duplicates included.',
      type: 'counter',
    },
    value: ({ receivedBytes }) => receivedBytes,
  },
  {
    ...{
      name: 'multipath_dialer_path_resent_bytes_total',
      help: 'Payload bytes sent again.',
      type: 'counter',
    },
    value: ({ retransmittedBytes }) => retransmittedBytes,
  },
]

function samplesOf<Path>(
  all: readonly { readonly path: Path; readonly labels: Labels }[],
  valueOf: (path: Path) => number | undefined,
): MetricSample[] {
  return all.flatMap(({ path, labels }) => {
    const value = valueOf(path)
    return value === undefined ? [] : [{ labels, value }]
  })
}

function connLabels(conn: MultipathConn, labels: Labels): Labels {
  return { ...labels, connection: conn.name.replace('…', '') }
}
