// SPDX-License-Identifier: Apache-2.0
/** Who dials (and sends) and who listens. */
import type { Language } from '../shared/worker.js'

export interface Pairing {
  readonly id: PairingId
  readonly title: string
  readonly kind: 'multipath' | 'plain'
  readonly dials: Language
  readonly listens: Language
}

export type PairingId = 'node-node' | 'node-go' | 'go-node' | 'go-go' | 'plain'

export const PAIRINGS: readonly Pairing[] = [
  { id: 'node-node', title: 'Node↔Node', kind: 'multipath', dials: 'node', listens: 'node' },
  { id: 'node-go', title: 'Node→Go', kind: 'multipath', dials: 'node', listens: 'go' },
  { id: 'go-node', title: 'Go→Node', kind: 'multipath', dials: 'go', listens: 'node' },
  { id: 'go-go', title: 'Go↔Go', kind: 'multipath', dials: 'go', listens: 'go' },
  { id: 'plain', title: 'plain net', kind: 'plain', dials: 'node', listens: 'node' },
]
