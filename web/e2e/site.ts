import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The program under test: as it was built last, unless the environment names one. */
function program(): string {
  const named = process.env.COUNTERSIGN_PROGRAM
  if (named) return named
  const target = process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, '../../target')
  const built = ['debug', 'release'].map((profile) => join(target, profile, 'countersign')).find(existsSync)
  if (!built) throw new Error('build the server first: cargo build, or name it in COUNTERSIGN_PROGRAM')
  return built
}

const UP_WITHIN_MS = 120_000

/** A server of the test's own, with a private database in a directory of its own. */
export class Site {
  url = ''
  /** The administrator's one-time password. */
  oneTime = ''
  private process: ChildProcess | undefined
  readonly dir: string

  private constructor(private readonly flags: string[]) {
    // The database's own user has to get there.
    this.dir = mkdtempSync('/var/tmp/cse.')
    chmodSync(this.dir, 0o755)
  }

  /** Starts one with the demo's hosts beside it. */
  static async start(flags: string[] = []): Promise<Site> {
    const site = new Site(['--demo-estate', ...flags])
    await site.up('127.0.0.1:0')
    return site
  }

  private async up(listen: string): Promise<void> {
    const args = ['serve', '--data-dir', join(this.dir, 'data'), '--listen', listen, ...this.flags]
    const env: NodeJS.ProcessEnv = { ...process.env, RUST_LOG: 'warn' }
    delete env.DATABASE_URL
    const child = spawn(program(), args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process = child
    let said = ''
    await new Promise<void>((ready, failed) => {
      const late = setTimeout(() => failed(new Error(`the server did not come up:\n${said}`)), UP_WITHIN_MS)
      const heard = (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-20_000)
        const password = /one-time password (\S+)/.exec(said)
        if (password?.[1]) this.oneTime = password[1]
        const url = /serves on (http:\/\/\S+)/.exec(said)
        if (!url?.[1]) return
        this.url = url[1]
        clearTimeout(late)
        ready()
      }
      child.stdout?.on('data', heard)
      child.stderr?.on('data', heard)
      child.once('exit', (code) => failed(new Error(`the server ended with ${code}:\n${said}`)))
    })
  }

  /** Ends the process, as an operator would; what it keeps stays. */
  async down(): Promise<void> {
    const child = this.process
    this.process = undefined
    if (!child || child.exitCode !== null) return
    const gone = new Promise((ended) => child.once('exit', ended))
    child.kill('SIGTERM')
    await gone
  }

  /** Brings it up again where it was. */
  async again(): Promise<void> {
    await this.up(new URL(this.url).host)
  }

  /** Ends it for good. */
  async end(): Promise<void> {
    await this.down()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
