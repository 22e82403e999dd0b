// Starts the real program with the demo township, on ports of its own and at ten in the morning in China (the bot keeps
// quiet at night).
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')

function freePort() {
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
  const [port, sandboxPort] = [await freePort(), await freePort()]
  const address = `http://127.0.0.1:${port}`
  const sandbox = `http://127.0.0.1:${sandboxPort}`
  const program = process.env.QINGFENG_PROGRAM ?? path.join(root, 'target/debug/qingfeng')
  const child = spawn(program, ['run', '--demo'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      QINGFENG_HTTP__BIND: `127.0.0.1:${port}`,
      QINGFENG_HTTP__PUBLIC_URL: address,
      QINGFENG_SANDBOX__BIND: `127.0.0.1:${sandboxPort}`,
      QINGFENG_WECHAT__API_BASE: `${sandbox}/wechat`,
      QINGFENG_WECOM__API_BASE: `${sandbox}/wecom`,
      QINGFENG_CLOCK__SHIFT_SECONDS: String(secondsToTenInTheMorning()),
      QINGFENG_BALLOTS__BOX_BIND: '127.0.0.1:0',
      QINGFENG_BALLOTS__OWN_COSIGNER_BIND: '127.0.0.1:0',
      QINGFENG_BALLOTS__OWN_WITNESS_BIND: '127.0.0.1:0',
      QINGFENG_LOG__LEVEL: 'warn',
    },
  })
  for (let attempt = 0; ; attempt++) {
    const ready = await fetch(`${address}/readyz`).then((answer) => answer.ok, () => false)
    if (ready) break
    if (attempt > 300 || child.exitCode !== null) throw new Error('the program does not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    address,
    sandbox,
    async stop() {
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('exit', resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
