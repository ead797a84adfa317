// SPDX-License-Identifier: Apache-2.0
/** The transcript as Markdown: prose, commands as they were typed, and what they said. */

/** Longer lines are cut: they are for reading. */
const WIDTH = 132
const COMMAND_WIDTH = 100

export class Transcript {
  readonly #blocks: string[] = []
  readonly #replacements: readonly (readonly [string, string])[]

  /** @param replacements - texts of this machine, and what stands for them */
  constructor(replacements: readonly (readonly [string, string])[]) {
    this.#replacements = replacements
  }

  prose(text: string): void {
    this.#blocks.push(text)
    console.error(`\n${text}`)
  }

  /** Each command with its prompt, and below it what it said. */
  shell(commands: readonly Said[]): void {
    const text = commands
      .map(({ prompt, command, output }) =>
        [`${prompt}$ ${wrapped(command)}`, ...output.map(short)].join('\n'),
      )
      .join('\n')
    const clean = this.#clean(text)
    this.#blocks.push(`\`\`\`console\n${clean}\n\`\`\``)
    console.error(clean)
  }

  #clean(text: string): string {
    return this.#replacements.reduce((clean, [from, to]) => clean.replaceAll(from, to), text)
  }

  markdown(): string {
    return `${this.#blocks.join('\n\n')}\n`
  }
}

export interface Said {
  readonly prompt: string
  readonly command: string
  /** Lines. */
  readonly output: readonly string[]
}

/** On as many lines as it takes, each of which the shell goes on from. */
function wrapped(command: string): string {
  const lines: string[] = []
  for (const part of command.split(/ (?=--|http|\|)/)) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)} ${part}`
    if (lines.length === 0 || longer.length > COMMAND_WIDTH) lines.push(part)
    else lines[lines.length - 1] = longer
  }
  return lines.join(' \\\n    ')
}

function short(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line
}
