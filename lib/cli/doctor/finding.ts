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
  | 'refused'
  | 'not-measured'
  | 'stopped-reading'
  | 'delivers-nothing'
  | 'bufferbloat'
  | 'shared-bottleneck'

/** What each code means. docs/cli.md is made from this table. */
export const FINDING_MEANINGS: Readonly<Record<FindingCode, string>> = {
  'no-such-address': 'no interface has the source address',
  'no-route': 'the system has no route to the target from that source address',
  'wrong-source-route': 'packets leave by a different interface from the one that has their source address',
  'unknown-gateway':
    'no route names the gateway of the interface: the suggested commands contain a placeholder for it',
  'strict-rp-filter': 'the kernel drops answers that arrive on the interface of the source address',
  unreachable: 'the connection was not accepted, or the multipath listener gave it up',
  'not-multipath': 'a different service listens there; the report quotes its answer',
  lost: 'a path, or the connection, was lost after it was established',
  refused: 'the peer requires a token, or a different one, or allows no measurements',
  'not-measured': 'no second connection over this path alone could be opened',
  'stopped-reading':
    'the peer acknowledged nothing on any path for 5 s, so the remaining measurements were skipped',
  'delivers-nothing': 'the handshake of a path works, but the path alone carried no data',
  bufferbloat:
    'the round trip under load takes at least 100 ms more than when idle, and at least three times as long',
  'shared-bottleneck':
    'all paths together deliver less than 70 % of the sum of their separate rates, in either direction',
}

export function fault(code: FindingCode, text: string, fix?: readonly string[]): Finding {
  return { severity: 'fault', code, text, ...(fix !== undefined && { fix }) }
}

export function note(code: FindingCode, text: string): Finding {
  return { severity: 'note', code, text }
}
