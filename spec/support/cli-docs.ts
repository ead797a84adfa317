// SPDX-License-Identifier: Apache-2.0
/** docs/cli.md, made from the parser. `node --import tsx spec/support/cli-docs.ts` writes it; a spec compares. */
import { writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { FINDING_MEANINGS } from '../../lib/cli/doctor/finding.js'
import { EXIT_ILL, EXIT_MEANINGS } from '../../lib/cli/exit-codes.js'
import { buildProgram, SUBCOMMANDS } from '../../lib/cli/program.js'
import { FakeCliIo } from './fake-cli-io.js'

const INTRO = `# The command

\`multipath\` comes with the package: \`npx --package multipath-net multipath --help\`, or \`npm install --global multipath-net\`.
This page is made from its parser.`

const FINDINGS = `## What doctor finds

A fault makes the exit code ${EXIT_ILL}; a note does not. With \`--json\` each stands in \`findings\` of its path, or of the
whole, as \`{ severity, code, text, fix }\`; \`fix\` holds the lines that fix it, where there are any.

${['| code | meaning |', '| --- | --- |', ...Object.entries(FINDING_MEANINGS).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)].join('\n')}

A path begins at an address, and the routes choose the interface: with the routing of most systems every packet leaves by
the first default route, whatever its source, and two paths share one uplink. A rule for each source fixes that (Linux:
ip-rule(8)). What \`ip\` adds is gone after a restart: put it where your system keeps its network's configuration.

The round-trip times are those of multipath frames: idle, the shortest of a second; under load, the median while the path
is full. Rates are of acknowledged bytes, without the first third of the time.`

const STREAMS = `## Streams: who may come in, and where to

\`serve\`, \`forward\` and \`socks\` share one session: yamux streams over one multipath connection, which is opened at the
start and, when all of its paths are gone, again, with pauses of at most 5 seconds. A new stream costs no round trip: its first
bytes leave right behind the words that say where it goes.

- Before the first stream each side shows, with HMAC-SHA256 over fresh random numbers of both, that it knows the token;
  the client shows it first. The token itself never travels. It hides nothing: on networks of others use TLS as well,
  since who sees the packets can read, change and join them.
- With \`--tls-client-ca\` there, clients show a certificate (\`--tls-cert\`, \`--tls-key\`) on every path, and one that the file vouches for
  stands in for the token. Two clients with different certificates cannot join each other's sessions. Name an authority that vouches for
  your clients alone, or the certificates themselves, one after another.
- A client learns why a stream was refused. SOCKS5 gets 2 for what no rule allows, 3 for what is out of reach, 4 for a
  name that is unknown, 5 for a refused connection, 6 for one that took too long, 1 for the rest; HTTP gets 403, 502, 503 or
  504; a forwarded port is reset. \`serve\` reports what was refused.
- A client of \`socks\` waits for that answer before it says anything: a round trip, and what the far end takes to connect. Where
  the same target was reached within the last minute, it is told at once that it is connected, and its first words leave with
  the request. The price: what then fails is a reset without a reason, which programs may take for a fault of the place; the
  next one to the same target gets the reason again. \`--early always\` does so for every target, \`--early never\` for none.
  Without a session clients are refused as ever.
- The address that was checked against the rules is the one that is dialled: a name that changes in between leads nowhere
  else. IPv4 within IPv6 (mapped, NAT64) counts as the IPv4 address that it is, and the addresses of the machine that runs
  \`serve\` count as private.
- Bytes, ends, resets and the pace of the reader pass through each stream. When a session is lost its streams are reset,
  so that no program takes for whole what was cut short.
- A signal ends all three in good order: nothing new is taken, and open streams have --drain seconds to end. A second
  one ends the process at once.

Tokens and logins come from files or from the environment (MULTIPATH_TOKEN, MULTIPATH_SOCKS_LOGIN), never from the
command line, which every user of a machine can read.`

const AFTERWORD = `## What can be told, and what cannot

Between two of ours, exit code 0 at both ends means that everything came through whole: the reader knows where the
end is. A Go peer has no word for an end; it closes. So, with a Go peer:

- What we send is sure to have reached its memory: we close only after all of it is acknowledged.
- What a Go peer sends is checked for holes, and a connection that breaks within it is an error; but a Go peer that was
  killed, or that dropped its tail when it closed, cannot be told from one that had no more to say. bondcat closes
  33 ms after its last byte: up to 128 MiB that a slow reader has not taken yet are held in memory for that reason.
- Somebody on a plain path can make a peer of ours look like a Go peer, and cut it off behind a whole frame. That looks like the end of a
  Go peer, so that nc exits with 0. Where both ends are ours, give both \`--peer ours\`: then it is an error.
- bondcat closes the whole connection at the end of its own input. To receive with it, give it an input that stays open:
  \`sleep infinity | bondcat -l -p 4000 > file\`.

The first signal to nc resets the connection, so that the peer fails, too; a second one ends the process at once. With
\`--benchmark\` a signal is the ordinary end.`

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/(<[^>]+>)/g, '`$1`')
}

function section(command: Command, examples: readonly string[]): string {
  const help = command.createHelp()
  const options = help
    .visibleOptions(command)
    .map((option) => `| \`${help.optionTerm(option)}\` | ${cell(help.optionDescription(option))} |`)
  return [
    `## multipath ${command.name()}`,
    command.description(),
    `\`\`\`\n${help.commandUsage(command).replaceAll(/^ +/gm, '')}\n\`\`\``,
    ['| option | meaning |', '| --- | --- |', ...options].join('\n'),
    `\`\`\`sh\n${examples.join('\n')}\n\`\`\``,
  ].join('\n\n')
}

export function cliPage(): string {
  const program = buildProgram(new FakeCliIo())
  const sections = program.commands.map((command, index) => section(command, SUBCOMMANDS[index]!.examples))
  const exits = EXIT_MEANINGS.map(({ code, meaning }) => `| ${code} | ${meaning} |`)
  const exitTable = ['| exit code | meaning |', '| --- | --- |', ...exits].join('\n')
  return `${[INTRO, ...sections, '## Exit codes', exitTable, FINDINGS, STREAMS, AFTERWORD].join('\n\n')}\n`
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync('docs/cli.md', cliPage())
