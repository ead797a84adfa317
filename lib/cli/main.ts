#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/** The command `multipath`. */
import { processIo } from './process-io.js'
import { runCli } from './program.js'

/** Sockets that are closing have this long, milliseconds, to bring the peer its last acks. */
const CLOSING_MS = 5000

process.exitCode = await runCli(process.argv.slice(2), processIo())
process.stdin.destroy()
setTimeout(() => process.exit(), CLOSING_MS).unref()
