// SPDX-License-Identifier: Apache-2.0
/** A terminal of the stage: tmux, whose screen is read and whose keys are pressed. */
import type { Said } from './transcript.js'
import type { Side, Stage } from './stage.js'

const POLL_MS = 200
const PATIENCE_MS = 20_000

export class StageTerminal {
  readonly #stage: Stage
  readonly #side: Side
  readonly columns: number

  constructor(stage: Stage, side: Side, columns: number) {
    this.#stage = stage
    this.#side = side
    this.columns = columns
  }

  async open(command: string, rows: number): Promise<void> {
    await this.#tmux(`-f /dev/null new-session -d -x ${this.columns} -y ${rows} '${command}'`)
  }

  async press(key: string): Promise<void> {
    await this.#tmux(`send-keys ${key}`)
  }

  /** Its screen once it matches, with colours. @throws {Error} where it never does */
  async screen(pattern: RegExp): Promise<readonly string[]> {
    const giveUpAt = performance.now() + PATIENCE_MS
    for (;;) {
      const plain = (await this.#tmux('capture-pane -p')).output
      if (pattern.test(plain.join('\n'))) return (await this.#tmux('capture-pane -p -e')).output
      if (performance.now() > giveUpAt) throw new Error(`no ${pattern} on the screen:\n${plain.join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server')
  }

  #tmux(command: string): Promise<Said> {
    return this.#stage.run(this.#side, `tmux -S tmux.socket ${command}`)
  }
}
