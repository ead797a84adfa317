// SPDX-License-Identifier: Apache-2.0
/**
 * Vitest's V8 coverage, plus that of the processes that specs start: the command is tested as the built file that
 * users run, and its lines count too. Lines alone are exact; functions and branches may count twice, once as Vitest
 * compiled them and once as tsc did.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import v8 from '@vitest/coverage-v8'
import astV8ToIstanbul from 'ast-v8-to-istanbul'
import type { CoverageProviderModule } from 'vitest/node'

type RemapInput = Parameters<typeof astV8ToIstanbul>[0]
type Coverage = Awaited<ReturnType<typeof astV8ToIstanbul>>

/** A coverage map of Istanbul, as far as it is needed here. */
interface CoverageMap {
  merge(coverage: Coverage): void
}

/** Node writes here what a process has run, once it exits by itself. */
const FOLDER = fileURLToPath(new URL('../../build/process-coverage/', import.meta.url))
const DIST = new URL('../../dist/', import.meta.url).href

interface Recorded {
  readonly result: readonly Profiler.ScriptCoverage[]
}

/** What each process has run of each file of dist/. */
function recorded(): Profiler.ScriptCoverage[] {
  return readdirSync(FOLDER).flatMap((name) =>
    parsed(readFileSync(FOLDER + name, 'utf8')).result.filter(({ url }) => url.startsWith(DIST)),
  )
}

/** A process that was killed while it wrote this has recorded as little as one that was killed before. */
function parsed(text: string): Recorded {
  try {
    return JSON.parse(text) as Recorded
  } catch {
    return { result: [] }
  }
}

/** A file of dist/, by its URL, with all that leads back to its source. */
async function built(url: string): Promise<Omit<RemapInput, 'coverage'>> {
  const { parseAstAsync } = await import('vitest/node')
  const path = fileURLToPath(url)
  const code = readFileSync(path, 'utf8')
  const sourceMap = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as NonNullable<RemapInput['sourceMap']>
  return { code, sourceMap, ast: await parseAstAsync(code) }
}

async function mergeProcesses(map: CoverageMap): Promise<void> {
  const files = new Map<string, Promise<Omit<RemapInput, 'coverage'>>>()
  for (const coverage of recorded()) {
    const file = files.get(coverage.url) ?? built(coverage.url)
    files.set(coverage.url, file)
    map.merge(await astV8ToIstanbul({ ...(await file), coverage }))
  }
}

const provider: CoverageProviderModule = {
  ...v8,
  async startCoverage(options) {
    // Processes that are started from here on inherit it. Vitest's own was started before: no profiler meets another.
    process.env['NODE_V8_COVERAGE'] = FOLDER
    await v8.startCoverage?.(options)
  },
  async getProvider() {
    rmSync(FOLDER, { recursive: true, force: true })
    mkdirSync(FOLDER, { recursive: true })
    const wrapped = await v8.getProvider()
    const generate = wrapped.generateCoverage.bind(wrapped)
    wrapped.generateCoverage = async (context) => {
      const map = (await generate(context)) as CoverageMap
      await mergeProcesses(map)
      return map
    }
    return wrapped
  },
}

export default provider
