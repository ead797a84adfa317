#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/** The command `multipath`. */
import { Namespace } from './run/namespace.js'

/** Sockets that are closing have this long, milliseconds, to bring the peer its last acks. */
const CLOSING_MS = 5000

const args = process.argv.slice(2)
const isRun = args[0] === 'run'
// Its helper starts while the rest of the command is loaded, which takes as long.
let namespace = isRun && process.platform === 'linux' ? new Namespace() : undefined
/* eslint-disable no-restricted-syntax -- static imports come first, and run does without the other commands */
const [{ processIo }, { runCli }] = await Promise.all([
  import('./process-io.js'),
  isRun ? import('./run/run-alone.js') : import('./program.js'),
])
/* eslint-enable no-restricted-syntax */

process.exitCode = await runCli(
  args,
  processIo(() => (namespace ??= new Namespace())),
)
namespace?.close()
process.stdin.destroy()
setTimeout(() => process.exit(), CLOSING_MS).unref()
