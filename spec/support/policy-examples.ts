// SPDX-License-Identifier: Apache-2.0
/** The examples of docs/policies.md, run as they stand with the packed package. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packedModules } from './packed.js'

const PAGE = join(import.meta.dirname, '../../docs/policies.md')

/** Appended to each: all that was written arrives. */
const END = 'conn.resume().end()\nawait clock.run(2000)\nassert.ok(conn.closed && conn.errored === null)'

export interface PolicyExample {
  readonly name: string
  /** @param folder - where its trace goes, as NAME.jsonl */
  run(folder: string): Promise<void>
}

export function policyExamples(): PolicyExample[] {
  const page = readFileSync(PAGE, 'utf8')
  const stage = /```ts stage\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  return [...page.matchAll(/```ts example=([\w-]+)\n([\s\S]*?)```/g)].map(([, name, code]) => ({
    name: name!,
    run: (folder) =>
      runCode(
        `${stage}\n${code!.replace(/trace: '([^']+)'/, (_all, file: string) => `trace: ${JSON.stringify(join(folder, file))}`)}\n${END}`,
      ),
  }))
}

async function runCode(code: string): Promise<void> {
  const modules = await packedModules()
  const bound = code.replaceAll(/^import (.+) from '(.+)'$/gm, (_line, names: string, from: string) => {
    if (!(from in modules)) throw new Error(`an example imports ${from}`)
    return `const ${names} = modules['${from}']`
  })
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the page is ours, and this is what proves it
  const run = new Function('modules', `return (async () => {\n${bound}\n})()`) as (
    modules: Record<string, unknown>,
  ) => Promise<void>
  await run(modules)
}
