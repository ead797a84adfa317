// SPDX-License-Identifier: Apache-2.0
/** The examples of docs/integrations.md as modules, in a folder that has the packed package and the packages of their clients. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packedFolder } from '../../spec/support/packed.js'

const PAGE = join(import.meta.dirname, '../../docs/integrations.md')
const FILES = ['run.js', 'clients.js', 'settings.js', 'servers.js', 'package.json']

/** What the page leaves to its reader. */
const LEFT_OPEN = "import { paths, privateKey, username } from '../settings.js'\n"

/** Names of the clients that the page shows. */
export function clientsOfPage(): string[] {
  return [...examplesOf('client').keys()]
}

/**
 * @param clients - the folder of clients.js, with its node_modules
 * @returns a folder in which run.js works, which the process removes as it exits
 */
export async function pageFolder(clients: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'multipath-clients-'))
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  for (const file of FILES) copyFileSync(join(clients, file), join(folder, file))
  for (const from of [clients, await packedFolder()]) linkPackages(join(from, 'node_modules'), folder)
  mkdirSync(join(folder, 'page'))
  for (const [name, { code, gives }] of examplesOf('client'))
    writeFileSync(join(folder, 'page', `${name}.js`), `${LEFT_OPEN}${code}\nexport { ${gives} }\n`)
  for (const [name, { code, gives }] of examplesOf('server'))
    writeFileSync(join(folder, 'page', `${name}-server.js`), `${code}\nexport { ${gives} }\n`)
  return folder
}

function examplesOf(
  end: 'client' | 'server',
): Map<string, { readonly code: string; readonly gives: string }> {
  const examples = readFileSync(PAGE, 'utf8').matchAll(
    new RegExp(`\`\`\`js ${end}=(\\w+) gives=([\\w,]+)\\n([\\s\\S]*?)\`\`\``, 'g'),
  )
  return new Map([...examples].map(([, name, gives, code]) => [name!, { gives: gives!, code: code! }]))
}

/** Each package of `modules` by a link, so that its own dependencies are found where it is. */
function linkPackages(modules: string, folder: string): void {
  const names = readdirSync(modules).filter((name) => !name.startsWith('.'))
  const packages = names.flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => join(name, inner)) : [name],
  )
  for (const name of packages) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(join(modules, name), link)
  }
}
