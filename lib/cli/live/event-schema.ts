// SPDX-License-Identifier: Apache-2.0
/** Every event of `--json`, and the fields of each. docs/cli.md is made from this table, and the log takes no other event. */

/** What stands in a field. All but these are text. */
export const NUMBERS = [
  'rttMs',
  'downMs',
  'durationMs',
  'nextAttemptMs',
  'upCount',
  'count',
  'receivedBytes',
  'sentBytes',
  'leftOut',
  'exitCode',
] as const

/** What each field means. */
export const FIELDS = {
  time: 'ISO 8601, UTC, with milliseconds',
  level: '`debug`, `info`, `warn` or `error`',
  event: 'the name of the event',
  part: 'up: the part of the file, such as `forward 2`, if there are several',
  message: 'the same as text; its words may change',
  session: 'the first six digits of the connection ID; the same at both ends',
  client: 'the address of a client',
  label: 'the name of the path',
  from: 'the local address of the path',
  to: 'the remote address of the path',
  state: '`up`, `down`, `paused` or `removed`',
  change: '`up`, `recovered`, `down`, `paused`, `resumed` or `removed`',
  reason: 'the cause',
  rttMs: 'the smoothed round-trip time of the path, in milliseconds',
  downMs: 'the time during which the path, or the session, was down, in milliseconds',
  durationMs: 'the age of the session at its end, in milliseconds',
  nextAttemptMs: 'the time until the next attempt, in milliseconds',
  upCount: 'the number of paths that are up',
  count: 'the number of paths',
  paths: 'the paths, separated by commas',
  receivedBytes: 'bytes of payload that were received',
  sentBytes: 'bytes of payload that were sent',
  place: 'an address and a port',
  target: 'the destination of a stream',
  outcome: '`ok`, or why the stream was refused',
  hint: 'what to do about it',
  leftOut: 'the number of similar lines that were left out before this one',
  exitCode: 'the exit code of the command',
} as const

export type FieldName = keyof typeof FIELDS

/** `fields` are beside `time`, `level`, `event` and `message`; each may be missing. `part` and `leftOut` may stand in every event. */
export const EVENTS = {
  listening: { meaning: 'a port is open', fields: ['place'] },
  closed: { meaning: 'a port was closed because the file of `up` no longer names it', fields: ['place'] },
  'listen-failed': { meaning: 'a port has an error', fields: ['place'] },
  'accept-failed': { meaning: 'a connection could not be accepted', fields: ['place'] },
  session: {
    meaning: 'a session was opened',
    fields: ['session', 'client', 'paths', 'upCount', 'count'],
  },
  'session-end': {
    meaning: 'a session has ended',
    fields: ['session', 'client', 'reason', 'durationMs', 'receivedBytes', 'sentBytes'],
  },
  'session-failed': { meaning: 'no session could be opened', fields: ['reason', 'hint', 'nextAttemptMs'] },
  path: {
    meaning: 'a path changed its state',
    fields: [
      'session',
      'client',
      'label',
      'from',
      'to',
      'state',
      'change',
      'reason',
      'rttMs',
      'downMs',
      'nextAttemptMs',
      'upCount',
      'count',
    ],
  },
  suspended: { meaning: 'the last path of a session went down', fields: ['session', 'client'] },
  resumed: { meaning: 'a suspended session has a path again', fields: ['session', 'client', 'downMs'] },
  fault: {
    meaning: 'a path fails for a reason that will not go away by itself; `hint` names the option',
    fields: ['label', 'reason', 'hint'],
  },
  'path-failed': { meaning: 'a name has no usable address', fields: [] },
  subflow: { meaning: 'with `--verbose`: a subflow changed its state', fields: ['label', 'reason'] },
  'path-refused': { meaning: 'with `--verbose`: an incoming path was refused', fields: ['client', 'reason'] },
  'path-limit': { meaning: 'an incoming path was refused because of a limit', fields: ['client'] },
  'client-refused': { meaning: 'a client was refused', fields: ['client'] },
  refused: { meaning: 'a stream was refused', fields: ['target', 'outcome', 'client', 'session'] },
  stream: { meaning: 'with `--verbose`: a stream was opened', fields: ['target', 'outcome'] },
  'stream-end': {
    meaning: 'with `--verbose`: a stream has ended',
    fields: ['target', 'receivedBytes', 'sentBytes'],
  },
  bind: { meaning: 'serve listens on a port for a client', fields: ['place'] },
  'bind-refused': { meaning: 'a client may not listen on this port', fields: ['place'] },
  'bind-failed': { meaning: 'serve cannot listen on this port', fields: ['place'] },
  unbind: { meaning: 'serve no longer listens on a port for a client', fields: ['place'] },
  remote: { meaning: 'serve listens for this client', fields: ['place'] },
  'remote-lost': { meaning: 'serve does not listen for this client', fields: ['place', 'outcome'] },
  limit: { meaning: 'a port has reached its limit of connections', fields: ['place'] },
  full: { meaning: 'the limit of sockets or descriptors is reached', fields: [] },
  insecure: { meaning: 'a warning about missing protection', fields: [] },
  exposed: { meaning: 'others can read a file with a secret', fields: [] },
  'ctl-failed': { meaning: 'the control socket could not be opened', fields: [] },
  'cap-failed': { meaning: 'the spent bytes of capped paths could not be saved', fields: [] },
  'udp-lost': { meaning: 'gateway loses new flows of UDP, and will try again', fields: [] },
  'program-end': { meaning: 'the program of run has ended', fields: ['exitCode'] },
  'notify-failed': { meaning: 'systemd could not be told that the command is ready', fields: [] },
  reloaded: { meaning: 'up has read its file again, after SIGHUP', fields: ['place'] },
  'reload-failed': { meaning: 'the file of up has a mistake, and nothing was changed', fields: ['place'] },
  'restart-needed': { meaning: 'the file of up has changes that need a new start', fields: ['place'] },
  draining: { meaning: 'after a signal: open streams have time to end', fields: [] },
  failed: { meaning: 'the command has failed', fields: ['exitCode'] },
} as const

export type EventName = keyof typeof EVENTS
