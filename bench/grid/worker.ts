// SPDX-License-Identifier: Apache-2.0
/** Simulates the cells that its parent sends. */
import type { Job } from './results.js'
import { simulate } from './simulate.js'

process.on('message', ({ cell, seed }: Job) => {
  const before = process.cpuUsage()
  const outcome = simulate(cell, seed)
  const { user, system } = process.cpuUsage(before)
  // The parent may have been stopped meanwhile.
  if (process.connected) process.send!({ cell, seed, outcome, cpuMs: Math.round((user + system) / 1000) })
})
