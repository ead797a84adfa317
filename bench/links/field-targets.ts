// SPDX-License-Identifier: Apache-2.0
/** What has been promised on links as they are outside of laboratories. */
import { MESSAGE_BYTES, NEIGHBOUR_MBITS } from './field-scenarios.js'
import { perBest, type Target } from './target.js'

const FASTER_THAN_ALL = [
  ...['far', 'shallow', 'deep', 'jitter', 'steps', 'two-ways', 'pauses', 'silent-long', 'silent-short'],
  ...['car', 'fading'],
]

/** Neither the plain connection nor ours is left with less of the link that they share. */
const FAIR_SHARE = 1 / 3

const neighbour: readonly Target[] = [
  {
    scenario: 'neighbour',
    text: 'share of the first link left to plain TCP',
    bound: FAIR_SHARE,
    of: (at) => at.get('beside') / NEIGHBOUR_MBITS,
  },
  {
    scenario: 'neighbour',
    text: 'share of the first link, besides the whole second',
    bound: FAIR_SHARE,
    of: (at) => (at.get('rate') - at.plainLink('perLink', 1)) / NEIGHBOUR_MBITS,
  },
]

const messages: readonly Target[] = MESSAGE_BYTES.flatMap((bytes, i) =>
  (['messageP50', 'messageP99'] as const).map(
    (name): Target => ({
      scenario: 'messages',
      text: `${name === 'messageP50' ? 'p50' : 'p99'} ÷ least, ${bytes / 1000} kB`,
      bound: 1.1,
      atMost: true,
      of: (at) => at.ofLink(name, i),
    }),
  ),
)

export const FIELD_TARGETS: readonly Target[] = [...FASTER_THAN_ALL.map(perBest), ...neighbour, ...messages]
