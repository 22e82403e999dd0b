/** Checkpoints of the log: signed notes (C2SP signed-note around a tlog-checkpoint), trusted only with a quorum. */
import { Malformed, base64, hex, same, unbase64, utf8 } from './bytes'
import { sha256 } from './canonical'
import { readableCode } from './messages'
import { isSignedBy } from './signing'

/** State of the log at one size; the root in hexadecimal. */
export interface Checkpoint {
  size: number
  root: string
}

type Role = 'platform' | 'cosigner' | 'witness'

interface Key {
  role: Role
  name: string
  id: Uint8Array
  key: Uint8Array
}

const ED25519 = 1

function keyOf(line: string): Key {
  const [, role, name, id, encoded] = /^(platform|cosigner|witness) ([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(line) ?? []
  if (!role || !name || !id || !encoded) throw new Malformed('not a key to pin')
  const bytes = unbase64(encoded)
  const expected = sha256(utf8(`${name}\n`), bytes).slice(0, 4)
  if (bytes.length !== 33 || bytes[0] !== ED25519 || hex(expected) !== id) throw new Malformed('not a key to pin')
  return { role: role as Role, name, id: expected, key: bytes.slice(1) }
}

/** 票箱指纹: twelve characters of the root and the size, as it is posted in the village group. */
export function fingerprint(checkpoint: Checkpoint): string {
  const root = Uint8Array.from(checkpoint.root.match(/../g) ?? [], (byte) => parseInt(byte, 16))
  return `${readableCode(root, 12).replace(/(.{4})(?=.)/g, '$1-')}/${checkpoint.size}`
}

/** The keys that this phone trusts. They never come from what they are to check. */
export class Pinned {
  private readonly keys: Key[]

  /** Lines of `platform KEY`, `cosigner KEY`, `witness KEY`. */
  constructor(readonly lines: string[]) {
    this.keys = lines.map(keyOf)
    const count = (role: Role) => this.keys.filter((key) => key.role === role).length
    const different = (values: string[]) => new Set(values).size === values.length
    if (count('platform') !== 1 || count('cosigner') !== 1 || count('witness') < 1) throw new Malformed('a role is missing')
    if (!different(this.keys.map((key) => key.name)) || !different(this.keys.map((key) => base64(key.key)))) {
      throw new Malformed('somebody stands in two roles')
    }
  }

  /**
   * Reads a checkpoint of the log with this origin that platform, co-signer and a witness have signed; nothing when it
   * is not to be relied on. Unknown signers are ignored, a known signer's bad signature spoils the note.
   */
  read(note: string, origin: string): Checkpoint | undefined {
    const end = note.lastIndexOf('\n\n')
    if (end < 0 || !note.endsWith('\n')) return undefined
    const text = note.slice(0, end + 1)
    const [, named, size, root] = /^([^\n]+)\n(0|[1-9][0-9]{0,14})\n([^\n]+)\n$/.exec(text) ?? []
    if (named !== origin || size === undefined || root === undefined) return undefined
    const signed = new Set<Role>()
    try {
      for (const line of note.slice(end + 2, -1).split('\n')) {
        const [, name, encoded] = /^\u2014 ([^\s+]+) (\S+)$/.exec(line) ?? []
        if (!name || !encoded) return undefined
        const signature = unbase64(encoded)
        const known = this.keys.find((key) => key.name === name && same(key.id, signature.slice(0, 4)))
        if (!known) continue
        if (!isSignedBy(known.key, utf8(text), signature.slice(4))) return undefined
        signed.add(known.role)
      }
      const hash = unbase64(root)
      return signed.size === 3 && hash.length === 32 ? { size: Number(size), root: hex(hash) } : undefined
    } catch {
      return undefined
    }
  }
}
