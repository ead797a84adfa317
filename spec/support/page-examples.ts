// SPDX-License-Identifier: Apache-2.0
/** The examples of a page of docs/, run as programs with the packed package. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packedFolder } from './packed.js'

const ROOT = join(import.meta.dirname, '../..')

export class PageExamples {
  readonly text: string
  readonly #page: string
  readonly #examples: ReadonlyMap<string, string>

  /** @param page - name of the file in docs/, without its extension */
  constructor(page: string) {
    this.#page = page
    this.text = readFileSync(join(ROOT, `docs/${page}.md`), 'utf8')
    this.#examples = new Map(
      [...this.text.matchAll(/```js example=(\w+)\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]),
    )
  }

  get count(): number {
    return this.#examples.size
  }

  /**
   * Puts an example into a folder of its own, beside the package as it is installed.
   *
   * @param places - what takes the place of the ports in the example
   * @param files - that lie beside it
   * @returns the folder; the example is its `main.mjs`
   */
  async write(
    name: string,
    places: Readonly<Record<string, number>>,
    files: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const folder = join(await packedFolder(), this.#page, name)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const code = Object.entries(places).reduce(
      (text, [port, free]) => text.replaceAll(port, String(free)),
      this.#examples.get(name)!,
    )
    for (const [file, content] of Object.entries({ ...files, 'main.mjs': code }))
      writeFileSync(join(folder, file), content)
    return folder
  }

  /**
   * Runs an example to its end, as `write` puts it.
   *
   * @returns what it prints
   */
  async run(...args: Parameters<PageExamples['write']>): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['main.mjs'], {
      cwd: await this.write(...args),
      timeout: 25_000,
    })
    return stdout + stderr
  }
}
