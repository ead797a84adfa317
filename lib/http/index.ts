// SPDX-License-Identifier: Apache-2.0
/** `multipath-net/http`: agents for Node's HTTP clients, and the connector of undici for `fetch`. */
export { HttpAgent, HttpsAgent } from './agents.js'
export type { HttpConnectOptions, HttpTarget } from './target.js'
export type { UndiciCallback, UndiciConnectOptions } from './undici.js'
export { undiciConnect } from './undici.js'
