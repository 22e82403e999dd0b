/** EMSA-PSS with SHA-384 and MGF1 (RFC 8017 §9.1), for moduli whose top bit is set. */
import { SHA384 } from '@stablelib/sha384'

import { join, same, u32 } from './bytes'

const HASH_LENGTH = 48

export function sha384(...parts: Uint8Array[]): Uint8Array {
  const hash = new SHA384()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function mask(seed: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let counter = 0; counter * HASH_LENGTH < length; counter++) blocks.push(sha384(seed, u32(counter)))
  return join(...blocks).slice(0, length)
}

const digestOf = (message: Uint8Array, salt: Uint8Array) => sha384(new Uint8Array(8), sha384(message), salt)
const xor = (one: Uint8Array, other: Uint8Array) => one.map((byte, index) => byte ^ other[index]!)

/** Encodes a message for a modulus of so many bytes. */
export function encode(message: Uint8Array, salt: Uint8Array, length: number): Uint8Array {
  const digest = digestOf(message, salt)
  const plain = new Uint8Array(length - HASH_LENGTH - 1)
  plain[plain.length - salt.length - 1] = 1
  plain.set(salt, plain.length - salt.length)
  const masked = xor(plain, mask(digest, plain.length))
  masked[0]! &= 0x7f
  return join(masked, digest, Uint8Array.of(0xbc))
}

/** Whether this is an encoding of the message with a salt of so many bytes. */
export function isEncoding(encoded: Uint8Array, message: Uint8Array, saltLength: number): boolean {
  const length = encoded.length - HASH_LENGTH - 1
  if (encoded[encoded.length - 1] !== 0xbc || encoded[0]! > 0x7f) return false
  const digest = encoded.slice(length, length + HASH_LENGTH)
  const plain = xor(encoded.slice(0, length), mask(digest, length))
  plain[0]! &= 0x7f
  const before = length - saltLength - 1
  if (!plain.slice(0, before).every((byte) => byte === 0) || plain[before] !== 1) return false
  return same(digestOf(message, plain.slice(before + 1)), digest)
}
