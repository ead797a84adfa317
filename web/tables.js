// SPDX-License-Identifier: Apache-2.0
/** The tables of the page. Rows are kept and filled anew, so that a button stays where it is pressed. */
import { colorOf } from './charts.js'
import { bitRate, bytes, duration, milliseconds } from './format.js'
import { keyOf, lookOf } from './model.js'

const TIERS = ['primary', 'secondary', 'backup']
const HEADS = [
  ...['path', 'state', 'tier', 'out', 'in', 'rtt', 'in flight', 'share', 'sent', 'received', 'resent'],
  ...['cap left', ''],
]

/** What peers and users call things is text, never HTML. */
function element(name, text = '', className = '') {
  const made = document.createElement(name)
  if (text !== '') made.textContent = text
  if (className !== '') made.className = className
  return made
}

function say(target, text) {
  if (target.textContent !== text) target.textContent = text
}

/** A child of `parent` for each item, in their order. */
function keyed(parent, items, keyOfItem, create, fill) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]))
  for (const [index, item] of items.entries()) {
    const key = keyOfItem(item, index)
    const child = known.get(key) ?? create(item)
    known.delete(key)
    child.dataset.key = key
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null)
    fill(child, item, index)
  }
  for (const child of known.values()) child.remove()
}

export class Tables {
  #ask
  #drawn = []

  /** @param ask - sends a request and reports what came of it */
  constructor(ask) {
    this.#ask = ask
  }

  draw(model) {
    this.#drawn = model.drawn().map(({ key }) => key)
    keyed(
      document.querySelector('#sessions'),
      model.status.sessions,
      ({ id }) => id,
      () => this.#newSession(),
      (section, session) => this.#fillSession(section, session, model),
    )
    drawStreams(model.status)
  }

  #newSession() {
    const section = element('article')
    const table = element('table', '', 'paths')
    const head = element('tr')
    head.append(...HEADS.map((text) => element('th', text)))
    const [top, body, wide] = [element('thead'), element('tbody'), element('div', '', 'wide')]
    top.append(head)
    table.append(top, body)
    wide.append(table)
    section.append(element('h2'), wide)
    return section
  }

  #fillSession(section, session, model) {
    const { sent, received } = model.ratesOf(session)
    const who = session.client === null ? '' : ` of ${session.client}`
    const state = session.suspendedMs === null ? '' : `, suspended for ${duration(session.suspendedMs)}`
    const totals = `out ${bitRate(sent)}, ${bytes(session.sentBytes)}; in ${bitRate(received)}, ${bytes(session.receivedBytes)}`
    const title = section.querySelector('h2')
    say(title, `Session ${session.id}${who}: ${duration(session.ageMs)}, ${totals}${state}`)
    title.className = state === '' ? '' : 'down'
    const rates = session.paths.map((path) => model.ratesOf(session, path))
    const total = rates.reduce((sum, one) => sum + one.sent + one.received, 0)
    keyed(
      section.querySelector('tbody'),
      session.paths,
      ({ label }) => label,
      ({ label }) => this.#newPath(session.id, label),
      (row, path, index) =>
        this.#fillPath(row, path, { key: keyOf(session, path), rates: rates[index], total }),
    )
  }

  #newPath(session, label) {
    const row = element('tr')
    row.append(...HEADS.map(() => element('td')))
    const [name, state, tier] = row.children
    name.append(element('span', '', 'swatch'), element('span', label))
    state.append(element('span'), element('span', '', 'detail'))
    state.className = 'state'
    tier.className = 'tier'
    const select = element('select')
    select.append(...TIERS.map((text) => new Option(text)))
    select.title = `Tier of ${label}`
    select.addEventListener('change', () =>
      this.#ask(
        { cmd: 'paths-set', label, session, policy: `tier=${select.value}` },
        `${label}: ${select.value}`,
      ),
    )
    tier.append(select)
    const button = element('button', 'Pause')
    button.addEventListener('click', () => {
      const verb = button.textContent === 'Pause' ? 'pause' : 'resume'
      this.#ask({ cmd: `paths-${verb}`, label, session }, `${label}: ${verb}`)
    })
    row.lastElementChild.append(button)
    for (const [index, head] of HEADS.entries())
      if (index > 2 && head !== '') row.children[index].dataset.head = head
    return row
  }

  #fillPath(row, path, { key, rates, total }) {
    const look = lookOf(path)
    const drawn = this.#drawn.indexOf(key)
    row.dataset.look = look
    const [name, state, tier] = row.children
    name.firstChild.style.background = drawn < 0 ? 'transparent' : colorOf(drawn)
    name.title = [path.from, path.to, path.transport].filter((part) => part !== null).join(' → ')
    say(state.firstChild, path.isPaused ? 'paused' : path.state)
    state.firstChild.className = look
    const why = path.downMs === null ? '' : ` ${path.reason ?? ''} ${duration(path.downMs)}`
    say(state.lastChild, why)
    const select = tier.firstChild
    if (document.activeElement !== select) select.value = path.tier
    const share = total === 0 ? '-' : `${Math.round((100 * (rates.sent + rates.received)) / total)} %`
    const cells = [
      ...[bitRate(rates.sent), bitRate(rates.received), milliseconds(path.rttMs), bytes(path.inFlightBytes)],
      ...[share, bytes(path.sentBytes), bytes(path.receivedBytes), bytes(path.resentBytes)],
      path.maxBytes === null ? '-' : bytes(Math.max(0, path.maxBytes - path.spentBytes)),
    ]
    for (const [index, text] of cells.entries()) say(row.children[index + 3], text)
    say(row.lastElementChild.firstChild, path.isPaused ? 'Resume' : 'Pause')
  }
}

function drawStreams({ streams, streamCount }) {
  const more = streamCount > streams.length ? `, ${streams.length} of which are listed` : ''
  say(document.querySelector('#stream-count'), `(${streamCount}${more})`)
  keyed(
    document.querySelector('#streams'),
    streams,
    (_, index) => String(index),
    () => {
      const row = element('tr')
      row.append(...[0, 1, 2, 3].map(() => element('td')))
      return row
    },
    (row, { target, ageMs, sentBytes, receivedBytes }) => {
      const cells = [target, duration(ageMs), bytes(sentBytes), bytes(receivedBytes)]
      for (const [index, text] of cells.entries()) say(row.children[index], text)
    },
  )
}
