// SPDX-License-Identifier: Apache-2.0
/** Files of the package beside the code, wherever the build has put that. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MANIFEST = 'package.json'

/** @param name - from the package's root, with `/`. @throws {Error} where it is not there */
export function readPackageFile(name: string): Buffer {
  return readFileSync(packageFile(name))
}

/** The path of a file, which may not be there. @param name - from the package's root, with `/` */
export function packageFile(name: string): string {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL(MANIFEST, folder)) && folder.pathname !== '/') folder = new URL('..', folder)
  return fileURLToPath(new URL(name, folder))
}

/** Set by the build: the commit that was built, with `+` behind it for one that has been changed; else empty. */
declare const BUILD_COMMIT: string | undefined

/** The version, and the commit as far as it is known. @throws {Error} where the package's manifest is not there */
export function versionText(commit: string = typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : ''): string {
  return packageVersion() + (commit === '' ? '' : ` (commit ${commit})`)
}

/** @throws {Error} where it is not there */
function packageVersion(): string {
  return (JSON.parse(readPackageFile(MANIFEST).toString()) as { version: string }).version
}
