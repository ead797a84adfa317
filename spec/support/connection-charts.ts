// SPDX-License-Identifier: Apache-2.0
/** What docs/protocol.md draws of a connection: its states, and what two of ours say to each other. `docs.ts` writes both. */

/** As its user sees it. */
export const STATES = ['dialling', 'open', 'suspended', 'ending', 'closed'] as const
export type State = (typeof STATES)[number]

export interface Transition {
  readonly from: State
  readonly to: State
  /** In the table below the drawing. */
  readonly why: string
}

/** In the order of their numbers. */
export const TRANSITIONS: readonly Transition[] = [
  {
    from: 'dialling',
    to: 'open',
    why: 'the listener has answered the hello of the first subflow: `connect`',
  },
  {
    from: 'dialling',
    to: 'closed',
    why: 'no path reaches the listener: `ERR_MULTIPATH_FAIL_ON_ALL_DIALERS`',
  },
  {
    from: 'open',
    to: 'suspended',
    why: 'the last subflow is gone, and the hold time is above 0: `suspended`',
  },
  {
    from: 'suspended',
    to: 'open',
    why: 'a subflow has joined, and is proven if the peer can prove it: `resumed`',
  },
  { from: 'open', to: 'ending', why: '`end()`: what was written is sent, and FIN once all of it is acked' },
  { from: 'ending', to: 'suspended', why: 'as 3' },
  {
    from: 'suspended',
    to: 'ending',
    why: 'as 4; also `end()` while it is suspended, which waits for the resumption',
  },
  {
    from: 'ending',
    to: 'closed',
    why: 'our FIN is acked, and the data of the peer is complete up to its FIN: `close`',
  },
  {
    from: 'open',
    to: 'closed',
    why: '`destroy()`, RESET of the peer, or the last subflow is gone with a hold time of 0: `ERR_MULTIPATH_RESET`, `ERR_MULTIPATH_UNACKED`, `ERR_MULTIPATH_INCOMPLETE`',
  },
  {
    from: 'suspended',
    to: 'closed',
    why: 'the hold time is over, or the peer holds it no longer: `ERR_MULTIPATH_HOLD`; the peer is another process: `ERR_MULTIPATH_RESTARTED`; `destroy()`',
  },
]

