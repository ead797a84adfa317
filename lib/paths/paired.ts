// SPDX-License-Identifier: Apache-2.0
/**
 * Of all paths that are possible, those that use each link once. Two interfaces and two addresses of the peer are two
 * links, not four: two paths that cross share a link with each of the others, and fail with either.
 */

/** A path that is possible. */
export interface Candidate {
  readonly pair: {
    readonly host: string
    readonly port: number
    readonly family: 4 | 6
    readonly localAddress: string | undefined
    readonly interfaceName: string | undefined
  }
  /** Whether the target is in the network of the local address. */
  readonly isNear: boolean
}

/** In the order of `candidates`. Each local address and each target stays in use; families are independent. */
export function paired<One extends Candidate>(candidates: readonly One[]): One[] {
  const chosen: ReadonlySet<Candidate>[] = [4, 6].map((family) =>
    choiceOf(candidates.filter(({ pair }) => pair.family === family)),
  )
  return candidates.filter((one) => chosen.some((choice) => choice.has(one)))
}

function choiceOf(candidates: readonly Candidate[]): Set<Candidate> {
  const locals = distinct(candidates.map(localOf))
  const targets = distinct(candidates.map(targetOf))
  if (locals.length < 2 || targets.length < 2) return new Set(candidates)
  const chosen = new Set(candidates.filter(({ isNear }) => isNear))
  const free = {
    locals: without(locals, [...chosen].map(localOf)),
    targets: without(targets, [...chosen].map(targetOf)),
  }
  const wanted = pairsOf(
    free.locals.length > 0 ? free.locals : locals,
    free.targets.length > 0 ? free.targets : targets,
  )
  if (free.locals.length + free.targets.length > 0)
    for (const [local, target] of wanted) {
      const found = candidates.find((one) => localOf(one) === local && targetOf(one) === target)
      if (found !== undefined) chosen.add(found)
    }
  // Those that no choice has reached yet, such as an address that only one interface can reach.
  for (const local of without(locals, [...chosen].map(localOf)))
    chosen.add(least(candidates, chosen, localOf, local))
  for (const target of without(targets, [...chosen].map(targetOf)))
    chosen.add(least(candidates, chosen, targetOf, target))
  return chosen
}

/** One after another; the shorter list begins again. */
function pairsOf(locals: readonly string[], targets: readonly string[]): [string, string][] {
  const count = Math.max(locals.length, targets.length)
  return Array.from({ length: count }, (_, n) => [locals[n % locals.length]!, targets[n % targets.length]!])
}

/** Of the candidates with this end, the one whose other end is used least. */
function least(
  candidates: readonly Candidate[],
  chosen: ReadonlySet<Candidate>,
  endOf: (one: Candidate) => string,
  end: string,
): Candidate {
  const otherOf = endOf === localOf ? targetOf : localOf
  const uses = (one: Candidate): number => [...chosen].filter((used) => otherOf(used) === otherOf(one)).length
  return candidates.filter((one) => endOf(one) === end).sort((a, b) => uses(a) - uses(b))[0]!
}

function localOf({ pair }: Candidate): string {
  return pair.localAddress ?? pair.interfaceName ?? ''
}

function targetOf({ pair }: Candidate): string {
  return `${pair.host} ${pair.port}`
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)]
}

function without(values: readonly string[], used: readonly string[]): string[] {
  return values.filter((value) => !used.includes(value))
}
