// SPDX-License-Identifier: Apache-2.0
/** A CliIo without a process: what is printed and reported is kept. */
import { PassThrough } from 'node:stream'
import type { CliIo } from '../../lib/cli/cli-io.js'
import { InheritedSockets } from '../../lib/cli/streams/inherited-sockets.js'

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

  onHangup(): void {}

  sockets(): InheritedSockets {
    return new InheritedSockets({})
  }

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
