// SPDX-License-Identifier: Apache-2.0
/** Exceptions and rejections that nobody catches, while a spec wants them. */
import type { EventEmitter } from 'node:events'
import { onTestFinished } from 'vitest'

export interface Uncaught {
  readonly exceptions: unknown[]
  readonly rejections: unknown[]
}

/** Collects them from now until the spec is over, in place of the runner, which would fail. */
export function catchUncaught(): Uncaught {
  const caught: Uncaught = { exceptions: [], rejections: [] }
  const processOnException = (error: unknown): void => {
    caught.exceptions.push(error)
  }
  const processOnRejection = (error: unknown): void => {
    caught.rejections.push(error)
  }
  const others = {
    exceptions: process.listeners('uncaughtException'),
    rejections: process.listeners('unhandledRejection'),
  }
  for (const listener of others.exceptions) process.off('uncaughtException', listener)
  for (const listener of others.rejections) process.off('unhandledRejection', listener)
  process.on('uncaughtException', processOnException)
  process.on('unhandledRejection', processOnRejection)
  onTestFinished(() => {
    process.off('uncaughtException', processOnException)
    process.off('unhandledRejection', processOnRejection)
    for (const listener of others.exceptions) process.on('uncaughtException', listener)
    for (const listener of others.rejections) process.on('unhandledRejection', listener)
  })
  return caught
}

/** What a program does that takes all listeners off, ours as well. */
export function takeListenersOff(emitter: EventEmitter): void {
  for (const name of emitter.eventNames())
    for (const listener of emitter.rawListeners(name)) emitter.off(name, listener as () => void)
}
