// SPDX-License-Identifier: Apache-2.0
/** Metrics for OpenTelemetry: its names are taken by their shape, so that nothing has to be installed for them. */
import type { Metric, MetricSample } from './metric.js'

/** As `Observable` of `@opentelemetry/api`. */
export type Observable = object

/** As `BatchObservableResult` of `@opentelemetry/api`. */
export interface BatchResult {
  /** Reports one value. */
  observe(metric: never, value: number, attributes?: Record<string, string>): void
}

/** As `Meter` of `@opentelemetry/api`, version 1. */
export interface Meter {
  /** Makes a gauge. */
  createObservableGauge(name: string, options?: { description?: string }): Observable
  /** Makes a counter. */
  createObservableCounter(name: string, options?: { description?: string }): Observable
  /** Adds a callback for each export. */
  addBatchObservableCallback(callback: (result: BatchResult) => void, observables: never[]): void
  /** Removes that callback. */
  removeBatchObservableCallback(callback: (result: BatchResult) => void, observables: never[]): void
}

/**
 * Registers the metrics with a `Meter` of `@opentelemetry/api`, which collects them at each export. Names follow
 * OpenTelemetry: dots, and no `_total`.
 *
 * @returns a function that removes them
 */
export function observeWith(meter: Meter, metrics: { collect(): readonly Metric[] }): () => void {
  const observables = new Map<string, Observable>()
  for (const { name, help: description, type } of metrics.collect()) {
    const shown = name.replace('multipath_', 'multipath.').replace(/_total$/, '')
    observables.set(
      name,
      type === 'counter'
        ? meter.createObservableCounter(shown, { description })
        : meter.createObservableGauge(shown, { description }),
    )
  }
  const all = [...observables.values()] as never[]
  const callback = (result: BatchResult): void => {
    for (const { name, samples } of metrics.collect())
      for (const sample of samples) observe(result, observables.get(name), sample)
  }
  meter.addBatchObservableCallback(callback, all)
  return () => meter.removeBatchObservableCallback(callback, all)
}

function observe(
  result: BatchResult,
  observable: Observable | undefined,
  { value, labels = {} }: MetricSample,
): void {
  if (observable !== undefined) result.observe(observable as never, value, { ...labels })
}
