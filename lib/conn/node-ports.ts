// SPDX-License-Identifier: Apache-2.0
/** A driver's ports in a process of Node. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import type { DriverPorts, SocketHandler, SocketPort, TurnPort } from './driver-ports.js'
import { SubflowIo } from './subflow-io.js'

const turn: TurnPort = {
  atTickEnd: (run) => {
    process.nextTick(run)
  },
  atTurnEnd: (run) => {
    setImmediate(run)
  },
}

function open(stream: Duplex, handler: SocketHandler): SocketPort<Duplex> {
  return new SubflowIo(stream, handler)
}

/** Streams of Node and its event loop. `clock` may be another than the system's. */
export function nodePorts(clock: Clock): DriverPorts<Duplex> {
  return { clock, turn, open }
}
