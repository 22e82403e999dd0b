/** age files that are locked with a passphrase, as `age -p` writes and opens them. */
import { scrypt } from '@noble/hashes/scrypt'

import { join, utf8 } from '../ballots/bytes'
import type { Randomness } from '../ballots/randomness'
import { VERSION, fromUnpadded, readFile, readHeader, unpadded, unwrap, wrap, writeFile } from './age'

/** Costs half a second and 64 MiB: for a passphrase that people type. */
const WORK = 16
/** A file from elsewhere may ask for more, but not for all the memory there is. */
const MOST_WORK = 18

const keyOf = (passphrase: string, salt: Uint8Array, work: number): Uint8Array =>
  scrypt(utf8(passphrase), join(utf8(`${VERSION}/scrypt`), salt), { N: Math.pow(2, work), r: 8, p: 1, dkLen: 32 })

export function lock(passphrase: string, plaintext: Uint8Array, randomness: Randomness): Uint8Array {
  const stanza = (fileKey: Uint8Array) => {
    const salt = randomness(16)
    return `-> scrypt ${unpadded(salt)} ${WORK}\n${wrap(keyOf(passphrase, salt, WORK), fileKey)}\n`
  }
  return writeFile((fileKey) => [stanza(fileKey)], plaintext, randomness)
}

/** Whether it needs a passphrase. */
export function isLocked(file: Uint8Array): boolean {
  try {
    return readHeader(file).stanzas.some(({ kind }) => kind === 'scrypt')
  } catch {
    return false
  }
}

/** Opens what was locked; throws `NotForThisKey` when the passphrase is another one. */
export function unlock(passphrase: string, file: Uint8Array): Uint8Array {
  return readFile(file, ({ kind, args, body }) => {
    const work = /^[1-9][0-9]?$/.test(args[1] ?? '') ? Number(args[1]) : MOST_WORK + 1
    if (kind !== 'scrypt' || work > MOST_WORK) return null
    return unwrap(keyOf(passphrase, fromUnpadded(args[0]!, 16), work), body)
  })
}
