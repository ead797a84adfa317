// SPDX-License-Identifier: Apache-2.0
/** Whether packets of a path leave by the interface that its source address belongs to. */
import type { Finding } from './finding.js'
import { fault, note } from './finding.js'
import type { ChosenRoute } from './ip-json.js'
import type { SuggestedFix } from './suggested-fix.js'
import { UNKNOWN_GATEWAY } from './suggested-fix.js'
import type { NetworkFacts } from './network-facts.js'

/** What was found out about the way of a path's packets. */
export type RouteCheck =
  | { readonly kind: 'unchecked'; readonly why: string }
  /** No interface has the source address. */
  | { readonly kind: 'no-address'; readonly source: string }
  | { readonly kind: 'no-route'; readonly why: string }
  | ({
      readonly kind: 'route'
      /** Interfaces that have the source address; none where the system chooses and does not tell. */
      readonly owners: readonly string[]
    } & ChosenRoute)

/** @param source - the local address of the path; `undefined`: the system chooses */
export function routeCheck(
  source: string | undefined,
  facts: NetworkFacts,
  answer: ChosenRoute | Error,
): RouteCheck {
  const ownersOf = (wanted: string | undefined): string[] =>
    facts.addresses.filter(({ address }) => address === wanted).map(({ device }) => device)
  const owners = ownersOf(source)
  if (source !== undefined && owners.length === 0 && !isLoopback(source))
    return { kind: 'no-address', source }
  if (answer instanceof Error) return { kind: 'no-route', why: answer.message }
  const used = source ?? answer.source
  return { kind: 'route', ...answer, source: used, owners: ownersOf(used) }
}

/** Whether the path leaves by an interface that its source address does not belong to. */
export function isWrongSource(check: RouteCheck): boolean {
  return (
    check.kind === 'route' &&
    !check.isLocal &&
    check.owners.length > 0 &&
    !check.owners.includes(check.device)
  )
}

/** What is wrong with the way of a path's packets, and how to fix it. */
export function judgeRoute(
  check: RouteCheck,
  facts: NetworkFacts | undefined,
  fixes: ReadonlyMap<string, SuggestedFix>,
): Finding[] {
  if (check.kind === 'no-address')
    return [fault('no-such-address', `no interface of this machine has the address ${check.source}`)]
  if (check.kind === 'no-route') return [fault('no-route', `no route to the target: ${check.why}`)]
  if (check.kind === 'unchecked' || !isWrongSource(check)) return []
  return wrongSource(check, facts, fixes)
}

function wrongSource(
  { source = '', owners, device, gateway }: RouteCheck & { kind: 'route' },
  facts: NetworkFacts | undefined,
  fixes: ReadonlyMap<string, SuggestedFix>,
): Finding[] {
  const owner = owners.join(', ')
  const fix = fixes.get(source)
  const findings = [
    fault(
      'wrong-source-route',
      `wrong source route: ${source} is an address of ${owner}, but its packets leave by ${device}${via(gateway)}`,
      fix?.lines,
    ),
  ]
  if (fix?.isGatewayKnown === false)
    findings.push(
      note(
        'unknown-gateway',
        `the gateway of ${owner} is unknown: replace ${UNKNOWN_GATEWAY} with its address`,
      ),
    )
  const strict = owners.filter((name) => facts?.strictDevices.includes(name))
  if (strict.length > 0 && !source.includes(':'))
    findings.push(
      note(
        'strict-rp-filter',
        `rp_filter is strict on ${strict.join(', ')}: answers to ${source} that arrive there are dropped`,
      ),
    )
  return findings
}

/** ` via GATEWAY`, or nothing. */
export function via(gateway: string | undefined): string {
  return gateway === undefined ? '' : ` via ${gateway}`
}

/** All of 127.0.0.0/8 may be used, though lo names but one address. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.')
}
