// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'
import * as testing from '../../lib/testing/index.js'
import { packedModules } from '../support/packed.js'

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const exampleOf = (name: string): string =>
  new RegExp(`\`\`\`ts example=${name}\\n([^]*?)\`\`\``).exec(page)![1]!

type Check = () => Promise<void>

/** Runs an example as it stands on the page, with its imports resolved to the packed package. @returns its tests */
async function runExample(example: string): Promise<Map<string, Check>> {
  const tests = new Map<string, Check>()
  const modules: Record<string, unknown> = {
    ...(await packedModules()),
    'node:test': { it: (name: string, check: Check) => tests.set(name, check) },
  }
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2023 }
  const { outputText } = transpileModule(example, { compilerOptions })
  const code = outputText.replaceAll(/^import (.+) from '(.+)';$/gm, (_line, names: string, from: string) => {
    expect(modules).toHaveProperty([from])
    return `const ${names} = modules['${from}']`
  })
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the page is ours, and this is what proves it
  const run = new Function('modules', `return (async () => {\n${code}\n})()`) as (
    modules: Record<string, unknown>,
  ) => Promise<void>
  await run(modules)
  return tests
}

describe('the page on testing', () => {
  it('has an example of a network that works', async () => {
    await runExample(exampleOf('network'))
  })

  it('has an example of a scheduler that keeps all rules', { timeout: 60_000 }, async () => {
    const tests = await runExample(exampleOf('scheduler'))
    for (const check of tests.values()) await check()
    expect([...tests.keys()]).toEqual(testing.schedulerRules(() => 'weighted').map(({ name }) => name))
  })

  it('names every rule for schedulers, in order', () => {
    const rules = page.slice(page.indexOf('| rule | why |')).matchAll(/^\| ([a-z][^|]+) \| [^|]*\|$/gm)
    const names = [...rules].map(([, name]) => name!.trim()).filter((name) => name !== 'rule')
    expect(names).toEqual(testing.schedulerRules(() => 'weighted').map(({ name }) => name))
  })

  it('names every option of a link with its default', () => {
    const network = new testing.SimulatedNetwork()
    for (const [, name, value] of page.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm))
      expect(() => network.link({ [name!]: Number(value!.replaceAll(',', '')) })).not.toThrow()
    expect([...page.matchAll(/^\| `(\w+)` \| [\d,]+ \|/gm)]).toHaveLength(7)
  })
})
