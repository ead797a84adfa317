// SPDX-License-Identifier: Apache-2.0
/** Metrics as data, and as the text that Prometheus reads (version 0.0.4). */

/** A number, and what it is of. */
export interface MetricSample {
  /** Names and values; the values may be any text. */
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric with all of its samples. Its name says the unit: bytes, seconds. */
export interface Metric {
  readonly name: string
  readonly help: string
  /** A counter never falls while its source lives. */
  readonly type: 'gauge' | 'counter'
  readonly samples: readonly MetricSample[]
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
