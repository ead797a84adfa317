/** Options of a listener. */
import type { Clock } from '../clock.js'
import type { TraceTarget } from '../conn/trace-sink.js'
import { checkTrace } from '../conn/trace-sink.js'
import type { ConnOptions } from '../core/options.js'
import { CONN_OPTIONS } from '../core/options.js'
import type { Scheduler } from '../core/scheduler.js'
import type { SchedulerName } from '../core/schedulers/by-name.js'
import { schedulerOf } from '../core/schedulers/by-name.js'
import type { OptionTable, Resolved } from '../options.js'
import { checkBoolean, checkClock, refuseUnknown, resolveOptions } from '../options.js'

/** Numbers that only a listener needs. */
export interface ListenerNumbers {
  /** Time limit of a handshake, milliseconds. */
  handshakeTimeoutMs?: number | undefined
  /** Handshakes under way; for one more, the oldest from the address that has the most is closed. */
  maxPendingHandshakes?: number | undefined
  /** Live connections; those that ask for more are closed without an answer. */
  maxConnections?: number | undefined
  /** Connections that wait for `accept`; those that ask for more are closed without an answer. */
  maxBacklog?: number | undefined
}

export interface ListenerOptions extends ConnOptions, ListenerNumbers {
  /** Whether connections stay writable after the peer's end, as in `net.createServer`. Default: false. */
  allowHalfOpen?: boolean | undefined
  /** Which paths carry what we send: a name, or a scheduler of one's own. Default: `lowest-rtt`. */
  scheduler?: SchedulerName | Scheduler | undefined
  /**
   * Where a trace of each connection goes: a file, or a function that gets each line (docs/trace.md).
   * Default: the file that the environment names as MULTIPATH_TRACE, or none.
   */
  trace?: TraceTarget | undefined
  /** Source of time; for tests. */
  clock?: Clock | undefined
}

const LISTENER_NUMBERS: OptionTable<ListenerNumbers> = {
  handshakeTimeoutMs: { default: 10_000, min: 1, max: 600_000 },
  maxPendingHandshakes: { default: 1024, min: 1, max: 1_000_000 },
  maxConnections: { default: 65_536, min: 1, max: Infinity },
  maxBacklog: { default: 1024, min: 1, max: 1_000_000 },
}

export const LISTENER_TABLE: OptionTable<ConnOptions & ListenerNumbers> = {
  ...CONN_OPTIONS,
  ...LISTENER_NUMBERS,
}

/** @throws {OptionError} */
export function resolveListenerOptions(
  options: ListenerOptions = {},
): Resolved<ConnOptions & ListenerNumbers> {
  refuseUnknown(options, LISTENER_TABLE, ['allowHalfOpen', 'scheduler', 'trace', 'clock'])
  checkBoolean('allowHalfOpen', options.allowHalfOpen)
  checkClock(options.clock)
  schedulerOf(options.scheduler)
  checkTrace(options.trace)
  return resolveOptions(LISTENER_TABLE, options)
}
