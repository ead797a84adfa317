// SPDX-License-Identifier: Apache-2.0
/** `multipath-net/metrics`: what connections, dialers and listeners do, for Prometheus and OpenTelemetry. */
import { MultipathConn } from '../conn/multipath-conn.js'
import type { ConnPath } from '../conn/path-view.js'
import type { PathStats } from '../conn/path-stats.js'
import { MultipathDialer } from '../dial/multipath-dialer.js'
import { MultipathListener } from '../listen/multipath-listener.js'
import type { Metric, MetricOf } from './metric.js'
import { metricsOf, metricsText, PATH_HEADINGS } from './metric.js'

export type { Metric, MetricSample } from './metric.js'
export { metricsText } from './metric.js'
export type { BatchResult, Meter, Observable } from './to-meter.js'
export { observeWith } from './to-meter.js'

/** The objects that have metrics. */
export type MetricsSource = MultipathConn | MultipathDialer | MultipathListener

type Labels = Readonly<Record<string, string>>

/**
 * Collects the counters of connections, dialers and listeners. A closed connection is forgotten, and the connections of a
 * listener are found automatically. A collection costs as much as `paths()` and `stats()`.
 */
export class Metrics {
  readonly #conns = new Map<MultipathConn, Labels>()
  readonly #dialers = new Map<MultipathDialer, Labels>()
  readonly #listeners = new Map<MultipathListener, { readonly labels: Labels; refused: number }>()

  /**
   * Adds a source. Of a server, give its `listener` once it listens.
   *
   * @param labels - added to each sample, to tell sources apart
   * @throws {TypeError} for anything else
   */
  add(source: MetricsSource, labels: Labels = {}): this {
    if (source instanceof MultipathDialer) this.#dialers.set(source, labels)
    else if (source instanceof MultipathListener) this.#addListener(source, labels)
    else if (source instanceof MultipathConn) this.#addConn(source, labels)
    else throw new TypeError('metrics are those of a connection, a dialer or a listener')
    return this
  }

  /** The present values, in a stable order. */
  collect(): Metric[] {
    const conns = [...this.#conns].map(([thing, labels]) => ({ thing, labels: connLabels(thing, labels) }))
    const paths = conns.flatMap(({ thing: conn, labels }) => labelled(conn.paths(), labels))
    const dialled = [...this.#dialers].flatMap(([dialer, labels]) => labelled(dialer.stats(), labels))
    return [
      {
        name: 'multipath_connections',
        help: 'Open connections.',
        type: 'gauge',
        samples: [{ value: conns.length }],
      },
      ...metricsOf(OF_CONNS, conns),
      ...metricsOf(OF_CONN_PATHS, paths),
      ...metricsOf(OF_DIALED_PATHS, dialled),
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

const OF_CONNS: readonly MetricOf<MultipathConn>[] = [
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

const OF_CONN_PATHS: readonly MetricOf<ConnPath>[] = [
  { ...PATH_HEADINGS.up, value: ({ state }) => Number(state === 'up') },
  { ...PATH_HEADINGS.paused, value: ({ isPaused }) => Number(isPaused) },
  { ...PATH_HEADINGS.rtt, value: ({ rttMs }) => rttMs && rttMs / 1000 },
  {
    ...PATH_HEADINGS.inFlight,
    value: ({ subflows }) => subflows.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0),
  },
  {
    ...PATH_HEADINGS.capLeft,
    value: ({ maxBytes, spentBytes }) =>
      maxBytes === Infinity ? undefined : Math.max(0, maxBytes - spentBytes),
  },
]

const OF_DIALED_PATHS: readonly MetricOf<PathStats>[] = [
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

function labelled<Path extends { readonly label: string }>(
  paths: readonly Path[],
  labels: Labels,
): readonly { readonly thing: Path; readonly labels: Labels }[] {
  return paths.map((thing) => ({ thing, labels: { ...labels, path: thing.label } }))
}

function connLabels(conn: MultipathConn, labels: Labels): Labels {
  return { ...labels, connection: conn.name.replace('…', '') }
}
