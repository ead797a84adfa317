// SPDX-License-Identifier: Apache-2.0
/** Diagnostics for programs: an object a line, on standard error. */
import type { EventName, FieldName } from './live/event-schema.js'

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Readonly<Partial<Record<FieldName, string | number | undefined>>>

/** Every line has an `event`, for programs, and a message, for people. */
export function jsonLine(level: Level, event: EventName, message: string, fields: Fields = {}): string {
  return JSON.stringify({ time: new Date().toISOString(), level, event, message, ...fields })
}

/** The error that ends the command. */
export function failedLine(message: string, exitCode: number): string {
  return jsonLine('error', 'failed', message, { exitCode })
}
