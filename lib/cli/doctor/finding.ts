/** Something that the doctor has found, in words, and how to mend it. */

export interface Finding {
  /** A fault keeps a path from working as it should; a note is worth knowing. */
  readonly severity: 'fault' | 'note'
  /** Stable, for programs. */
  readonly code: FindingCode
  readonly text: string
  /** Command lines that would mend it, in this order; never run by us. */
  readonly mend?: readonly string[]
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

export function fault(code: FindingCode, text: string, mend?: readonly string[]): Finding {
  return { severity: 'fault', code, text, ...(mend !== undefined && { mend }) }
}

export function note(code: FindingCode, text: string): Finding {
  return { severity: 'note', code, text }
}
