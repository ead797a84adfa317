// SPDX-License-Identifier: Apache-2.0
/** What is known of the TCP below a subflow. */
export interface KernelView {
  /**
   * It sends by a model of the path, as BBR does, and not until packets are lost, as CUBIC does. The answer may be found when it is first
   * asked for, by what TCP has sent so far: once something of ours was acked, and before half of a first flight (RFC 6928) is on its way.
   */
  isModelBased(): boolean
  /** Segments that it has sent again, perhaps with those of others; `undefined` where that is not known. */
  retransmits(): number | undefined
}
