// SPDX-License-Identifier: Apache-2.0
/** The command line as a whole. */
import type { Command } from 'commander'
import type { CliIo } from './cli-io.js'
import type { Subcommand } from './command-line.js'
import { buildCommandLine, runCommandLine } from './command-line.js'
import { CTL_EXAMPLES, ctlCommand, STATUS_EXAMPLES, statusCommand } from './ctl/ctl-command.js'
import { DOCTOR_EXAMPLES, doctorCommand } from './doctor/doctor-command.js'
import { GATEWAY_EXAMPLES, gatewayCommand } from './gateway/gateway.js'
import { MONITOR_EXAMPLES, monitorCommand } from './monitor/monitor-command.js'
import { NC_EXAMPLES, ncCommand } from './nc.js'
import { RUN } from './run/run.js'
import { SPEED_EXAMPLES, speedCommand } from './speed/speed-command.js'
import { SPEED_SERVE_EXAMPLES } from './speed/speed-serve.js'
import { FORWARD_EXAMPLES, forwardCommand } from './streams/forward.js'
import { SERVE_EXAMPLES, serveCommand } from './streams/serve.js'
import { SOCKS_EXAMPLES, socksCommand } from './streams/socks.js'
import { TRACE_EXAMPLES, traceCommand } from './trace/trace-command.js'
import { withPrintConfig } from './up/print-config.js'
import { SECTIONS } from './up/sections.js'
import { UP_EXAMPLES, upCommand } from './up/up-command.js'

/** A row for each subcommand, in the order of `--help`. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  { build: ncCommand, examples: NC_EXAMPLES },
  { build: printable(serveCommand), examples: SERVE_EXAMPLES },
  { build: printable(forwardCommand), examples: FORWARD_EXAMPLES },
  { build: printable(socksCommand), examples: SOCKS_EXAMPLES },
  { build: printable(gatewayCommand), examples: GATEWAY_EXAMPLES },
  { build: upCommand, examples: UP_EXAMPLES },
  RUN,
  { build: statusCommand, examples: STATUS_EXAMPLES },
  { build: monitorCommand, examples: MONITOR_EXAMPLES },
  { build: ctlCommand, examples: CTL_EXAMPLES },
  { build: doctorCommand, examples: DOCTOR_EXAMPLES },
  { build: speedCommand, examples: SPEED_EXAMPLES, nested: { serve: SPEED_SERVE_EXAMPLES } },
  { build: traceCommand, examples: TRACE_EXAMPLES },
]

/** A command that a file of `up` may hold. */
function printable(build: (io: CliIo) => Command): (io: CliIo) => Command {
  return (io) => {
    const command = build(io)
    return withPrintConfig(command, SECTIONS.find(({ name }) => name === command.name())!, io)
  }
}

/** The parser; docs/cli.md is made from it. */
export function buildProgram(io: CliIo): Command {
  return buildCommandLine(SUBCOMMANDS, io)
}

/** Runs the command line `args` (without node and script). @returns the exit code; never rejects */
export function runCli(args: readonly string[], io: CliIo): Promise<number> {
  return runCommandLine(SUBCOMMANDS, args, io)
}
