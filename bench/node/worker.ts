// SPDX-License-Identifier: Apache-2.0
/**
 * The Node side of the benches: connections of this library, or of node:net, as the receiver (serve) or as
 * the sender (dial). It prints JSON lines, answers the words `report` and `memory` on standard input, and
 * lives until that ends.
 */
import { createInterface } from 'node:readline'
import { dial } from './dial.js'
import { workerOptions } from './options.js'
import { memory, say } from './output.js'
import { serve } from './serve.js'

const options = workerOptions(process.argv.slice(2))
const asked = createInterface({ input: process.stdin })
asked.on('close', () => process.exit(0))

if (options.role === 'serve') {
  await serve(options, asked)
} else {
  asked.on('line', () => say('memory', memory()))
  await dial(options)
}
