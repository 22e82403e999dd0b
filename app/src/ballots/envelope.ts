/** The sealed envelope: an age v1 file with one X25519 recipient, always 4296 bytes around a plaintext of always 4096. */
import { ChaCha20Poly1305 } from '@stablelib/chacha20poly1305'
import { HKDF } from '@stablelib/hkdf'
import { hmac } from '@stablelib/hmac'
import { SHA256 } from '@stablelib/sha256'
import { scalarMultBase, sharedKey } from '@stablelib/x25519'

import { decode } from './bech32'
import { Malformed, base64, join, u32, utf8 } from './bytes'
import type { Randomness } from './randomness'

export const PLAINTEXT_LENGTH = 4096
export const ENVELOPE_LENGTH = 4296

/** HKDF-SHA256. */
export const derive = (secret: Uint8Array, salt: Uint8Array, label: Uint8Array, length = 32): Uint8Array =>
  new HKDF(SHA256, secret, salt, label).expand(length)

/** `u32 length || content || zero bytes`. */
export function pad(content: Uint8Array): Uint8Array {
  if (content.length > PLAINTEXT_LENGTH - 4) throw new Malformed('more than fits into an envelope')
  const padded = new Uint8Array(PLAINTEXT_LENGTH)
  padded.set(u32(content.length))
  padded.set(content, 4)
  return padded
}

/** The box key's public half, `age1…`, as bytes. */
export function recipient(text: string): Uint8Array {
  const bytes = decode(text, 'age')
  if (bytes.length !== 32) throw new Malformed('not a recipient')
  return bytes
}

const unpadded = (bytes: Uint8Array) => base64(bytes).replace(/=+$/, '')

/** Seals a content to the recipient. Whoever has the box key can open it, and nobody sees from the size what it holds. */
export function seal(to: Uint8Array, content: Uint8Array, randomness: Randomness): Uint8Array {
  const fileKey = randomness(16)
  const ephemeral = randomness(32)
  const nonce = randomness(16)

  const share = scalarMultBase(ephemeral)
  let shared: Uint8Array
  try {
    // Refuses the recipients to whom everybody could open.
    shared = sharedKey(ephemeral, to, true)
  } catch {
    throw new Malformed('a recipient to whom everybody could open')
  }
  const wrappingKey = derive(shared, join(share, to), utf8('age-encryption.org/v1/X25519'))
  const wrapped = new ChaCha20Poly1305(wrappingKey).seal(new Uint8Array(12), fileKey)

  const header = `age-encryption.org/v1\n-> X25519 ${unpadded(share)}\n${unpadded(wrapped)}\n---`
  const mac = hmac(SHA256, derive(fileKey, new Uint8Array(0), utf8('header')), utf8(header))
  // One chunk, the last: counter zero, flag one.
  const last = new Uint8Array(12)
  last[11] = 1
  const payload = new ChaCha20Poly1305(derive(fileKey, nonce, utf8('payload'))).seal(last, pad(content))
  const envelope = join(utf8(`${header} ${unpadded(mac)}\n`), nonce, payload)
  if (envelope.length !== ENVELOPE_LENGTH) throw new Malformed('an envelope of another size would say something')
  return envelope
}
