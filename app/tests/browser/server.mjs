// Starts the real programs with the demo township, on ports of their own and at ten in the morning in China (the bot keeps
// quiet at night).
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
export const program = process.env.QINGFENG_PROGRAM ?? path.join(root, 'target/debug/qingfeng')

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

function secondsToTenInTheMorning() {
  const dayInChina = (Math.floor(Date.now() / 1000) + 8 * 3600) % 86400
  return 10 * 3600 - dayInChina
}

export async function startDemo() {
  const folder = mkdtempSync(path.join(tmpdir(), 'qingfeng-'))
  const at = async () => `127.0.0.1:${await freePort()}`
  const [platform, sandbox, box, cosigner, witness] = [await at(), await at(), await at(), await at(), await at()]
  const address = `http://${platform}`
  let child

  async function start(days) {
    child = spawn(program, ['run', '--demo'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        QINGFENG_HTTP__BIND: platform,
        QINGFENG_HTTP__PUBLIC_URL: address,
        QINGFENG_HTTP__SHUTDOWN_SECONDS: '1',
        QINGFENG_SANDBOX__BIND: sandbox,
        QINGFENG_WECHAT__API_BASE: `http://${sandbox}/wechat`,
        QINGFENG_WECOM__API_BASE: `http://${sandbox}/wecom`,
        QINGFENG_CLOCK__SHIFT_SECONDS: String(secondsToTenInTheMorning() + days * 86400),
        QINGFENG_BALLOTS__BOX_BIND: box,
        QINGFENG_BALLOTS__BOX_PUBLIC_URL: `http://${box}`,
        QINGFENG_BALLOTS__OWN_COSIGNER_BIND: cosigner,
        QINGFENG_BALLOTS__OWN_WITNESS_BIND: witness,
        QINGFENG_BALLOTS__BATCH_MINUTES: '0',
        QINGFENG_BALLOTS__LOOK_SECONDS: '1',
        QINGFENG_LOG__LEVEL: 'warn',
      },
    })
    for (let attempt = 0; ; attempt++) {
      const ready = await fetch(`${address}/readyz`).then((answer) => answer.ok, () => false)
      if (ready) return
      if (attempt > 600 || child.exitCode !== null) throw new Error('the program does not start')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async function end() {
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  }

  await start(0)
  return {
    address,
    folder,
    sandbox: `http://${sandbox}`,
    box: `http://${box}`,
    cosigner: `http://${cosigner}`,
    /** The programs end, and begin anew so many days later. */
    async daysLater(days) {
      await end()
      await start(days)
    },
    async stop() {
      await end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
