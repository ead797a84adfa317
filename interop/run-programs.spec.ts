// SPDX-License-Identifier: Apache-2.0
/** Usual programs in `multipath run`, none of which has been told of it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RunStage } from './support/run-stage.js'
import { NAME, useRunStage, whyNoRun } from './support/run-stage.js'
import { SSHD, writeSshdFiles } from './support/sshd.js'

const why = whyNoRun()
const SSH_PORT = 2222
const HELLO = 'hello from 80'

let stage: RunStage

useRunStage(why, (opened) => (stage = opened))

/** What each needs, and prints; it prepares its server first. */
interface Case {
  readonly needs: readonly string[]
  readonly prepare?: () => Promise<unknown>
  readonly program: () => readonly string[]
  readonly prints: string | RegExp
}

const file = (name: string): string => join(stage.folder, name)

/** A repository, which `git daemon` serves. */
async function serveGit(): Promise<void> {
  const git = (...words: string[]): Buffer => execFileSync('git', ['-C', file('git'), ...words])
  mkdirSync(file('git'))
  git('init', '--quiet', '--bare', 'one.git')
  const blank = git('-C', 'one.git', 'hash-object', '-t', 'tree', '-w', '--stdin').toString().trim()
  const who = ['-c', 'user.name=n', '-c', 'user.email=e']
  const commit = git('-C', 'one.git', ...who, 'commit-tree', '-m', 'first', blank)
    .toString()
    .trim()
  git('-C', 'one.git', 'update-ref', 'refs/heads/first', commit)
  const daemon = ['daemon', '--verbose', '--export-all', '--reuseaddr', `--base-path=${file('git')}`]
  await stage.server(['git', ...daemon], /Ready to rumble/)
}

/** An index with a package that is nothing but metadata. */
async function serveIndex(): Promise<void> {
  const source = `
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'<a href="one-1.2.3.tar.gz">one-1.2.3.tar.gz</a>'
        self.send_response(200)
        self.send_header('Content-Type', 'text/html')
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer(('', 8081), Handler)
print('ready', flush=True)
server.serve_forever()`
  await stage.server(['python3', '-c', source], /ready/)
}

async function serveSsh(): Promise<void> {
  const { config } = writeSshdFiles(stage.folder, SSH_PORT, '0.0.0.0')
  await stage.server([SSHD, '-D', '-e', '-f', config], /Server listening/)
}

const GO = `package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	conn, err := net.Dial("tcp", "${NAME}:80")
	if err != nil {
		panic(err)
	}
	fmt.Fprint(conn, "GET / HTTP/1.0\\r\\n\\r\\n")
	io.Copy(os.Stdout, conn)
}
`

const JAVA = `class Fetch {
  public static void main(String[] words) throws Exception {
    System.out.print(new String(new java.net.URL("http://${NAME}/").openStream().readAllBytes()));
  }
}
`

const CASES: Readonly<Record<string, Case>> = {
  git: {
    needs: ['git'],
    prepare: serveGit,
    program: () => ['git', 'ls-remote', `git://${NAME}/one.git`],
    prints: /refs\/heads\/first/,
  },
  ssh: {
    needs: ['ssh', SSHD],
    prepare: serveSsh,
    program: () => [
      ...[
        'ssh',
        '-F',
        '/dev/null',
        '-i',
        file('own'),
        '-p',
        `${SSH_PORT}`,
        '-o',
        'BatchMode=yes',
        '-o',
        'LogLevel=ERROR',
      ],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', NAME, 'echo through ssh'],
    ],
    prints: 'through ssh',
  },
  pip: {
    needs: ['pip', 'python3'],
    prepare: serveIndex,
    program: () => [
      ...['pip', '--disable-pip-version-check', 'index', 'versions', 'one', '--trusted-host', NAME],
      ...['--index-url', `http://${NAME}:8081/`],
    ],
    prints: /one \(1\.2\.3\)/,
  },
  'a static Go program': {
    needs: ['go'],
    prepare: async () => {
      writeFileSync(file('fetch.go'), GO)
      const options = { env: { ...process.env, CGO_ENABLED: '0' } }
      execFileSync('go', ['build', '-o', file('fetch'), file('fetch.go')], options)
    },
    program: () => [file('fetch')],
    prints: HELLO,
  },
  node: {
    needs: [],
    program: () => [
      process.execPath,
      '-e',
      `fetch('http://${NAME}/').then((answer) => answer.text()).then(console.log)`,
    ],
    prints: HELLO,
  },
  java: {
    needs: ['java', 'javac'],
    prepare: async () => {
      writeFileSync(file('Fetch.java'), JAVA)
    },
    program: () => ['java', '-Xshare:auto', '-XX:TieredStopAtLevel=1', file('Fetch.java')],
    prints: HELLO,
  },
  'iperf3 --reverse': {
    needs: ['iperf3'],
    prepare: () => stage.server(['iperf3', '--server', '--forceflush'], /listening/i),
    program: () => ['iperf3', '--client', NAME, '--reverse', '--time', '1'],
    prints: /iperf Done/,
  },
  chromium: {
    needs: ['chromium'],
    program: () => [
      ...['chromium', '--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${file('profile')}`],
      ...['--dump-dom', `http://${NAME}/`],
    ],
    prints: new RegExp(HELLO),
  },
}

function isThere(program: string): boolean {
  return program.startsWith('/') ? existsSync(program) : spawnSync('which', [program]).status === 0
}

describe.skipIf(why !== undefined)(`multipath run${why ? ` (skipped: ${why})` : ''}`, () => {
  describe.each(Object.entries(CASES))('%s', (_, { needs, prepare, program, prints }) => {
    const missing = needs.filter((name) => !isThere(name))
    it.skipIf(missing.length > 0)(
      `reaches what serve reaches${missing.length > 0 ? ` (skipped: no ${missing.join(', ')})` : ''}`,
      async () => {
        await prepare?.()
        // A browser asks others as well.
        const { out, lines, code } = await stage.exit('root', program())
        expect([code, lines.filter((line) => line.includes(`multipath: ${NAME}`))]).toEqual([0, []])
        expect(out.toString()).toMatch(prints)
      },
    )
  })
})
