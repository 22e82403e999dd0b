// Platform, co-signer, witness and box, played by the test: they sign with real keys and keep to the protocol, unless they
// are told not to.
import { type KeyObject, constants, generateKeyPairSync, privateDecrypt } from 'node:crypto'

import { base64, hex, join, unhex, utf8 } from '../../../src/ballots/bytes'
import { canonical, canonicalHash, sha256 } from '../../../src/ballots/canonical'
import { Pinned } from '../../../src/ballots/checkpoint'
import { roots } from '../../../src/ballots/log'
import type { Manifest } from '../../../src/ballots/manifest'
import { requestMessage, rollLeaf } from '../../../src/ballots/messages'
import type { Parties } from '../../../src/ballots/progress'
import { Refusal } from '../../../src/ballots/refusal'
import { isSignedBy, publicKey, sign } from '../../../src/ballots/signing'

// Making keys is the slow part: every test of a file shares one set.
const fresh = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const keys = { a: fresh(), b: fresh(), d: fresh() }

/** The bare operation of the private key. */
const signed = (message: string, key: KeyObject): string =>
  privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(message, 'hex')).toString('hex')

const modulus = (key: KeyObject): string => Buffer.from(key.export({ format: 'jwk' }).n!, 'base64url').toString('hex')

const ROLES = ['platform', 'cosigner', 'witness'] as const
export type Role = (typeof ROLES)[number]
const seedOf = (role: Role) => new Uint8Array(32).fill(ROLES.indexOf(role) + 1)

function keyLine(role: Role): string {
  const key = join(Uint8Array.of(1), publicKey(seedOf(role)))
  return `${role} ${role}+${hex(sha256(utf8(`${role}\n`), key)).slice(0, 8)}+${base64(key)}`
}

export const pinned = new Pinned(ROLES.map(keyLine))

export function note(origin: string, size: number, root: string, signers: readonly Role[] = ROLES): string {
  const text = `${origin}\n${size}\n${base64(unhex(root, 32))}\n`
  const lines = signers.map((role) => {
    const key = join(Uint8Array.of(1), publicKey(seedOf(role)))
    const id = sha256(utf8(`${role}\n`), key).slice(0, 4)
    return `\u2014 ${role} ${base64(join(id, sign(seedOf(role), utf8(text))))}\n`
  })
  return `${text}\n${lines.join('')}`
}

interface Outer {
  tag: string
  seq: number
  env: string
}

export class Township implements Parties {
  readonly sid: string
  readonly manifest: Manifest
  /** What each device was signed for, and what the platform and the co-signer were asked, in order. */
  issuedA?: string
  issuedB?: string
  readonly box: string[] = []
  readonly logged: string[] = []
  readonly checkpoints: string[] = []
  /** Refuse the next such call with this code. */
  refuse: Partial<Record<'credential' | 'cosign' | 'drop', string>> = {}
  private tail: string[] = []
  private readonly files: Record<string, string> = {}

  constructor(
    private readonly device: Uint8Array,
    commitments: Uint8Array[],
    sid = '05'.repeat(16),
  ) {
    this.sid = sid
    const option = ['满意', '基本满意', '不满意']
    this.manifest = {
      v: 1,
      sid,
      title: '东河村村务满意度',
      questions: [
        { key: 'q1', text: '村务公开及时吗？', options: option },
        { key: 'q2', text: '办事公道吗？', options: option },
      ],
      roll: commitments.map((commitment) => hex(rollLeaf(unhex(sid, 16), commitment))).sort(),
      keys: { a: modulus(keys.a), b: modulus(keys.b), d: modulus(keys.d) },
      box: 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj',
      windows: { issue_from: '2026-03-02', issue_until: '2026-03-06', cast_from: '2026-03-02', cast_until: '2026-03-07' },
      k_min: 10,
      q_min: 5,
      l2_min: 20,
      min_level: 2,
      paper: 0,
      origin: `box.example/${sid.slice(0, 8)}`,
      vkeys: [],
    }
    this.flush()
  }

