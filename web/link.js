// SPDX-License-Identifier: Apache-2.0
/** The way to the command: states that it pushes, and requests. Both show the token, which is in no URL. */

const RETRY_MS = 1000
/** The command says something four times a second: a connection without a word for so long is dead. */
const SILENT_MS = 5000

export class Link {
  #token
  #on

  /** @param on - `state(status)`, `lost(why)`, and `refused()` for a wrong token: then it stops */
  constructor(token, on) {
    this.#token = token
    this.#on = on
  }

  /** Goes on until the token is refused. */
  async follow() {
    for (;;) {
      const silence = new Silence(SILENT_MS)
      try {
        const response = await fetch('/events', { headers: this.#headers(), signal: silence.signal })
        if (response.status === 401) {
          this.#on.refused()
          return
        }
        if (!response.ok) throw new Error(await response.text())
        for await (const text of events(response.body)) {
          silence.broken()
          this.#on.state(JSON.parse(text))
        }
        throw new Error('the command has ended')
      } catch (error) {
        this.#on.lost(error instanceof TypeError ? 'the command cannot be reached' : error.message)
      } finally {
        silence.over()
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  /** @throws {Error} with what the command says */
  async ask(request) {
    const headers = { ...this.#headers(), 'content-type': 'application/json' }
    const response = await fetch('/ctl', { method: 'POST', headers, body: JSON.stringify(request) })
    const isJson = response.headers.get('content-type') === 'application/json'
    if (!isJson) throw new Error(await response.text())
    const answer = await response.json()
    if (!answer.ok) throw new Error(answer.error)
  }

  #headers() {
    return { authorization: `Bearer ${this.#token}` }
  }
}

/** Ends what has been silent for too long: a machine that sleeps or loses its power closes nothing. */
class Silence {
  #controller = new AbortController()
  #ms
  #timer

  constructor(ms) {
    this.#ms = ms
    this.broken()
  }

  get signal() {
    return this.#controller.signal
  }

  /** Something was heard. */
  broken() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#controller.abort(new Error('the command is silent')), this.#ms)
  }

  over() {
    clearTimeout(this.#timer)
  }
}

/** The data of each server-sent event: one line each. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let waiting = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const parts = `${waiting}${value}`.split('\n\n')
    waiting = parts.pop()
    // Only the newest counts.
    const last = parts.at(-1)
    if (last !== undefined) yield last.replace(/^data: /, '')
  }
}
