// SPDX-License-Identifier: Apache-2.0
/** Whose window a simulated stream has. An ack is one segment's, takes the link's delay without a queue, and is never lost. */
import { Bbr } from './bbr.js'
import { Cubic } from './cubic.js'
import type { KernelWindow } from './kernel-window.js'

/** Whose window stands between a stream and its link; `none`: the link alone decides, and queues never overflow. */
export type Kernel = 'none' | 'cubic' | 'bbr'
export const KERNELS: readonly Kernel[] = ['none', 'cubic', 'bbr']

/** @returns `undefined` for `none` */
export function kernelWindow(kernel: Kernel): KernelWindow | undefined {
  if (kernel === 'cubic') return new Cubic()
  return kernel === 'bbr' ? new Bbr() : undefined
}
