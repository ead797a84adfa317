// SPDX-License-Identifier: Apache-2.0
/** What is said on the socket of a running command: a JSON object on each line, both ways. docs/ctl.md explains it. */

export interface CtlRequest {
  readonly cmd: string
  /** Comes back with the answer. */
  readonly id?: string | number
  readonly [field: string]: unknown
}

export type CtlAnswer =
  | { readonly id?: string | number; readonly ok: true; readonly result: unknown }
  | { readonly id?: string | number; readonly ok: false; readonly error: string }

/** A request, longer ones end the connection, bytes. */
export const MAX_REQUEST_BYTES = 65_536
/** Connections at once; one more is closed. */
export const MAX_CLIENTS = 32
/** Bytes of events that wait for a client who does not read; then it is cut off. */
export const MAX_WAITING_BYTES = 1_048_576

/** @throws {Error} for what is no request */
export function parseRequest(line: string): CtlRequest {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new Error('a request must be a JSON object on one line')
  }
  const { cmd, id } = (value ?? {}) as Partial<CtlRequest>
  if (typeof value !== 'object' || typeof cmd !== 'string') throw new Error('a request must have a field cmd')
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number')
    throw new Error('id must be a string or a number')
  return value as CtlRequest
}

/** The field `name` of a request, which must be text. @throws {Error} */
export function textField(request: CtlRequest, name: string): string {
  const value = request[name]
  if (typeof value !== 'string' || value === '') throw new Error(`${request.cmd} needs the field ${name}`)
  return value
}
