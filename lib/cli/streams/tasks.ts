// SPDX-License-Identifier: Apache-2.0
/** Work under way that a command waits for before it ends. */

export class Tasks {
  readonly #running = new Set<Promise<unknown>>()
  #whenIdle: (() => void)[] = []

  get size(): number {
    return this.#running.size
  }

  /** It must not reject. */
  add(task: Promise<unknown>): void {
    this.#running.add(task)
    void task.finally(() => {
      this.#running.delete(task)
      if (this.#running.size > 0) return
      for (const resolve of this.#whenIdle.splice(0)) resolve()
    })
  }

  /** Resolves once nothing is under way, or after `timeoutMs`. @returns how many are left */
  async idle(timeoutMs: number): Promise<number> {
    if (this.#running.size > 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#whenIdle.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    return this.#running.size
  }
}
