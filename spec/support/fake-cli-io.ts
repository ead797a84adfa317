// SPDX-License-Identifier: Apache-2.0
/** A CliIo without a process: what is printed and reported is kept. */
import { PassThrough } from 'node:stream'
import type { CliIo } from '../../lib/cli/cli-io.js'

export class FakeCliIo implements CliIo {
  readonly stdin: PassThrough = new PassThrough()
  readonly stdout: PassThrough = new PassThrough()
  readonly lines: string[] = []
  readonly stopping: AbortController = new AbortController()
  readonly env: Record<string, string | undefined> = {}
  printed = ''

  get signal(): AbortSignal {
    return this.stopping.signal
  }

  input(): ReturnType<CliIo['input']> {
    return { stream: this.stdin, isNull: false, isTerminal: false }
  }

  output(): PassThrough {
    return this.stdout
  }

  stop(): void {
    this.stopping.abort()
  }

  lend(): void {}

  exit(): void {}

  namespace(): never {
    throw new Error('there are no namespaces here')
  }

  print(text: string): void {
    this.printed += text
  }

  report(line: string): void {
    this.lines.push(line)
  }
}
