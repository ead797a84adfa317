// SPDX-License-Identifier: Apache-2.0
/** The route of each path, asked of the system and judged. */
import type { PathPair } from '../plan-paths.js'
import type { Finding } from './finding.js'
import type { RouteCheck } from './judge-route.js'
import { isWrongSource, judgeRoute, routeCheck } from './judge-route.js'
import { planFixes } from './suggested-fix.js'
import type { NetworkFacts, SystemView } from './network-facts.js'
import { chosenRoute, readFacts, UncheckedError } from './network-facts.js'

export interface JudgedRoute {
  readonly check: RouteCheck
  readonly findings: readonly Finding[]
}

/** In the order of `paths`; never rejects. */
export async function checkRoutes(paths: readonly PathPair[], view: SystemView): Promise<JudgedRoute[]> {
  let facts: NetworkFacts
  try {
    facts = await readFacts(view)
  } catch (error) {
    const why = (error as Error).message
    return paths.map(() => ({ check: { kind: 'unchecked', why }, findings: [] }))
  }
  const checks: RouteCheck[] = []
  // One after another: there may be many, and each is a process.
  for (const { host, localAddress } of paths) {
    const answer = await chosenRoute(view, host, localAddress).catch((error: unknown) => error as Error)
    checks.push(
      answer instanceof UncheckedError
        ? { kind: 'unchecked', why: answer.message }
        : routeCheck(localAddress, facts, answer),
    )
  }
  const wrong = checks.filter(isWrongSource)
  const fixes = planFixes(
    wrong.flatMap((check) => (check.kind === 'route' && check.source !== undefined ? [check.source] : [])),
    facts,
  )
  return checks.map((check) => ({ check, findings: judgeRoute(check, facts, fixes) }))
}
