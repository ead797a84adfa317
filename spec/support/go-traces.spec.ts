// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { isLockedUp, summaryOf } from '../../interop/support/go-traces.js'

const MODULE = 'github.com/getlantern/multipath.'

/** One goroutine as Go prints it: the calls, the innermost first. */
function goroutine(state: string, ...calls: string[]): string {
  return [
    `goroutine 7 gp=0x1 m=nil [${state}, 2 minutes]:`,
    ...calls.map((call) => `${call}(0x1)\n\tfile.go:1`),
  ].join('\n')
}

const RETRANSMIT = goroutine('chan receive', 'runtime.gopark', `${MODULE}(*mpConn).retransmit`)
const IDLE = goroutine('select', `${MODULE}(*subflow).sendLoop`)
const LOCKED = goroutine('sync.Mutex.Lock', 'sync.(*Mutex).Lock', `${MODULE}(*subflow).sendLoop`)
const WRITING = goroutine('IO wait', 'net.(*conn).Write', `${MODULE}(*subflow).sendLoop`)

describe('a Go peer whose transfer stands still', () => {
  it.each<[string, string[], boolean]>([
    ['waits for a lock where it sends', [LOCKED, WRITING], true],
    ['waits for a write to resend, and writes nothing', [RETRANSMIT, IDLE], true],
    ['writes to a socket that is full', [RETRANSMIT, WRITING], false],
    ['has nothing to resend', [IDLE], false],
  ])('that %s', (_what, goroutines, isLocked) => {
    expect(isLockedUp(goroutines.join('\n\n'))).toBe(isLocked)
  })

  it('is summed up by what its goroutines do', () => {
    expect(summaryOf([RETRANSMIT, RETRANSMIT, WRITING, goroutine('idle', 'runtime.x')].join('\n\n'))).toBe(
      '2 chan receive: (*mpConn).retransmit\n1 IO wait, writing: (*subflow).sendLoop',
    )
  })
})
