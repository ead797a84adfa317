// SPDX-License-Identifier: Apache-2.0
/** What the examples of docs/integrations.md leave to their reader. */
import process from 'node:process'

export const settings = JSON.parse(process.argv[3])
export const pathsTo = (ports) => ports.map((port) => ({ host: '127.0.0.1', port }))
export const paths = pathsTo(settings.ports)
export const { username, privateKey } = settings
