// SPDX-License-Identifier: Apache-2.0
/** The `world=` blocks of the documents, each line as it stands, with the packed package on two machines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, PAGES } from '../spec/support/blocks.js'
import { SCRIPTS } from './support/example-scripts.js'
import { commandsOf, ExampleStage } from './support/example-stage.js'
import { ExampleWorld, whyNoWorld } from './support/example-world.js'

const BLOCKS = PAGES.flatMap(blocksOf)
  .filter(({ tags }) => 'world' in tags)
  .map(({ page, tags, code }) => [`${page} ${tags['world']}`, code] as const)

it('has a script for each of these blocks, and for nothing else', () => {
  expect(BLOCKS.map(([name]) => name).toSorted()).toEqual([...SCRIPTS.keys()].toSorted())
})

const why = whyNoWorld()

describe.skipIf(why !== undefined)(`an example of ${why ? `(skipped: ${why})` : ''}`, () => {
  let world: ExampleWorld
  beforeAll(async () => {
    world = new ExampleWorld()
    await world.open()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it.each(BLOCKS)('%s', async (name, code) => {
    const script = SCRIPTS.get(name)!
    await using stage = new ExampleStage(world, name.replaceAll(/\W/g, '-'))
    await script(stage, commandsOf(code), code)
  })
})
