// SPDX-License-Identifier: Apache-2.0
/** The page of `--web`. */
import { Chart } from './charts.js'
import { duration } from './format.js'
import { Link } from './link.js'
import { Model } from './model.js'
import { Tables } from './tables.js'
import { Timeline } from './timeline.js'

const SCHEDULERS = ['lowest-rtt', 'redundant', 'hybrid', 'weighted', 'round-robin']
const NOTE_MS = 5000
/** Long windows change slowly: they are drawn once a second. */
const LONG_S = 600
const KEY = 'multipath token'

export const model = new Model()
const at = (id) => document.getElementById(id)
const charts = [
  new Chart(at('rate'), [{ name: 'sent' }, { name: 'received', dash: [4, 3] }]),
  new Chart(at('rtt'), [{ name: 'rtt' }]),
  new Chart(at('flight'), [{ name: 'flight' }]),
]
const timeline = new Timeline(at('timeline'))
const tables = new Tables((request, what) => void ask(request, what))
let link
let drawnAt = -Infinity
let notedAt = 0

const seconds = () => Date.now() / 1000

function note(text) {
  at('note').textContent = text
  notedAt = Date.now()
}

async function ask(request, what) {
  try {
    await link.ask(request)
    note(what)
  } catch (error) {
    note(error.message)
  }
}

function badge(text, look) {
  at('link').textContent = text
  at('link').className = `badge ${look}`
}

function draw() {
  const { status } = model
  const { name, ageMs, sessions, streamCount } = status
  if (document.hidden) return
  document.title = name
  at('name').textContent = name
  const count = `${sessions.length} session${sessions.length === 1 ? '' : 's'}`
  at('summary').textContent =
    `up ${duration(ageMs)}, ${count}, ${streamCount} stream${streamCount === 1 ? '' : 's'}`
  const scheduler = sessions[0]?.scheduler
  at('scheduler').disabled = scheduler === undefined
  if (scheduler !== undefined && document.activeElement !== at('scheduler')) at('scheduler').value = scheduler
  if (Date.now() - notedAt > NOTE_MS) at('note').textContent = ''
  tables.draw(model)
  const now = seconds()
  const span = Number(at('window').value)
  if (span > LONG_S && now - drawnAt < 1) return
  drawnAt = now
  const paths = model.drawn()
  for (const chart of charts) chart.draw(model.history, paths, now, span)
  timeline.draw(model.tracks, paths, now, span)
}

const heard = {
  state: (status) => {
    badge('live', 'up')
    at('login').hidden = true
    at('main').hidden = false
    model.take(status, seconds())
    draw()
  },
  lost: (why) => {
    badge(why, 'down')
    model.miss(seconds())
  },
  refused: () => {
    sessionStorage.removeItem(KEY)
    badge('not connected', 'wait')
    note('the token is wrong')
    at('login').hidden = false
  },
}

function open(token) {
  link = new Link(token, heard)
  void link.follow()
}

for (const name of SCHEDULERS) at('scheduler').append(new Option(name))
at('scheduler').addEventListener('change', ({ target }) => {
  void ask({ cmd: 'scheduler', name: target.value }, `scheduler ${target.value}`)
  target.blur()
})
at('window').addEventListener('change', () => {
  drawnAt = -Infinity
})
at('login').addEventListener('submit', (event) => {
  event.preventDefault()
  sessionStorage.setItem(KEY, at('token').value.trim())
  open(at('token').value.trim())
})
at('add').addEventListener('submit', (event) => {
  event.preventDefault()
  void ask({ cmd: 'paths-add', path: at('path').value }, `${at('path').value}: added`)
})
at('drain').addEventListener('click', () => {
  if (confirm('End the command? Open streams may end first.')) void ask({ cmd: 'drain' }, 'ending')
})

// Behind a # it is sent nowhere; then it is taken out of the address, and stays with this tab.
const given = new URLSearchParams(location.hash.slice(1)).get('token')
if (given !== null) {
  sessionStorage.setItem(KEY, given)
  history.replaceState(null, '', location.pathname)
}
const token = sessionStorage.getItem(KEY)
if (token === null) {
  badge('not connected', 'wait')
  at('login').hidden = false
} else open(token)
