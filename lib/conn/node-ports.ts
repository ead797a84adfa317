// SPDX-License-Identifier: Apache-2.0
/** A driver's ports in a process of Node. */
import type { Duplex } from 'node:stream'
import { type Clock, systemClock } from '../clock.js'
import type { DriverPorts, SocketHandler, SocketPort, TurnPort } from './driver-ports.js'
import { kernelRetransmits } from './kernel-retransmits.js'
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

/** Simulated streams count themselves. What the kernel counts says nothing of another clock's network. */
function retransmitsOf(stream: Duplex): number | undefined {
  const { retransmits } = stream as { retransmits?: unknown }
  return typeof retransmits === 'number' ? retransmits : undefined
}

function retransmits(stream: Duplex): number | undefined {
  return retransmitsOf(stream) ?? kernelRetransmits()
}

/** Streams of Node and its event loop. `clock` may be another than the system's. */
export function nodePorts(clock: Clock): DriverPorts<Duplex> {
  return { clock, turn, open, retransmits: clock === systemClock ? retransmits : retransmitsOf }
}
