// SPDX-License-Identifier: Apache-2.0
/** A driver's ports in a process of Node. */
import type { Duplex } from 'node:stream'
import { type Clock, systemClock } from '../clock.js'
import type { KernelView } from '../core/congestion/kernel-view.js'
import type { DriverPorts, SocketHandler, SocketPort, TurnPort } from './driver-ports.js'
import { SystemKernel } from './system-kernel.js'
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

/** Simulated streams have one of their own. What the system knows says nothing of another clock's network. */
function simulatedKernel(stream: Duplex): KernelView | undefined {
  const { kernel } = stream as { kernel?: Partial<KernelView> }
  return typeof kernel?.retransmits === 'function' ? (kernel as KernelView) : undefined
}

function kernelOf(stream: Duplex): KernelView {
  return simulatedKernel(stream) ?? new SystemKernel(stream)
}

/** Streams of Node and its event loop. `clock` may be another than the system's. */
export function nodePorts(clock: Clock): DriverPorts<Duplex> {
  return { clock, turn, open, kernelOf: clock === systemClock ? kernelOf : simulatedKernel }
}
