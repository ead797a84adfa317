// SPDX-License-Identifier: Apache-2.0
/** SETTINGS: what a side is, and how long it holds a connection. Said on every subflow. */
import { RemoteProtocolError } from '../errors.js'
import { CODE_CAPABLE, CODE_EXTENDS } from './limits.js'
import { EXTENSION, encodeExtension, type Extension, shortText } from './extension.js'

/** Version of the extensions that this code speaks. */
const EXTENSIONS_VERSION = 1
/** Identity of a listener's process. */
export const INSTANCE_BYTES = 16
/** A dialer's name for itself, bytes of UTF-8. */
export const MAX_NAME_BYTES = 64
/** The name of a scheduler, bytes. */
const MAX_SCHEDULER_BYTES = 32
/** A public key of X25519. */
export const KEY_BYTES = 32
/** Drawn anew for each subflow. */
export const NONCE_BYTES = 16

const FIELD = {
  ...{ version: 1, capabilities: 2, holdMs: 3, instance: 4, name: 5 },
  ...{ publicKey: 6, nonce: 7, place: 8, scheduler: 9 },
} as const

/** Bits of the field `capabilities`: optional features. */
export const CAPABILITY = { window: 1, starving: 2, datagrams: 4 } as const

/** What one of ours announces itself with, as bytes: extends, capable. */
export const ANNOUNCEMENT: Uint8Array = Uint8Array.of(0, CODE_EXTENDS, 0, CODE_CAPABLE)

/** What one side says of itself. */
export interface Settings {
  /** A bit for each optional feature that it knows, of {@link CAPABILITY}. */
  readonly capabilities?: number | undefined
  /** How long it holds a connection without a subflow, milliseconds; 0: not at all. */
  readonly holdMs: number
  /** Of a listener: drawn once by its process, so that a restart shows. */
  readonly instance?: Uint8Array | undefined
  /** Of a dialer: its name for itself. */
  readonly name?: string | undefined
  /** What its proofs can be checked with, on every subflow the same; without one, it proves nothing. */
  readonly publicKey?: Uint8Array | undefined
  /** Of this subflow alone. */
  readonly nonce?: Uint8Array | undefined
  /** Of a dialer: which of its subflows this is, from 1. */
  readonly place?: number | undefined
  /** Of a dialer: name of the scheduler that its peer is to use. */
  readonly scheduler?: string | undefined
}

/** What a peer is told of us that is no option of the connection. */
export type OwnFacts = Pick<Settings, 'instance' | 'name' | 'scheduler'>

/** What a subflow has heard from us about us. */
export interface Introduction {
  /** As bytes, behind a hello: the announcement, and SETTINGS. */
  readonly words: Uint8Array
  /** SETTINGS alone. */
  readonly frame: Uint8Array
  readonly settings: Settings
}

/** What a peer says of itself. */
export interface PeerSettings extends Settings {
  readonly version: number
  readonly capabilities: number
}

export function encodeSettings({ holdMs, instance, name, scheduler, ...rest }: Settings): Uint8Array {
  return encodeExtension(
    EXTENSION.settings,
    new Map<number, number | Uint8Array | undefined>([
      [FIELD.version, EXTENSIONS_VERSION],
      [FIELD.capabilities, rest.capabilities],
      [FIELD.holdMs, holdMs],
      [FIELD.instance, instance],
      [FIELD.name, name === undefined || name === '' ? undefined : shortText(name, MAX_NAME_BYTES)],
      [FIELD.publicKey, rest.publicKey],
      [FIELD.nonce, rest.nonce],
      [FIELD.place, rest.place],
      [FIELD.scheduler, scheduler === undefined ? undefined : shortText(scheduler, MAX_SCHEDULER_BYTES)],
    ]),
  )
}

/** @throws {RemoteProtocolError} for a field that is no number, or has too many bytes, or too few */
export function decodeSettings(frame: Extension): PeerSettings {
  return {
    version: frame.number(FIELD.version) ?? EXTENSIONS_VERSION,
    capabilities: frame.number(FIELD.capabilities) ?? 0,
    holdMs: frame.number(FIELD.holdMs) ?? 0,
    instance: exactly(frame, FIELD.instance, INSTANCE_BYTES, 'identity of a listener'),
    name: frame.text(FIELD.name, MAX_NAME_BYTES),
    publicKey: exactly(frame, FIELD.publicKey, KEY_BYTES, 'public key'),
    nonce: exactly(frame, FIELD.nonce, NONCE_BYTES, 'nonce'),
    place: frame.number(FIELD.place),
    scheduler: frame.text(FIELD.scheduler, MAX_SCHEDULER_BYTES),
  }
}

function exactly(frame: Extension, id: number, length: number, what: string): Uint8Array | undefined {
  const bytes = frame.bytes(id, length)
  if (bytes !== undefined && bytes.length !== length)
    throw new RemoteProtocolError(`the ${what} has ${length} bytes`)
  return bytes
}
