// The survey of the Rust side in a process of its own, and the phones' client in a bare engine: no crypto, no
// TextEncoder, no fetch, no timers. What the engine has is what the language has.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'

import { build } from 'vite'

const app = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/** The client as the oldest phones get it: compiled down to ES2015, in an engine without anything around it. */
export async function bareClient() {
  const built = await build({
    root: app,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      target: 'es2015',
      lib: { entry: path.join(app, 'tests/interop/client.ts'), formats: ['iife'], name: 'client' },
    },
  })
  const [{ output }] = [built].flat()
  const { code } = output[0]
  const engine = vm.createContext(Object.create(null))
  for (const name of ['crypto', 'TextEncoder', 'fetch', 'setTimeout', 'require', 'process', 'self', 'window']) {
    if (vm.runInContext(`typeof ${name}`, engine) !== 'undefined') throw new Error(`the engine is not bare: ${name}`)
  }
  vm.runInContext(`${code}\nglobalThis.client = client`, engine)
  const client = engine.client
  // Bytes are made inside: an engine's own kind of array.
  const filled = vm.runInContext('(hex) => client.unhex(hex, hex.length / 2)', engine)
  return { ...client, length: code.length, randomness: (length) => filled(randomBytes(length).toString('hex')) }
}

/** A program of the Rust side that answers one line of JSON with another. */
export class Conversation {
  constructor(example) {
    const target = process.env.CARGO_TARGET_DIR ?? path.resolve(app, '../target')
    this.process = spawn(path.join(target, 'debug/examples', example), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.answers = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
  }

  async ask(command) {
    this.process.stdin.write(`${JSON.stringify(command)}\n`)
    const { value, done } = await this.answers.next()
    if (done) throw new Error('the Rust side has stopped')
    return JSON.parse(value)
  }

  stop() {
    this.process.stdin.end()
  }
}

/** Both authorities, box and verifier. */
export class Survey extends Conversation {
  constructor() {
    super('interop')
  }
}
