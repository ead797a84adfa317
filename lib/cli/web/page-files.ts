// SPDX-License-Identifier: Apache-2.0
/** The files of the page: plain ones in the folder web/ of the package, read once. */
import { extname } from 'node:path'
import { readPackageFile } from '../package-file.js'

export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
}

const NAMES = [
  ...['index.html', 'style.css', 'vendor/uPlot.min.css', 'vendor/uPlot.iife.min.js'],
  ...['page.js', 'model.js', 'history.js', 'link.js', 'charts.js', 'timeline.js', 'tables.js', 'format.js'],
]

/** By the path of its URL. @throws {Error} for a package that is not whole */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>()
  for (const name of NAMES) {
    const file = { type: TYPES[extname(name)]!, bytes: readPackageFile(`web/${name}`) }
    files.set(name === 'index.html' ? '/' : `/${name}`, file)
  }
  return files
}
