// SPDX-License-Identifier: Apache-2.0
/** Signals that a program may wait for. While it has the terminal, they end nothing else. */
export const LENT_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
