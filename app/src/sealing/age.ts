/**
 * age v1 files of one chunk, as every age program writes and reads them, sealed to X25519 keys. Needs nothing but the language.
 */
import { ChaCha20Poly1305 } from '@stablelib/chacha20poly1305'
import { HKDF } from '@stablelib/hkdf'
import { hmac } from '@stablelib/hmac'
import { SHA256 } from '@stablelib/sha256'
import { scalarMultBase, sharedKey } from '@stablelib/x25519'

import { decode, encode } from '../ballots/bech32'
import { Malformed, base64, join, same, textOf, unbase64, utf8 } from '../ballots/bytes'
import type { Randomness } from '../ballots/randomness'

/** It is a file, but this key or passphrase does not open it. */
export class NotForThisKey extends Error {
  readonly code = 'not_for_this_key'
}

/** A chunk of an age file; more than one is never written here. */
const CHUNK = 65536
const LONGEST_HEADER = 8192
export const VERSION = 'age-encryption.org/v1'
const NO_NONCE = new Uint8Array(12)
/** Counter zero, flag one: the only chunk is the last. */
const LAST_CHUNK = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)

/** HKDF-SHA256. */
export const derive = (secret: Uint8Array, salt: Uint8Array, label: Uint8Array, length = 32): Uint8Array =>
  new HKDF(SHA256, secret, salt, label).expand(length)

/** Base 64 as age spells it. */
export const unpadded = (bytes: Uint8Array) => base64(bytes).replace(/=+$/, '')
export const fromUnpadded = (text: string, length: number): Uint8Array => {
  const bytes = unbase64(text + '='.repeat((4 - (text.length % 4)) % 4))
  if (bytes.length !== length) throw new Malformed('not the length it should have')
  return bytes
}

/** A public key, `age1…`, as bytes. */
export function recipient(text: string): Uint8Array {
  const bytes = decode(text, 'age')
  if (bytes.length !== 32) throw new Malformed('not a recipient')
  return bytes
}

/** A secret key's public half, as it is published. */
export const recipientOf = (secret: Uint8Array): string => encode(scalarMultBase(secret), 'age')

/** A secret key as it is kept: `AGE-SECRET-KEY-1…`. */
export const secretText = (secret: Uint8Array): string => encode(secret, 'age-secret-key-').toUpperCase()

/** The secret key in a text, e.g. of a key file with its comments. */
export function secretIn(text: string): Uint8Array {
  const word = /AGE-SECRET-KEY-1[A-Z0-9]+/.exec(text)
  const bytes = word ? decode(word[0].toLowerCase(), 'age-secret-key-') : new Uint8Array(0)
  if (bytes.length !== 32) throw new Malformed('not a secret key')
  return bytes
}

/** A recipient's part of the header. */
export interface Stanza {
  kind: string
  args: string[]
  body: string
}

/** The file key under another one, as the body of a stanza. */
export const wrap = (key: Uint8Array, fileKey: Uint8Array) => unpadded(new ChaCha20Poly1305(key).seal(NO_NONCE, fileKey))
export const unwrap = (key: Uint8Array, body: string) => new ChaCha20Poly1305(key).open(NO_NONCE, fromUnpadded(body, 32))

function x25519Key(shared: Uint8Array, share: Uint8Array, to: Uint8Array): Uint8Array {
  return derive(shared, join(share, to), utf8(`${VERSION}/X25519`))
}

/** Writes a file under a fresh key, which each stanza wraps. */
export function writeFile(
  stanzas: (fileKey: Uint8Array) => string[],
  plaintext: Uint8Array,
  randomness: Randomness,
): Uint8Array {
  if (plaintext.length > CHUNK) throw new Malformed('more than one chunk')
  const fileKey = randomness(16)
  const header = `${VERSION}\n${stanzas(fileKey).join('')}---`
  const nonce = randomness(16)
  const mac = hmac(SHA256, derive(fileKey, new Uint8Array(0), utf8('header')), utf8(header))
  const payload = new ChaCha20Poly1305(derive(fileKey, nonce, utf8('payload'))).seal(LAST_CHUNK, plaintext)
  return join(utf8(`${header} ${unpadded(mac)}\n`), nonce, payload)
}

