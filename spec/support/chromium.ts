// SPDX-License-Identifier: Apache-2.0
/** Debian's chromium without a window, steered through its DevTools protocol: by a pipe, which no other process can reach. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** Why its specs are skipped; empty where it is there. */
export const WITHOUT_CHROMIUM: string = isThere() ? '' : ' (skipped: apt-get install chromium)'

function isThere(): boolean {
  try {
    execFileSync('chromium', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** As root and in containers; nothing that talks to the network by itself. */
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run'],
  ...['--disable-background-networking', '--disable-sync', '--disable-component-update', '--mute-audio'],
  ...['--hide-scrollbars', '--disable-lcd-text', '--remote-debugging-pipe'],
]
const POLL_MS = 20

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

export interface PageOptions {
  readonly width?: number
  readonly height?: number
  readonly isDark?: boolean
  /** What to put before the program, as for another network namespace. */
  readonly within?: readonly string[]
}

/** Messages of the protocol, each behind the one before with a zero between. */
interface Pipe {
  readonly input: Writable
  readonly output: Readable
  readonly close: () => Promise<void>
}

/** One page of a browser of its own. */
export class Chromium implements AsyncDisposable {
  /** What the page complained of: exceptions, and errors of its console, such as a refusal by its policy. */
  readonly errors: string[] = []
  readonly #pipe: Pipe
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #session: string | undefined
  #last = 0

  private constructor(pipe: Pipe) {
    this.#pipe = pipe
    let waiting = ''
    pipe.output.setEncoding('utf8').on('data', (text: string) => {
      const messages = `${waiting}${text}`.split('\0')
      waiting = messages.pop()!
      for (const message of messages) this.#take(JSON.parse(message) as Reply)
    })
  }

  static async open(options: PageOptions = {}): Promise<Chromium> {
    const { width = 1280, height = 900, isDark = false, within = [] } = options
    const browser = new Chromium(start(width, height, within))
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true })
    browser.#session = sessionId as string
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.send(`${domain}.enable`)
    const features = [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }]
    await browser.send('Emulation.setEmulatedMedia', { features })
    const metrics = { width, height, deviceScaleFactor: 1, mobile: width < 600 }
    await browser.send('Emulation.setDeviceMetricsOverride', metrics)
    return browser
  }

  async goto(url: string): Promise<void> {
    await this.send('Page.navigate', { url })
  }

  /** The value of an expression, or of what it promises. @throws {Error} with what the page throws */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      ...{ expression, awaitPromise: true, returnByValue: true },
    })) as { result: { value: Value }; exceptionDetails?: { exception?: { description?: string } } }
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? 'the page threw something')
    return result.value
  }

  /** Resolves once the expression is true. @returns how long that took, milliseconds */
  async until(expression: string, withinMs = 20_000): Promise<number> {
    const startedAt = performance.now()
    for (;;) {
      if (await this.#isTrue(expression)) return performance.now() - startedAt
      if (performance.now() - startedAt > withinMs) {
        const text = await this.evaluate<string>('document.body.innerText')
        throw new Error(`never true: ${expression}\n${text}\n${this.errors.join('\n')}`)
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  /** A page that makes way for the next one while it is asked answers nothing: what was asked is not true yet. */
  async #isTrue(expression: string): Promise<boolean> {
    try {
      return await this.evaluate<boolean>(`Boolean(${expression})`)
    } catch (error) {
      if (/navigated or closed|context was destroyed/.test((error as Error).message)) return false
      throw error
    }
  }

  /** With the mouse, in the middle of what the selector finds. */
  async click(selector: string): Promise<void> {
    const middle = `((box) => [box.x + box.width / 2, box.y + box.height / 2])`
    const find = `document.querySelector(${JSON.stringify(selector)})`
    await this.evaluate(`${find}.scrollIntoView({ block: 'center' })`)
    const [x, y] = await this.evaluate<[number, number]>(`${middle}(${find}.getBoundingClientRect())`)
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 })
  }

  /** A PNG of what is seen. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', optimizeForSpeed: false })
    return Buffer.from(data as string, 'base64')
  }

  /** Bytes of the heap of the page that are in use, behind a collection of garbage. */
  async heapBytes(): Promise<number> {
    await this.send('HeapProfiler.collectGarbage')
    return (await this.send('Runtime.getHeapUsage'))['usedSize'] as number
  }

  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve))
    const session = this.#session === undefined ? {} : { sessionId: this.#session }
    this.#pipe.input.write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    const { result = {}, error } = await reply
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pipe.close()
  }

  #take({ id, method, params, ...reply }: Reply): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.(reply)
      this.#waiting.delete(id)
    } else if (method === 'Runtime.exceptionThrown') this.errors.push(JSON.stringify(params))
    else if (method === 'Log.entryAdded') {
      const { level, text } = params!['entry'] as { level: string; text: string }
      if (level === 'error') this.errors.push(text)
    }
  }
}

/** A process of its own, with a profile of its own; all of its processes end with it. */
function start(width: number, height: number, within: readonly string[]): Pipe {
  const profile = mkdtempSync(join(tmpdir(), 'multipath-chromium-'))
  const flags = [...FLAGS, `--user-data-dir=${profile}`, `--window-size=${width},${height}`]
  const [program, ...args] = [...within, 'chromium', ...flags, 'about:blank']
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const
  const child = spawn(program, args, { detached: true, stdio: [...stdio] })
  const kill = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  process.once('exit', kill)
  const close = async (): Promise<void> => {
    process.off('exit', kill)
    const isOver = child.exitCode !== null || child.signalCode !== null
    const over = isOver ? undefined : once(child, 'exit')
    kill()
    await over
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 })
  }
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  input.on('error', () => {}) // It has gone.
  output.on('error', () => {})
  return { input, output, close }
}
