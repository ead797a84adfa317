// SPDX-License-Identifier: Apache-2.0
/** Metrics as data, and as the text that Prometheus reads (version 0.0.4). */

/** A number, and what it is of. */
export interface MetricSample {
  /** Names and values; the values may be any text. */
  readonly labels?: Readonly<Record<string, string>>
  /** The number. */
  readonly value: number
}

/** One metric with all of its samples. Its name says the unit: bytes, seconds. */
export interface Metric {
  /** Name in the form of Prometheus. */
  readonly name: string
  /** What the metric counts or measures. */
  readonly help: string
  /** A counter never falls while its source lives. */
  readonly type: 'gauge' | 'counter'
  /** One sample for each set of labels. */
  readonly samples: readonly MetricSample[]
}

type Heading = Omit<Metric, 'samples'>

/** A metric that each of several things has. */
export interface MetricOf<Thing> extends Heading {
  /** `null` or `undefined` if it is not known: then there is no sample. */
  readonly value: (thing: Thing) => number | null | undefined
}

export interface Labelled<Thing> {
  readonly thing: Thing
  readonly labels: Readonly<Record<string, string>>
}

/** Metrics of a path that programs and commands have in common. */
export const PATH_HEADINGS: Readonly<Record<'up' | 'paused' | 'rtt' | 'inFlight' | 'capLeft', Heading>> = {
  up: { name: 'multipath_path_up', help: 'Whether the path is up.', type: 'gauge' },
  paused: { name: 'multipath_path_paused', help: 'Whether the path is paused.', type: 'gauge' },
  rtt: { name: 'multipath_path_rtt_seconds', help: 'Smoothed round-trip time.', type: 'gauge' },
  inFlight: {
    name: 'multipath_path_in_flight_bytes',
    help: 'Payload bytes sent and not acknowledged.',
    type: 'gauge',
  },
  capLeft: {
    name: 'multipath_path_cap_left_bytes',
    help: 'Bytes left of the cap of the path.',
    type: 'gauge',
  },
}

/** The metrics of `table`, with a sample of each thing in `all`. */
export function metricsOf<Thing>(
  table: readonly MetricOf<Thing>[],
  all: readonly Labelled<Thing>[],
): Metric[] {
  return table.map(({ value, ...heading }) => ({
    ...heading,
    samples: all.flatMap(({ thing, labels }) => {
      const known = value(thing) ?? undefined
      return known === undefined ? [] : [{ labels, value: known }]
    }),
  }))
}

/** The text format of Prometheus; ends with a line break. */
export function metricsText(metrics: readonly Metric[]): string {
  return metrics.map(metricText).join('')
}

function metricText({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const shown = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
    return `${name}${shown.length === 0 ? '' : `{${shown.join(',')}}`} ${value}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
