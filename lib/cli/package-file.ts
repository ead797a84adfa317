// SPDX-License-Identifier: Apache-2.0
/** Files of the package beside the code, wherever the build has put that. */
import { existsSync, readFileSync } from 'node:fs'

const MANIFEST = 'package.json'

/** @param name - from the package's root, with `/`. @throws {Error} where it is not there */
export function readPackageFile(name: string): Buffer {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL(MANIFEST, folder)) && folder.pathname !== '/') folder = new URL('..', folder)
  return readFileSync(new URL(name, folder))
}

/** @throws {Error} where it is not there */
export function packageVersion(): string {
  return (JSON.parse(readPackageFile(MANIFEST).toString()) as { version: string }).version
}
