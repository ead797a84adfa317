// SPDX-License-Identifier: Apache-2.0
/**
 * The world of the examples in the documents: two machines with the names, addresses, interfaces and services that the
 * documents speak of, and the packed package as `npm install --global` puts it. So an example runs as it stands. It needs
 * Linux with user and network namespaces, and no root.
 */
import type { ChildProcess } from 'node:child_process'
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { packTarball } from '../../spec/support/packed.js'

const run = promisify(execFile)
const SETUP = join(import.meta.dirname, 'example-setup.sh')
const SERVERS = join(import.meta.dirname, 'example-servers.mjs')
/** Root needs no user namespace, and without one has the other groups, too. */
const IS_ROOT: boolean = process.getuid?.() === 0
const OF_USER: readonly string[] = IS_ROOT ? [] : ['--user', '--map-root-user']
const NAMESPACES: readonly string[] = ['unshare', ...OF_USER, '--net', '--mount']
const THERE = [
  ...['gw', 'gw.example', 'host', 'host-a', 'host-b', 'there.example', 'server.example', 'backup.example'],
  ...['office.example', 'lb1.example', 'lb2.example', 'db.internal'],
]
const HOSTS = `127.0.0.1 localhost\n10.81.9.1 ${THERE.join(' ')}\n93.184.216.34 example.org\n`

export type Side = 'here' | 'there'

/** Whether all groups of the machine are there, not only that of its user. */
export const HAS_GROUPS: boolean = IS_ROOT

/** Why there can be none; `undefined`: there can. */
export function whyNoWorld(): string | undefined {
  if (process.platform !== 'linux') return 'Linux only'
  const missing = ['unshare', 'nsenter', 'ip', 'tc', 'nft', 'openssl', 'curl', 'git', 'script', 'tar'].find(
    (name) => spawnSync('which', [name]).status !== 0,
  )
  if (missing !== undefined) return `${missing} is missing`
  const { status, stderr } = spawnSync(NAMESPACES[0]!, [...NAMESPACES.slice(1), 'true'])
  return status === 0 ? undefined : `no namespaces: ${String(stderr)}`
}

export class ExampleWorld implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'multipath-examples-'))
  #pids: Readonly<Record<Side, number>> = { here: 0, there: 0 }
  readonly #children: ChildProcess[] = []

  /** Installs the package by the line of the documents, and sets up both machines. */
  async open(): Promise<void> {
    const tarball = await packTarball(this.folder)
    await run('npm', ['install', '--global', tarball, '--prefer-offline', '--no-audit', '--no-fund'], {
      env: this.env('here'),
    })
    this.#certify()
    this.#publish()
    writeFileSync(join(this.folder, 'hosts'), HOSTS)
    const holder = this.#spawn([...NAMESPACES, 'sh', SETUP, join(this.folder, 'hosts'), this.folder])
    await once(holder.stdout!, 'data')
    const there = Number(readFileSync(join(this.folder, 'there.pid'), 'utf8'))
    this.#pids = { here: holder.pid!, there }
    const servers = [
      this.#spawn([...this.within('there'), process.execPath, SERVERS, 'there', this.folder]),
      this.#spawn([...this.within('here'), process.execPath, SERVERS, 'internet', this.folder]),
    ]
    await Promise.all(servers.map(({ stdout }) => once(stdout!, 'data')))
  }

  /** What to put before a command that is to run on that machine. */
  within(side: Side): string[] {
    const { here, there } = this.#pids
    const net = `--net=/proc/${side === 'here' ? here : there}/ns/net`
    const user = IS_ROOT ? [] : ['--preserve-credentials', '--user']
    return ['nsenter', ...user, '--mount', '--target', String(here), net]
  }

  /** @param runtime - of control sockets, so that no example meets the commands of another */
  env(side: Side, runtime: string = this.folder): NodeJS.ProcessEnv {
    const certificate = join(this.folder, 'crt.pem')
    return {
      ...process.env,
      HOME: this.folder,
      PATH: [join(this.folder, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
      XDG_RUNTIME_DIR: join(runtime, `run-${side}`),
      XDG_STATE_HOME: join(runtime, 'state'),
      npm_config_prefix: this.folder,
      npm_config_update_notifier: 'false',
      CURL_CA_BUNDLE: certificate,
      GIT_SSL_CAINFO: certificate,
      NODE_EXTRA_CA_CERTS: certificate,
      APT_CONFIG: join(this.folder, 'apt.conf'),
    }
  }

  /** A folder for the files of one machine during one example. Programs in it find the package. */
  folderFor(name: string, side: Side): string {
    const folder = join(this.folder, 'examples', name, side)
    mkdirSync(join(folder, 'node_modules'), { recursive: true })
    mkdirSync(join(this.folder, 'examples', name, `run-${side}`), { mode: 0o700 })
    symlinkSync(
      join(this.folder, 'lib/node_modules/multipath-net'),
      join(folder, 'node_modules/multipath-net'),
    )
    return folder
  }

  #spawn(command: readonly string[]): ChildProcess {
    const [program, ...args] = command
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    this.#children.push(child)
    return child
  }

  #certify(): void {
    const names = ['example.org', ...THERE].map((name) => `DNS:${name}`).join(',')
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const about = ['-subj', '/CN=example.org', '-addext', `subjectAltName=${names}`, '-days', '2']
    const files = ['-keyout', join(this.folder, 'key.pem'), '-out', join(this.folder, 'crt.pem')]
    execFileSync('openssl', [...made, ...about, ...files], { stdio: 'ignore' })
  }

  /** https://example.org/repository.git, and an empty source of packages. */
  #publish(): void {
    const site = join(this.folder, 'site')
    mkdirSync(site)
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', join(site, 'repository.git'), ...args], { encoding: 'utf8' }).trim()
    execFileSync('git', ['init', '--quiet', '--bare', join(site, 'repository.git')])
    const tree = git('hash-object', '-t', 'tree', '-w', '/dev/null')
    const author = ['-c', 'user.name=n', '-c', 'user.email=e']
    git('update-ref', 'HEAD', git(...author, 'commit-tree', '-m', 'first', tree))
    git('update-server-info')
    writeFileSync(join(site, 'Packages'), '')
    const source = join(this.folder, 'sources.list')
    writeFileSync(source, 'deb [trusted=yes] http://example.org/ ./\n')
    const apt = [
      `Dir::Etc::sourcelist "${source}";`,
      ...['Dir::Etc::sourceparts "/dev/null";', 'APT::Sandbox::User "root";'],
      `Dir::State "${this.folder}/apt";`,
      `Dir::Cache "${this.folder}/apt";`,
    ]
    mkdirSync(join(this.folder, 'apt'))
    writeFileSync(join(this.folder, 'apt.conf'), apt.join('\n'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // It has ended.
      }
    }
    for (const child of this.#children)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
