// SPDX-License-Identifier: Apache-2.0
/** What a scenario says, and what many of them share. */
import type { PathPolicy, SchedulerName } from 'multipath-net'

export interface Scenario {
  readonly id: string
  readonly title: string
  /**
   * Words of linksim, a text for each link: rate in Mbit/s, one-way delay in ms, loss in percent, queue in KiB. A recording is named as in
   * recordings.ts, or by its file.
   */
  readonly links: readonly string[]
  /** offered: as much as `offered` says, paced by the clock, whether or not it gets through. */
  readonly work: 'bulk' | 'echo' | 'messages' | 'both' | 'offered'
  /** Bytes of each message, taken in turn, one at a time. */
  readonly sizes?: readonly number[]
  /** Mbit/s. */
  readonly offered?: number
  /** What else sends bulk meanwhile: plain TCP over the first link, or the same peer in the other direction. */
  readonly beside?: 'plain' | 'back'
  readonly seconds: number
  /** How long under --quick; 0 leaves it out. */
  readonly quick: number
  /** Not part of a run unless it is named. */
  readonly extra?: boolean
  /** Milliseconds between the messages of an echo; default: USUAL_EVERY_MS. */
  readonly every?: number
  /**
   * Seconds at the start that rates and echoes don't count. 0 for bulk unless the target itself says so: a reader
   * that waited for one link gets what the others brought meanwhile in one go, and a window that opens in
   * between would count it as this window's.
   */
  readonly warm: number
  /** Changes of links, in linksim's words: 'SECONDS LINK WORD…'. */
  readonly changes?: readonly string[]
  /** The only peers it is of use for. */
  readonly peers?: readonly string[]
  /** The scenario whose plain TCP gives the sum, where it isn't this one. */
  readonly sumOf?: string
  /** Ours on either side; the default without it. */
  readonly scheduler?: SchedulerName
  /** Ours that dials takes the next scheduler after so many milliseconds, in turn through all. */
  readonly switchEvery?: number
  /** Of ours that dials, one for each link; what each path carried is then counted. */
  readonly policies?: readonly PathPolicy[]
  /** At the end, all that was written is waited for and counted. */
  readonly isComplete?: boolean
}

/** The number behind `name=` in the words of a link; 0 where it has none. */
export function valueOf(words: string, name: string): number {
  return Number(new RegExp(`(?:^|,)${name}=([\\d.]+)`).exec(words)?.[1] ?? 0)
}

/** Rate in Mbit/s and one-way delay in milliseconds. */
export const link = (rate: number, delay: number, more = ''): string => `rate=${rate},delay=${delay}${more}`

export const TWO: readonly string[] = [link(50, 5), link(50, 20)]
export const EVEN: readonly string[] = [link(50, 5), link(50, 10), link(50, 20)]

/** With 200 bytes, an interactive session or a game. */
export const USUAL_EVERY_MS = 5

type Usual = Pick<Scenario, 'work' | 'seconds' | 'quick' | 'warm'>

export const BULK: Usual = { work: 'bulk', seconds: 10, quick: 5, warm: 0 }
export const ECHO: Usual = { work: 'echo', seconds: 10, quick: 5, warm: 1 }
