// SPDX-License-Identifier: Apache-2.0
/** Which of Node's tests cannot pass over the facade, and why. */

/** By the reason. A name stands without `test-` and `.js`; `@24` behind it: only with that version of Node. */
const DIFFERENCES: Record<string, readonly string[]> = {
  'looks at `_handle`, at bindings of libuv, or gives a descriptor: several sockets carry a connection': [
    ...['net-after-close', 'net-connect-keepalive', 'net-connect-nodelay', 'net-connect-options-fd'],
    ...['net-persistent-nodelay', 'net-server-keepalive', 'net-server-nodelay'],
    ...['net-socket-write-after-close', 'net-timeout-no-handle'],
  ],
  'looks at `_connectionKey`, which net keeps for workers of a cluster': ['net-listen-invalid-port'],
  'counts a listener of `end` that net adds for itself': ['net-socket-no-halfopen-enforcer'],
  'compares the message of an error: ours say which path failed and why, and only the code is of Node': [
    ...['net-autoselectfamily', 'net-autoselectfamily-commandline-option', 'net-autoselectfamily-default'],
    ...['net-better-error-messages-path', 'net-better-error-messages-port-hostname'],
    ...['net-connect-immediate-finish', 'net-connect-no-arg', 'net-connect-options-invalid'],
    'net-connect-reset-until-connected',
    // With other versions the server has closed before it hears of the reset.
    ...['net-connect-reset-after-destroy@24', 'net-socket-reset-send@24'],
  ],
  'compares the name of an error: ours have the name of their class, and only the code is of Node': [
    ...['net-connect-options-port', 'net-connect-reset', 'net-localerror', 'net-options-lookup'],
    ...['net-socket-timeout', 'net-write-cb-on-destroy-before-connect'],
  ],
  'destroys with an error, and the peer, which listens for none, learns of it': [
    ...['net-server-capture-rejection', 'http-header-badrequest', 'http-outgoing-message-capture-rejection'],
    ...['http-req-close-robust-from-tampering', 'http-server-incomingmessage-destroy'],
  ],
  'expects a paused socket to let the process end: sockets of ours are read for acks even then': [
    'net-connect-paused-connection',
  ],
  'connects a socket a second time: a connection of ours is dialled once': [
    ...['net-bytes-stats', 'net-reconnect', 'net-socket-local-address'],
  ],
  'reads into a buffer of its own by `onread`: frames are read into buffers of the connection': [
    ...['net-onread-static-buffer', 'net-child-process-connect-reset'],
  ],
  'asks the prototype for a property of a connection': ['net-access-byteswritten'],
  'connects a `new TLSSocket()` by itself: it opens a socket of its own, over which nobody speaks multipath':
    ['tls-retain-handle-no-abort', 'tls-socket-default-options'],
  'has a time limit of 1 ms, in which an answer over net is written': [
    ...['http2-compat-serverrequest-settimeout', 'http2-compat-serverresponse-settimeout'],
  ],
  'expects the code of an error that http2 itself loses over any Duplex whose writes take a millisecond': [
    'http2-respond-file-fd-invalid',
  ],
  'looks at what another test prints, which fails with that version over any Duplex': ['http2-debug@24'],
  'expects that nothing can be answered any more once a client has called destroy(): ours still takes what is under way':
    ['http-writable-true-after-close'],
  'expects the 16 KiB that a socket of Node 20 buffers: ours buffers 64 KiB, as those of Node 22': [
    'http-no-read-no-dump',
  ],
}

const REASONS = new Map(
  Object.entries(DIFFERENCES).flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
)

/** Why a test cannot pass, or `undefined`. `version`: the major one of Node. */
export function differenceOf(file: string, version: string): string | undefined {
  return REASONS.get(nameOf(file)) ?? REASONS.get(`${nameOf(file)}@${version}`)
}

/** Those that are listed and not among `files`. */
export function listedBeside(files: readonly string[]): string[] {
  const names = new Set(files.map(nameOf))
  return [...REASONS.keys()].filter((name) => !names.has(name.replace(/@.*/, '')))
}

function nameOf(file: string): string {
  return file.replace(/^test-/, '').replace(/\.m?js$/, '')
}
