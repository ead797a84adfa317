// SPDX-License-Identifier: Apache-2.0
/**
 * Messages of several sizes, one at a time: how long each took until its last byte was read. Each begins with the moment at which it
 * was written and its length; the reader answers with the moment at which it had all of it.
 */
import type { Duplex } from 'node:stream'
import { nowMs } from './output.js'
import type { WorkerOptions } from './options.js'

/** Moment (a double, milliseconds) and length (32 bits), both big-endian. */
const HEAD_BYTES = 12
const ANSWER_BYTES = 8

/** Length in bytes, when it was written, and how long it took, milliseconds. */
type Message = readonly [bytes: number, sentAt: number, ms: number]

/** Sends the sizes in turn, each once the last one has arrived. */
export async function messages(options: WorkerOptions, conn: Duplex): Promise<{ messages: Message[] }> {
  const done: Message[] = []
  const end = nowMs() + options.seconds * 1000
  let sentAt = 0
  let answer = Buffer.alloc(0)
  let finished = (): void => {}
  const last = new Promise<void>((resolve) => {
    finished = resolve
  })
  const size = (): number => options.sizes[done.length % options.sizes.length]!
  const send = (): void => {
    const message = Buffer.alloc(size())
    sentAt = nowMs()
    message.writeDoubleBE(sentAt)
    message.writeUInt32BE(message.length, 8)
    conn.write(message)
  }
  conn.on('data', (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk])
    if (answer.length < ANSWER_BYTES) return
    done.push([size(), sentAt, answer.readDoubleBE() - sentAt])
    answer = answer.subarray(ANSWER_BYTES)
    if (nowMs() < end) send()
    else finished()
  })
  send()
  await last
  return { messages: done }
}

/** Answers each message when all of it has come. */
export function answer(conn: Duplex): void {
  let head = Buffer.alloc(0)
  let missing = 0
  conn.on('data', (chunk: Buffer) => {
    if (missing === 0) {
      head = Buffer.concat([head, chunk])
      if (head.length < HEAD_BYTES) return
      missing = head.readUInt32BE(8) - head.length
      head = Buffer.alloc(0)
    } else missing -= chunk.length
    if (missing > 0) return
    const at = Buffer.alloc(ANSWER_BYTES)
    at.writeDoubleBE(nowMs())
    conn.write(at)
  })
}
