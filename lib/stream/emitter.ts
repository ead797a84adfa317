// SPDX-License-Identifier: Apache-2.0
/** eventemitter3 with the shape of Node's EventEmitter, so that `events.once` and its like take it. */
import { EventEmitter } from 'eventemitter3'

type NameOf<Events extends object> = EventEmitter.EventNames<Events>
type Listener<Events extends object, Name extends NameOf<Events>> = EventEmitter.EventListener<Events, Name>

/** Where eventemitter3 keeps its listeners: one of an event alone, several in an array. */
interface Kept {
  readonly _events: Record<PropertyKey, unknown>
}

/** Typed events: `Events` maps each name to the arguments of its listeners. */
export class Emitter<Events extends object> extends EventEmitter<Events> {
  /** Adds a listener before those that are there. */
  prependListener<Name extends NameOf<Events>>(event: Name, listener: Listener<Events, Name>): this {
    return this.on(event, listener).#lastToFront(event)
  }

  /** Adds a listener for one time before those that are there. */
  prependOnceListener<Name extends NameOf<Events>>(event: Name, listener: Listener<Events, Name>): this {
    return this.once(event, listener).#lastToFront(event)
  }

  /** As `listeners()`: nothing is wrapped here. */
  rawListeners<Name extends NameOf<Events>>(event: Name): Listener<Events, Name>[] {
    return this.listeners(event)
  }

  /** Does nothing: an event may have any number of listeners. */
  setMaxListeners(_count: number): this {
    return this
  }

  /** Infinity: an event may have any number of listeners. */
  getMaxListeners(): number {
    return Infinity
  }

  /** In an array of its own: the listeners may be being called. */
  #lastToFront(event: NameOf<Events>): this {
    const { _events: kept } = this as unknown as Kept
    const all = kept[event]
    if (Array.isArray(all)) kept[event] = [all.at(-1), ...(all as unknown[]).slice(0, -1)]
    return this
  }
}
