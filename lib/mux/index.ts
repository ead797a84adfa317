// SPDX-License-Identifier: Apache-2.0
/** `multipath-net/mux`: many streams over one connection, as yamux does, and messages over one stream. */
export type { MessageOptions } from '../messages/messages.js'
export { messages, MessageStream } from '../messages/messages.js'
export type { MuxSessionEvents, OpenOptions } from './mux-session.js'
export { MuxSession } from './mux-session.js'
export { MuxStream } from './mux-stream.js'
export type { MuxNumbers, MuxOptions, MuxRole } from './options.js'
