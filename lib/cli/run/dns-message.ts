// SPDX-License-Identifier: Apache-2.0
/** Queries of resolvers and their answers (RFC 1035), as far as a server needs that knows addresses and nothing else. */
import { parseName } from '../streams/host.js'

/** Bytes of the addresses of a name; one that is missing is answered with nothing. */
export interface Found {
  readonly ipv4?: readonly number[] | undefined
  readonly ipv6?: readonly number[] | undefined
}

const HEAD_BYTES = 12
/** Behind the name of a question: type and class. */
const TAIL_BYTES = 4
const MAX_LABEL_BYTES = 63
const MAX_NAME_BYTES = 255
const IS_RESPONSE = 0x8000
const OPCODE = 0x7800
const WANTS_RECURSION = 0x0100
const CAN_RECURSE = 0x0080
const TYPE_A = 1
const TYPE_AAAA = 28
const CLASS_IN = 1
/** Codes of an answer. */
const OK = 0
const FORMAT_ERROR = 1
const NO_SUCH_NAME = 3
const NOT_IMPLEMENTED = 4
/** A pointer to the name of the question, which stands behind the head. */
const SAME_NAME = 0xc000 + HEAD_BYTES
const TTL_S = 60

interface Question {
  /** Canonical; `undefined`: no host has it. */
  readonly name: string | undefined
  readonly type: number
  readonly isInternet: boolean
  /** Where it ends in the query. */
  readonly end: number
}

/**
 * The answer to a query; `undefined` where there must be none.
 *
 * @param lookup - of a canonical name; `undefined`: there is no such name
 */
export function answerQuery(query: Buffer, lookup: (name: string) => Found | undefined): Buffer | undefined {
  // Two servers would answer each other for ever.
  if (query.length < HEAD_BYTES || (query.readUInt16BE(2) & IS_RESPONSE) !== 0) return undefined
  if ((query.readUInt16BE(2) & OPCODE) !== 0) return answer(query, HEAD_BYTES, NOT_IMPLEMENTED)
  const question = parseQuestion(query)
  if (question === undefined) return answer(query, HEAD_BYTES, FORMAT_ERROR)
  const { name, type, isInternet, end } = question
  const found = name === undefined || !isInternet ? undefined : lookup(name)
  if (found === undefined) return answer(query, end, NO_SUCH_NAME)
  const address = { [TYPE_A]: found.ipv4, [TYPE_AAAA]: found.ipv6 }[type]
  const records = address === undefined ? [] : [record(type, address)]
  return answer(query, end, OK, records)
}

/** The canonical name that a query asks for; `undefined`: it is no query, or not for what a host can be called. */
export function askedName(query: Buffer): string | undefined {
  if (query.length < HEAD_BYTES || (query.readUInt16BE(2) & (IS_RESPONSE | OPCODE)) !== 0) return undefined
  const { name, isInternet } = parseQuestion(query) ?? {}
  return isInternet === true ? name : undefined
}

function parseQuestion(query: Buffer): Question | undefined {
  if (query.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = HEAD_BYTES
  for (;;) {
    const bytes = query[at]
    // In a question, a pointer could lead only back into the head.
    if (bytes === undefined || bytes > MAX_LABEL_BYTES) return undefined
    at += 1 + bytes
    if (at - HEAD_BYTES > MAX_NAME_BYTES) return undefined
    if (bytes === 0) break
    labels.push(query.toString('latin1', at - bytes, at))
  }
  if (at + TAIL_BYTES > query.length) return undefined
  // A dot within a label would pass for one between two.
  const isHost = labels.length > 0 && labels.every((label) => !label.includes('.'))
  return {
    name: isHost ? parseName(labels.join('.')) : undefined,
    type: query.readUInt16BE(at),
    isInternet: query.readUInt16BE(at + 2) === CLASS_IN,
    end: at + TAIL_BYTES,
  }
}

/** @param end - of what it repeats: the head of the query, or its question as well */
function answer(query: Buffer, end: number, code: number, records: readonly Buffer[] = []): Buffer {
  const bytes = Buffer.concat([query.subarray(0, end), ...records])
  const kept = query.readUInt16BE(2) & (OPCODE | WANTS_RECURSION)
  const counts = [end === HEAD_BYTES ? 0 : 1, records.length, 0, 0]
  for (const [at, value] of [IS_RESPONSE | CAN_RECURSE | kept | code, ...counts].entries())
    bytes.writeUInt16BE(value, 2 + 2 * at)
  return bytes
}

function record(type: number, address: readonly number[]): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  for (const [at, value] of [SAME_NAME, type, CLASS_IN, 0, TTL_S, address.length].entries())
    head.writeUInt16BE(value, 2 * at)
  return Buffer.concat([head, Buffer.from(address)])
}
