/** The package ws, loaded when the first WebSocket is wanted: who uses none need not install it. */
import type { WebSocket, WebSocketServer } from 'ws'
import { MultipathError } from '../errors.js'

/** What we use of it. */
export interface Ws {
  readonly WebSocket: typeof WebSocket
  readonly WebSocketServer: typeof WebSocketServer
}

/** @throws ERR_MULTIPATH_OPTION where it is not installed */
export async function loadWs(): Promise<Ws> {
  try {
    return await import('ws')
  } catch (cause) {
    throw new MultipathError(
      'ERR_MULTIPATH_OPTION',
      'WebSocket paths need the package ws, which is not installed: npm install ws',
      { cause },
    )
  }
}
