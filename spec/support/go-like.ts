// SPDX-License-Identifier: Apache-2.0
/** A peer that knows none of our codes, as Go's: says hello and ping, answers pings, and closes one by one. */
import type { MemoryStream } from './memory-path.js'

const CODE_PING = 0
const CODE_PONG = 1

/** The far end of one subflow. */
export class GoLikeSubflow {
  readonly stream: MemoryStream
  /** The CID in the hello it heard, hex. */
  cid = ''
  /** Codes and acks it heard. */
  readonly heard: number[] = []

  /** @param assigned - the CID, hex, given to those who ask for a connection */
  constructor(stream: MemoryStream, assigned: string) {
    this.stream = stream
    stream.on('error', () => {})
    stream.once('data', (hello: Buffer) => {
      this.cid = hello.subarray(1, 17).toString('hex')
      const answer = /^0+$/.test(this.cid) ? assigned : this.cid
      stream.write(Buffer.from(`00${answer}0000`, 'hex'))
      if (hello.length > 17) this.#read(hello.subarray(17))
      stream.on('data', (bytes: Buffer) => {
        this.#read(bytes)
      })
    })
  }

  /** Ends in order, as its Close does with each subflow. */
  close(): void {
    this.stream.end()
  }

  /** Codes and acks under 64 only: whoever uses this sends no data. */
  #read(bytes: Buffer): void {
    for (let at = 0; at + 1 < bytes.length; at += 2) {
      const code = bytes[at + 1]!
      this.heard.push(code)
      if (code === CODE_PING && this.stream.writable) this.stream.write(Buffer.from([0, CODE_PONG]))
    }
  }
}
