/** `npm run fleet -- --connections 300`: the drill of fleet.spec.ts at the size asked for. */
import { parseArgs } from 'node:util'
import { goVersion } from './support/build-peer.js'
import { Drill } from './support/fleet-drill.js'
import { Fleet } from './support/fleet.js'
import { GoPeer } from './support/go-peer.js'

const { values } = parseArgs({ options: { connections: { type: 'string', default: '300' } } })
await using fleet = await Fleet.start()
await using go = goVersion() === undefined ? undefined : await GoPeer.start()
console.log(await new Drill(fleet, go).run(Number(values.connections)))
