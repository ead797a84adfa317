#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/** The command `multipath`. */
import { Namespace } from './run/namespace.js'

/** Sockets that are closing have this long, milliseconds, to bring the peer its last acks. */
const CLOSING_MS = 5000

const args = process.argv.slice(2)
// Its helper starts while the rest of the command is loaded, which takes as long.
const namespace = args[0] === 'run' && process.platform === 'linux' ? new Namespace() : undefined
/* eslint-disable no-restricted-syntax -- static imports come first */
const { processIo } = await import('./process-io.js')
const { runCli } = await import('./program.js')
/* eslint-enable no-restricted-syntax */

process.exitCode = await runCli(args, processIo(namespace))
namespace?.close()
process.stdin.destroy()
setTimeout(() => process.exit(), CLOSING_MS).unref()
