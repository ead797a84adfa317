// SPDX-License-Identifier: Apache-2.0
/** What an attack consists of: `npm run attack` runs each of these parts in a process of its own. */
import type { Duplex } from 'node:stream'

export interface AttackCase {
  /** Sockets of the attacker at full size, if their number is what makes the attack. `--sockets` takes its place. */
  readonly sockets: number
  /** What the victim process may hold at most, MiB of resident memory. */
  readonly budgetMiB: number
  /** A message of the friend, bytes; one is due every 10 ms. */
  readonly messageBytes: number
  /** Starts the process under attack, which must send a friend's bytes back. @returns its port */
  readonly serve: () => Promise<number>
  /** A process that reads and drops what the attacker sends. @returns its port; without it there is no control phase */
  readonly sink?: () => Promise<number>
  /** Another client of the victim: a stream on which all that is written comes back. */
  readonly befriend: (port: number) => Promise<Duplex>
  /** Attacks until the process is killed. */
  readonly attack: (port: number, sockets: number) => unknown
}

/** The attacker comes from 127.0.0.1. */
export const FRIEND_ADDRESS = '127.0.0.2'
