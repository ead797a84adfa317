// SPDX-License-Identifier: Apache-2.0
/** Something that the doctor has found, in words, and how to fix it. */

export interface Finding {
  /** A fault keeps a path from working as it should; a note is worth knowing. */
  readonly severity: 'fault' | 'note'
  /** Stable, for programs. */
  readonly code: FindingCode
  readonly text: string
  /** Command lines that would fix it, in this order; never run by us. */
  readonly fix?: readonly string[]
}

export type FindingCode =
  | 'no-such-address'
  | 'no-route'
  | 'wrong-source-route'
  | 'unknown-gateway'
  | 'strict-rp-filter'
  | 'unreachable'
  | 'not-multipath'
  | 'lost'
  | 'stopped-reading'
  | 'delivers-nothing'
  | 'bufferbloat'
  | 'shared-bottleneck'

/** What each code means. docs/cli.md is made from this table. */
export const FINDING_MEANINGS: Readonly<Record<FindingCode, string>> = {
  'no-such-address': 'no interface has the source address',
  'no-route': 'the system knows no way to the target from that source',
  'wrong-source-route': 'packets leave by another interface than the one that has their source address',
  'unknown-gateway':
    'no route says which gateway the interface has: the suggested lines hold a word in its place',
  'strict-rp-filter': 'the kernel drops answers that come in by the interface of the source',
  unreachable: 'nobody took the connection, or the multipath listener that did gave it up',
  'not-multipath': 'something else listens there; what came instead is told',
  lost: 'a path, or the connection, stood and was lost',
  'stopped-reading': 'the peer acknowledged nothing for 5 s, on any path, so that the rest was not measured',
  'delivers-nothing': 'a path whose handshake works carried nothing alone',
  bufferbloat: 'under load the round trip took 100 ms more, and three times as long, as idle',
  'shared-bottleneck': 'all paths together deliver less than 70 % of the sum of each alone',
}

export function fault(code: FindingCode, text: string, fix?: readonly string[]): Finding {
  return { severity: 'fault', code, text, ...(fix !== undefined && { fix }) }
}

export function note(code: FindingCode, text: string): Finding {
  return { severity: 'note', code, text }
}
