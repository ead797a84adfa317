import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as testing from '../../lib/testing/index.js'
import * as multipath from '../../lib/index.js'

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const example = /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? ''

/** Runs the example as it stands on the page, with its imports resolved to the sources. */
async function runExample(): Promise<void> {
  const modules: Record<string, unknown> = {
    'multipath-net': multipath,
    'multipath-net/testing': testing,
    'node:assert/strict': (await import('node:assert/strict')).default,
  }
  const code = example.replaceAll(/^import (.+) from '(.+)'$/gm, (_line, names: string, from: string) => {
    expect(modules).toHaveProperty([from])
    return `const ${names} = modules['${from}']`
  })
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the page is ours, and this is what proves it
  const run = new Function('modules', `return (async () => {\n${code}\n})()`) as (
    modules: Record<string, unknown>,
  ) => Promise<void>
  await run(modules)
}

describe('the page on testing', () => {
  it('has an example that works', async () => {
    expect(example).toContain('SimulatedNetwork')
    await runExample()
  })

  it('names every option of a link with its default', () => {
    const network = new testing.SimulatedNetwork()
    for (const [, name, value] of page.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm))
      expect(() => network.link({ [name!]: Number(value!.replaceAll(',', '')) })).not.toThrow()
    expect([...page.matchAll(/^\| `(\w+)` \| [\d,]+ \|/gm)]).toHaveLength(7)
  })
})