  private lines(): string[] {
    const leaves = this.logged.map((text) => {
      const { tag, seq, env } = JSON.parse(text) as Outer
      return canonical({ t: 'box', tag, seq, h: hex(sha256(unhex(env, 4296))) })
    })
    return [canonical({ t: 'manifest', h: hex(canonicalHash(this.manifest)) }), ...leaves, ...this.tail]
  }

  /** Puts what is in the box into the log and has it signed. */
  flush(signers: readonly Role[] = ROLES): void {
    this.logged.splice(0, this.logged.length, ...this.box)
    const lines = this.lines().map(utf8)
    this.checkpoints.push(note(this.manifest.origin, lines.length, roots(lines, [lines.length]).get(lines.length)!, signers))
  }

  /** Counts these rows and closes. */
  publish(rows: string[], close: Partial<Record<'issued_a' | 'issued_b' | 'unopenable' | 'withheld', string[]>> = {}): void {
    const record = { v: 1, sid: this.sid, issued_a: [], issued_b: [], unopenable: [], withheld: [], ...close }
    this.tail = [...rows.sort().map((h) => canonical({ t: 'ballot', h })), canonical({ t: 'close', h: hex(canonicalHash(record)) })]
    this.files['close.json'] = canonical(record)
    this.flush()
  }

  /** Ends without a count: nothing is opened. */
  end(ended: 'cancelled' | 'too_few'): void {
    const record = { v: 1, sid: this.sid, ended }
    this.tail = [canonical({ t: 'close', h: hex(canonicalHash(record)) })]
    this.files['close.json'] = canonical(record)
    this.flush()
  }

  /** Loses what was not logged yet, as a crash of the box would. */
  loseUnlogged(): void {
    this.box.splice(0, this.box.length, ...this.logged)
  }

  /** What is changed here was never signed. */
  tamper(change: (lines: string[]) => void): void {
    const lines = this.lines()
    change(lines)
    this.lines = () => lines
  }

  async file(_sid: string, name: string): Promise<string> {
    if (name === 'manifest.json') return JSON.stringify(this.manifest, null, 1)
    if (name === 'log.jsonl') return this.lines().map((line) => `${line}\n`).join('')
    if (name === 'checkpoints.json') return JSON.stringify(this.checkpoints)
    const file = this.files[name]
    if (!file) throw new Refusal('not_found')
    return file
  }

  private refusal(call: 'credential' | 'cosign' | 'drop') {
    const code = this.refuse[call]
    delete this.refuse[call]
    if (code) throw new Refusal(code)
  }

  async credential(_sid: string, { a, d, signature }: { a: string; d: string; signature: string }) {
    this.refusal('credential')
    const message = requestMessage(unhex(this.sid, 16), unhex(a, 256), unhex(d, 256))
    if (!isSignedBy(publicKey(this.device), message, unhex(signature, 64))) throw new Refusal('bad_signature')
    if (this.issuedA && this.issuedA !== a + d) throw new Refusal('already_issued')
    this.issuedA = a + d
    return { sa: signed(a, keys.a), sd: signed(d, keys.d) }
  }

  async cosign({ device, b, signature }: { device: string; b: string; signature: string }) {
    this.refusal('cosign')
    const message = requestMessage(unhex(this.sid, 16), unhex(b, 256))
    if (!isSignedBy(unhex(device, 32), message, unhex(signature, 64))) throw new Refusal('bad_signature')
    if (this.issuedB && this.issuedB !== b) throw new Refusal('already_issued')
    this.issuedB = b
    return { sb: signed(b, keys.b) }
  }

  async drop(_sid: string, text: string) {
    this.refusal('drop')
    if (this.box.includes(text)) return
    const outer = JSON.parse(text) as Outer
    const held = this.box.map((other) => JSON.parse(other) as Outer).filter(({ tag }) => tag === outer.tag)
    if (held.some(({ seq }) => seq >= outer.seq)) throw new Refusal('stale_seq')
    this.box.push(text)
  }
}
