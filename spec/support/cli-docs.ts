// SPDX-License-Identifier: Apache-2.0
/** docs/cli.md, the manual page and the completions, made from the parser. `npm run docs:cli` writes them; a spec compares. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { FINDING_MEANINGS } from '../../lib/cli/doctor/finding.js'
import { EXIT_ILL, EXIT_MEANINGS } from '../../lib/cli/exit-codes.js'
import { EVENTS, FIELDS, NUMBERS } from '../../lib/cli/live/event-schema.js'
import { CAUSE_MS, REMIND_MS, SILENCE_MS } from '../../lib/cli/live/path-journal.js'
import { fullName } from '../../lib/cli/command-line.js'
import { buildProgram, SUBCOMMANDS } from '../../lib/cli/program.js'
import { bashCompletion, fishCompletion, zshCompletion } from './completions.js'
import { FakeCliIo } from './fake-cli-io.js'
import { manPage } from './man-page.js'

const INTRO = `# The command

\`multipath\` is part of the package. Run it with \`npx --package multipath-net multipath --help\`, or install it with
\`npm install --global multipath-net\`. This page is generated from the parser of the command.`

const FINDINGS = `## What doctor finds

If there is a fault, the exit code is ${EXIT_ILL}; a note does not change it. With \`--json\`, each finding is in \`findings\` of its path
or of the whole report, as \`{ severity, code, text, fix }\`. \`fix\` contains the commands that correct it, if there are any.

${['| code | meaning |', '| --- | --- |', ...Object.entries(FINDING_MEANINGS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)].join('\n')}

A path has a local address, and the routes choose its interface. With the routing of most systems, every packet leaves by
the first default route, whatever its source address, so two paths share one uplink. A rule for each source address corrects that (on Linux:
ip-rule(8)). Changes by \`ip\` are lost at a restart: add them to the network configuration of your system.

Round-trip times are those of multipath frames. The idle value is the shortest within a second, and the value under load is the median
while the path is full. Rates count acknowledged bytes and exclude the first third of the time.`

const EVENTS_PAGE = `## What the commands report

\`forward\`, \`socks\`, \`serve\` and \`nc\` write one line to standard error for each change that matters, with the time of day; \`run\` writes
only warnings, unless \`--verbose\` or \`--json\` is given. A path
counts as down ${CAUSE_MS / 1000} s after its loss, or after ${SILENCE_MS / 1000} s of silence. A failure that continues for the same reason is repeated
every ${REMIND_MS / 60_000} minutes. A session is suspended while none of its paths is up.

With \`--json\`, each line is an object. Every object has \`time\` (${FIELDS.time}), \`level\` (${FIELDS.level}), \`event\`, and
\`message\`, ${FIELDS.message}. Of the other fields, any may be missing:

${['| event | meaning | fields |', '| --- | --- | --- |', ...Object.entries(EVENTS).map(([event, { meaning, fields }]) => `| \`${event}\` | ${meaning} | ${fields.map((field) => `\`${field}\``).join(', ')} |`)].join('\n')}

${['| field | type | meaning |', '| --- | --- | --- |', ...Object.entries(FIELDS).map(([field, meaning]) => `| \`${field}\` | ${(NUMBERS as readonly string[]).includes(field) ? 'number' : 'string'} | ${meaning} |`)].join('\n')}`

const STREAMS = `## Streams: access and targets

\`forward\`, \`socks\` and \`run\` each have one session with \`serve\`: yamux streams over one multipath connection. The client opens the connection at the
start. If all paths are lost, it reconnects, with pauses of at most 5 seconds. A new stream costs no round trip: its first
bytes leave together with the request for its target.

- Before the first stream, each side proves that it knows the token, with HMAC-SHA256 over fresh random numbers of both sides.
  The client proves it first, and the token itself is never sent. The token does not encrypt the data. On networks of others use TLS as well,
  since anyone who sees the packets can read and change them, and join the session.
- With \`--tls-client-ca\` on \`serve\`, clients present a certificate (\`--tls-cert\`, \`--tls-key\`) on every path. A certificate that verifies
  against the file replaces the token. Clients with different certificates cannot join each other's sessions. Use an authority that
  signs only your clients, or list the certificates themselves, one after another.
- A client learns why a stream was refused. SOCKS5 reports 2 if no rule allows the target, 3 if it is unreachable, and 4 for an
  unknown name. It reports 5 for a refused connection, 6 after a timeout, and 1 for other reasons. HTTP reports 403, 502, 503 or
  504, and a forwarded port resets the connection. \`serve\` logs every refusal.
- A client of \`socks\` normally waits for that answer before it sends data. The wait takes a round trip and the time that \`serve\` needs to connect.
  If the same target was reached within the last minute, \`socks\` reports success at once, and the first data leaves with the
  request. A later failure is then a reset without a reason, which programs may take for a fault of the target. The
  next request to that target gets the reason again. \`--early always\` does this for every target, \`--early never\` for none.
  Without a session, clients are refused in every mode.
- \`serve\` dials the same address that it checked against the rules, so a name that changes in between has no effect.
  An IPv4 address within IPv6 (mapped, NAT64) counts as that IPv4 address. The addresses of the machine that runs
  \`serve\` count as private.
- Bytes, ends, resets and backpressure pass through each stream. When a session is lost, its streams are reset,
  so that no program takes truncated data for complete data.
- After a signal, \`serve\`, \`forward\` and \`socks\` accept nothing new, and open streams have --drain seconds to end. A second signal
  stops the process at once.

## Inside run

The program of \`run\` is in a network namespace in which every address is local. Linux itself accepts each of its connections there, whatever its
target and port, and \`run\` opens a stream for it.

- A connection is accepted before \`serve\` has answered. One that \`serve\` refuses is therefore reset instead of refused, and \`run\` reports the reason.
- Every name has addresses that stand for it, in 198.18.0.0/15 and fd6d:7061:7468::/96. Whether a name exists is known only when it is connected to. Other records than
  addresses (MX, TXT, SRV) are empty, whatever server they are asked for. Names in /etc/hosts have the addresses that stand there.
- UDP is refused, and HTTP/3 falls back to TCP at once. Pings are refused. Abstract Unix sockets of the machine are out of reach.
- A program of an ordinary user keeps the IDs of its user and group. All other users and groups appear as nobody in its user namespace, and programs with set-user-ID bits, such as sudo, do not work. Root
  needs no user namespace.
- \`run\` passes signals on to the program. After the program has ended, \`run\` continues to deliver the data that it has sent, for at most --drain seconds. Processes that it leaves behind lose their network
  after that.
- \`run\` is no sandbox: the program has the files of its user.

Tokens and logins come from files or from the environment (MULTIPATH_TOKEN, MULTIPATH_SOCKS_LOGIN). They cannot be given on the
command line, because every user of a machine can read that.`

const AFTERWORD = `## Guarantees and their limits

Between two peers of multipath-net, exit code 0 at both ends means that all data arrived complete: the reader knows where the
data ends. A Go peer has no message for the end of its data; it only closes. With a Go peer, therefore:

- Data that nc sends has reached the memory of the peer: nc closes only after all of it is acknowledged.
- Data that a Go peer sends is checked for holes, and a connection that breaks within it is an error. But a Go peer that was
  killed, or that dropped its last data when it closed, looks like one that had sent everything. bondcat closes
  33 ms after its last byte. For that reason, up to 128 MiB are held in memory for a slow reader.
- An attacker on a plain path can make a multipath-net peer look like a Go peer, and cut it off after a complete frame. This looks like
  the end of a Go peer, so nc exits with 0. If both ends are multipath-net, give both \`--peer ours\`: then it is an error.
- bondcat closes the whole connection at the end of its own input. To receive data with it, give it an input that stays open:
  \`sleep infinity | bondcat -l -p 4000 > file\`.

The first signal to nc resets the connection, so that the peer fails as well. A second signal stops the process at once. With
\`--benchmark\`, a signal is the normal end.`

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/(<[^>]+>)/g, '`$1`')
}

function section(command: Command, examples: readonly string[]): string {
  const help = command.createHelp()
  const options = help
    .visibleOptions(command)
    .map((option) => `| \`${help.optionTerm(option)}\` | ${cell(help.optionDescription(option))} |`)
  return [
    `## ${fullName(command)}`,
    command.description(),
    `\`\`\`text\n${help.commandUsage(command).replaceAll(/^ +/gm, '')}\n\`\`\``,
    ['| option | meaning |', '| --- | --- |', ...options].join('\n'),
    `\`\`\`sh world=${fullName(command).replace('multipath ', '').replaceAll(' ', '-')}\n${examples.join('\n')}\n\`\`\``,
  ].join('\n\n')
}

export function cliPage(): string {
  const program = buildProgram(new FakeCliIo())
  const sections = program.commands.flatMap((command, index) => {
    const { examples, nested = {} } = SUBCOMMANDS[index]!
    return [
      section(command, examples),
      ...command.commands.map((below) => section(below, nested[below.name()]!)),
    ]
  })
  const exits = EXIT_MEANINGS.map(({ code, meaning }) => `| ${code} | ${meaning} |`)
  const exitTable = ['| exit code | meaning |', '| --- | --- |', ...exits].join('\n')
  return `${[INTRO, ...sections, '## Exit codes', exitTable, EVENTS_PAGE, FINDINGS, STREAMS, AFTERWORD].join('\n\n')}\n`
}

/** What is made from the parser, by file. */
export function cliFiles(): Readonly<Record<string, string>> {
  const program = buildProgram(new FakeCliIo())
  const examplesOf = (command: Command): readonly string[] => {
    const top = command.parent === program ? command : command.parent!
    const { examples, nested = {} } = SUBCOMMANDS[program.commands.indexOf(top)]!
    return top === command ? examples : nested[command.name()]!
  }
  return {
    'docs/cli.md': cliPage(),
    'man/multipath.1': manPage(program, examplesOf),
    'completions/multipath.bash': bashCompletion(program),
    'completions/_multipath': zshCompletion(program),
    'completions/multipath.fish': fishCompletion(program),
  }
}

if (argv[1] === fileURLToPath(import.meta.url))
  for (const [file, content] of Object.entries(cliFiles())) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