/** A row of the table for each. */
export function transitionTable(): string {
  const rows = TRANSITIONS.map(({ from, to, why }, at) => `| ${at + 1} | ${from} | ${to} | ${why} |`)
  return ['| | from | to | when |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

export type Speaker = 'dialer' | 'listener'

export interface Saying {
  readonly by: Speaker
  readonly words: readonly string[]
}

export interface Phase {
  readonly title: string
  readonly sayings: readonly Saying[]
}

const dialer = (...words: readonly string[]): Saying => ({ by: 'dialer', words })
const listener = (...words: readonly string[]): Saying => ({ by: 'listener', words })
const JOIN = [
  dialer('hello', 'extends', 'capable', 'SETTINGS'),
  listener('hello', 'extends', 'capable', 'ping', 'SETTINGS'),
  dialer('pong', 'extends', 'capable', 'ping'),
  listener('PROOF', 'HAVE', 'WINDOW'),
  dialer('PROOF', 'HAVE', 'WINDOW', 'PATH'),
]

/** One subflow in each. Pongs and acks that come alone are left out. */
export const PHASES: readonly Phase[] = [
  {
    title: 'the first subflow',
    sayings: [
      dialer('hello'),
      listener('hello', 'extends', 'capable', 'ping'),
      dialer('pong', 'extends', 'capable', 'ping'),
      listener('SETTINGS'),
      dialer('SETTINGS', 'PATH'),
      listener('WINDOW'),
      dialer('WINDOW'),
    ],
  },
  { title: 'a second path joins, and carries data from its PROOF on', sayings: JOIN },
  {
    title:
      'all paths are gone: held. A path returns: a join, and then the frames that HAVE shows to be missing',
    sayings: [...JOIN, dialer('data'), listener('data')],
  },
]

const INK = '#24292f'
const ACCENT = '#0072b2'

interface Point {
  readonly x: number
  readonly y: number
}

const BOX = { width: 128, height: 44 }
const CENTRES: Readonly<Record<State, Point>> = {
  dialling: { x: 100, y: 50 },
  open: { x: 330, y: 50 },
  ending: { x: 690, y: 50 },
  suspended: { x: 510, y: 180 },
  closed: { x: 510, y: 310 },
}

/** Corners of each arrow, in the order of the numbers; the number stands in the middle of the part that is named. */
const ROUTES: readonly { readonly points: readonly (readonly [number, number])[]; readonly part: number }[] =
  [
    {
      points: [
        [164, 50],
        [264, 50],
      ],
      part: 0,
    },
    {
      points: [
        [100, 72],
        [100, 322],
        [444, 322],
      ],
      part: 0,
    },
    {
      points: [
        [366, 72],
        [476, 156],
      ],
      part: 0,
    },
    {
      points: [
        [444, 172],
        [330, 86],
        [330, 74],
      ],
      part: 0,
    },
    {
      points: [
        [394, 50],
        [624, 50],
      ],
      part: 0,
    },
    {
      points: [
        [654, 72],
        [544, 156],
      ],
      part: 0,
    },
    {
      points: [
        [576, 172],
        [690, 86],
        [690, 74],
      ],
      part: 0,
    },
    {
      points: [
        [730, 72],
        [730, 310],
        [576, 310],
      ],
      part: 0,
    },
    {
      points: [
        [290, 72],
        [290, 298],
        [444, 298],
      ],
      part: 0,
    },
    {
      points: [
        [510, 202],
        [510, 286],
      ],
      part: 0,
    },
  ]

/** The states and the numbered transitions between them. */
export function stateDrawing(): string {
  const arrows = ROUTES.map(({ points, part }, at) => {
    const [[x1, y1], [x2, y2]] = [points[part]!, points[part + 1]!]
    const line = points.map((point) => point.join(',')).join(' ')
    return `${arrow(line)}${number(at + 1, { x: (x1 + x2) / 2, y: (y1 + y2) / 2 })}`
  })
  const boxes = STATES.map((state) => {
    const { x, y } = CENTRES[state]
    const { width, height } = BOX
    const box = `<rect x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" rx="8" fill="#f6f8fa" stroke="${INK}"/>`
    return `${box}${text({ x, y: y + 5 }, state, 'font-weight="bold" font-size="14"')}`
  })
  return svg(800, 350, [...arrows, ...boxes])
}

const LINES: Readonly<Record<Speaker, number>> = { dialer: 90, listener: 710 }
const STEP = 30

/** What both sides say, from the first subflow to the return of a path. */
export function sequenceDrawing(): string {
  const parts: string[] = []
  let y = 56
  for (const { title, sayings } of PHASES) {
    parts.push(text({ x: 400, y }, title, `font-weight="bold" fill="${ACCENT}"`))
    y += STEP
    for (const { by, words } of sayings) {
      const [from, to] = by === 'dialer' ? [LINES.dialer, LINES.listener] : [LINES.listener, LINES.dialer]
      parts.push(
        arrow(`${from},${y} ${to > from ? to - 2 : to + 2},${y}`),
        text({ x: 400, y: y - 6 }, words.join(', ')),
      )
      y += STEP
    }
    y += 6
  }
  const ends = Object.entries(LINES).flatMap(([name, x]) => [
    `<line x1="${x}" x2="${x}" y1="36" y2="${y - 16}" stroke="${INK}" stroke-dasharray="3 3"/>`,
    text({ x, y: 26 }, name, 'font-weight="bold" font-size="14"'),
  ])
  return svg(800, y, [...ends, ...parts])
}

function svg(width: number, height: number, parts: readonly string[]): string {
  const font = `font-family="system-ui, sans-serif" font-size="12" fill="${INK}"`
  const head = `<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="${INK}"/></marker>`
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font}>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/><defs>${head}</defs>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function arrow(points: string): string {
  return `<polyline points="${points}" fill="none" stroke="${INK}" marker-end="url(#head)"/>`
}

function number(value: number, { x, y }: Point): string {
  const circle = `<circle cx="${x}" cy="${y}" r="10" fill="#ffffff" stroke="${ACCENT}"/>`
  return `${circle}${text({ x, y: y + 4 }, String(value), `fill="${ACCENT}" font-weight="bold" font-size="11"`)}`
}

function text({ x, y }: Point, words: string, more = ''): string {
  return `<text x="${x}" y="${y}" text-anchor="middle" ${more}>${words}</text>`
}
