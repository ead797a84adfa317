// SPDX-License-Identifier: Apache-2.0
/** `multipath speed serve`: the other end of `multipath speed` and `multipath doctor`. */
import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import { CTL_OPTIONS } from '../ctl/offer.js'
import { parseCount } from '../parse.js'
import { collect, REPORT_OPTIONS, TOKEN_OPTION } from '../streams/common-options.js'
import { parseListenPlace } from '../streams/parse-places.js'
import { runAlone } from '../streams/part.js'
import { SERVER_TLS_OPTIONS, ServePart } from '../streams/serve.js'
import { ownStage } from '../streams/stage.js'
import type { ServeFlags } from '../streams/serve-options.js'
import { TUNING_OPTIONS } from '../tuning.js'

const MAX_SESSIONS = 32
const MOST_SESSIONS = 1024

export function speedServeCommand(io: CliIo): Command {
  const command = new Command('serve')
    .summary('the other end of speed and doctor')
    .description(DESCRIPTION)
    .usage('[options] --listen [HOST:]PORT...')
  for (const option of OPTIONS()) command.addOption(option)
  return command.action((flags: ServeFlags) =>
    runAlone(new ServePart({ ...flags, ...NOTHING_ELSE }, io.env, true), ownStage('speed', flags, io)),
  )
}

/** No target can be reached, and nothing is left to end at a signal. */
const NOTHING_ELSE = { speed: true, maxStreams: 16, drain: 0, connectTimeout: 1000 }

const DESCRIPTION =
  'Accepts the measurements of multipath speed and multipath doctor, and nothing else, until a signal stops it. Without a token or a certificate authority for clients, anyone who can reach it may measure.'

export const SPEED_SERVE_EXAMPLES: readonly string[] = [
  'multipath speed serve --listen 7000',
  'multipath speed serve --listen 7000 --listen 7001 --token-file secret',
]

const OPTIONS = (): Option[] => [
  new Option('--listen <[host:]port>', 'address to listen on; may be repeated').argParser(
    collect(parseListenPlace),
  ),
  ...SERVER_TLS_OPTIONS(),
  TOKEN_OPTION(),
  new Option('--max-sessions <n>', 'largest number of clients at the same time')
    .argParser(parseCount(MOST_SESSIONS))
    .default(MAX_SESSIONS),
  ...TUNING_OPTIONS(),
  ...CTL_OPTIONS(),
  ...REPORT_OPTIONS(),
]