/** Seals to all of them: each opens it alone. */
export function seal(to: Uint8Array[], plaintext: Uint8Array, randomness: Randomness): Uint8Array {
  const stanza = (fileKey: Uint8Array) => (one: Uint8Array) => {
    const ephemeral = randomness(32)
    const share = scalarMultBase(ephemeral)
    let shared: Uint8Array
    try {
      // Refuses the recipients to whom everybody could open.
      shared = sharedKey(ephemeral, one, true)
    } catch {
      throw new Malformed('a recipient to whom everybody could open')
    }
    return `-> X25519 ${unpadded(share)}\n${wrap(x25519Key(shared, share, one), fileKey)}\n`
  }
  return writeFile((fileKey) => to.map(stanza(fileKey)), plaintext, randomness)
}

/** Stanzas, the header's text up to its authenticator, that one, and where the payload begins. */
export function readHeader(file: Uint8Array) {
  const bad = () => new Malformed('not an age file')
  let end = -1
  for (let at = 0; at + 4 < Math.min(file.length, LONGEST_HEADER); at++) {
    if (file[at] === 10 && file[at + 1] === 45 && file[at + 2] === 45 && file[at + 3] === 45 && file[at + 4] === 32) {
      end = at + 4
      break
    }
  }
  const lineEnd = end < 0 ? -1 : file.indexOf(10, end)
  if (lineEnd < 0) throw bad()
  const text = textOf(file.slice(0, end))
  const [version, ...lines] = text.split('\n').slice(0, -1)
  if (version !== VERSION || lines.length % 2 !== 0) throw bad()
  const stanzas: Stanza[] = []
  for (let at = 0; at < lines.length; at += 2) {
    const [arrow, kind, ...args] = lines[at]!.split(' ')
    if (arrow !== '->' || !kind) throw bad()
    stanzas.push({ kind, args, body: lines[at + 1]! })
  }
  const mac = fromUnpadded(textOf(file.slice(end + 1, lineEnd)), 32)
  return { stanzas, text, mac, payload: lineEnd + 1 }
}

/** Reads a file with the first stanza that gives its key away. */
export function readFile(file: Uint8Array, open: (stanza: Stanza) => Uint8Array | null): Uint8Array {
  const { stanzas, text, mac, payload } = readHeader(file)
  let fileKey: Uint8Array | null = null
  for (const stanza of stanzas) fileKey ??= open(stanza)
  if (!fileKey) throw new NotForThisKey('not for this key')
  if (!same(hmac(SHA256, derive(fileKey, new Uint8Array(0), utf8('header')), utf8(text)), mac)) {
    throw new Malformed('the header was changed')
  }
  const nonce = file.slice(payload, payload + 16)
  const body = file.slice(payload + 16)
  if (nonce.length !== 16 || body.length > CHUNK + 16) throw new Malformed('more than one chunk')
  const plaintext = new ChaCha20Poly1305(derive(fileKey, nonce, utf8('payload'))).open(LAST_CHUNK, body)
  if (!plaintext) throw new Malformed('the content was changed')
  return plaintext
}

/** Opens with a secret key. */
export function open(secret: Uint8Array, file: Uint8Array): Uint8Array {
  const own = scalarMultBase(secret)
  return readFile(file, ({ kind, args, body }) => {
    if (kind !== 'X25519' || args.length !== 1) return null
    const share = fromUnpadded(args[0]!, 32)
    let shared: Uint8Array
    try {
      shared = sharedKey(secret, share, true)
    } catch {
      return null
    }
    return unwrap(x25519Key(shared, share, own), body)
  })
}
