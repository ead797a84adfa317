// SPDX-License-Identifier: Apache-2.0
/** Which of Node's tests cannot pass over the facade, and why. */

/** By the reason. A name stands without `test-` and `.js`. */
const DIFFERENCES: Record<string, readonly string[]> = {
  'looks at `_handle` or at bindings of libuv: several sockets carry a connection': [
    ...['net-after-close', 'net-connect-keepalive', 'net-connect-nodelay'],
    ...['net-connect-options-fd', 'tls-close-notify', 'net-end-close'],
    ...['net-persistent-nodelay', 'net-server-keepalive'],
    ...['net-server-nodelay', 'net-socket-write-after-close'],
    'net-timeout-no-handle',
  ],
  'a worker of node:cluster shares the handle of its primary': [
    ...['net-listen-twice'],
    ...['net-server-close-before-ipc-response'],
  ],
  'compares the message or the name of an error: ours say which path failed and why, and only the code is of Node':
    [
      ...['net-autoselectfamily', 'net-autoselectfamily-commandline-option', 'net-autoselectfamily-default'],
      ...[
        'net-better-error-messages-path',
        'net-better-error-messages-port-hostname',
        'net-connect-immediate-finish',
      ],
      ...['net-connect-no-arg', 'net-connect-reset-after-destroy', 'net-connect-reset-until-connected'],
      ...[
        'net-localerror',
        'net-normalize-args',
        'net-options-lookup',
        'net-server-call-listen-multiple-times',
      ],
      ...['net-socket-reset-send', 'net-socket-timeout', 'net-write-cb-on-destroy-before-connect'],
    ],
  'connects a socket a second time: a connection of ours is dialled once': [
    ...['net-bytes-stats', 'net-reconnect', 'net-socket-local-address'],
  ],
  'listens for `lookup`: each path looks its host up by itself, and again at each redial': [
    ...['net-dns-error', 'net-dns-lookup'],
  ],
  'reads into a buffer of its own by `onread`: frames are read into buffers of the connection': [
    ...['net-onread-static-buffer', 'net-child-process-connect-reset'],
  ],
  'gives options of streams, which have fixed values here': [
    ...['net-connect-buffer', 'net-connect-buffer2', 'net-connect-options-invalid'],
  ],
  'asks for a property of the prototype, with no connection': ['net-access-byteswritten'],
}

const REASONS = new Map(
  Object.entries(DIFFERENCES).flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
)

/** Why a test cannot pass, or `undefined`. */
export function differenceOf(file: string): string | undefined {
  return REASONS.get(file.replace(/^test-/, '').replace(/\.m?js$/, ''))
}
