// SPDX-License-Identifier: Apache-2.0
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HttpClients } from '../../../lib/cli/streams/http-clients.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const HTTP_1_1 = { httpVersionMajor: 1, httpVersionMinor: 1 }

function scene() {
  const late = vi.fn()
  const clients = new HttpClients(late)
  const socket = socketOf()
  clients.add(socket)
  return { clients, socket, late }
}

/** One that has nothing left to send. */
function socketOf(): Socket {
  const socket = new Socket()
  socket.destroySoon = () => void socket.destroy()
  return socket
}

function ask(clients: HttpClients, socket: Socket): ServerResponse {
  const response = new ServerResponse(Object.assign(new IncomingMessage(socket), HTTP_1_1))
  void clients.asked(socket, response)
  return response
}

describe('the client of a proxy for plain HTTP', () => {
  it('has 10 s for the head of its first request', () => {
    const { socket, late } = scene()
    vi.advanceTimersByTime(9999)
    expect(socket.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(socket.destroyed).toBe(true)
    expect(late).toHaveBeenCalledExactlyOnceWith(socket)
  })

  it('has as long as it likes for an answer, and 60 s from the last one to the next request', () => {
    const { clients, socket, late } = scene()
    const responses = [ask(clients, socket), ask(clients, socket)]
    responses[0]!.emit('close')
    vi.advanceTimersByTime(3_600_000)
    expect(socket.destroyed).toBe(false)
    responses[1]!.emit('close')
    vi.advanceTimersByTime(59_999)
    const next = ask(clients, socket)
    vi.advanceTimersByTime(3_600_000)
    expect(socket.destroyed).toBe(false)
    next.emit('close')
    vi.advanceTimersByTime(60_000)
    expect(socket.destroyed).toBe(true)
    expect(late).not.toHaveBeenCalled()
  })

  it('has its requests passed on one after another, and is closed with more than 64 that wait', async () => {
    const { clients, socket } = scene()
    const first = new ServerResponse(new IncomingMessage(socket))
    const second = new ServerResponse(new IncomingMessage(socket))
    await clients.asked(socket, first)
    const turn = vi.fn()
    const asked = clients.asked(socket, second).then(turn)
    await Promise.resolve()
    expect(turn).not.toHaveBeenCalled()
    first.emit('close')
    await asked
    for (let n = 0; n < 63; n++) ask(clients, socket)
    expect(socket.destroyed).toBe(false)
    ask(clients, socket)
    expect(socket.destroyed).toBe(true)
  })

  it('is closed at the end: at once where it is idle, otherwise behind its answer, which says so', () => {
    const { clients, socket } = scene()
    const idle = socketOf()
    clients.add(idle)
    const response = ask(clients, socket)
    expect(response.shouldKeepAlive).toBe(true)
    clients.close()
    expect(idle.destroyed).toBe(true)
    expect(socket.destroyed).toBe(false)
    const last = ask(clients, socket)
    expect([response, last].map((each) => each.shouldKeepAlive)).toEqual([false, false])
    for (const each of [response, last]) each.emit('close')
    expect(socket.destroyed).toBe(true)
  })
})
