// SPDX-License-Identifier: Apache-2.0
/** Simulates the cells that its parent sends. */
import type { Cell } from './cell.js'
import { simulate } from './simulate.js'

process.on('message', (cell: Cell) => {
  process.send!(simulate(cell))
})
