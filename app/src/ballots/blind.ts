/**
 * RSA blind signatures, RFC 9474, variant RSABSSA-SHA384-PSS-Randomized: the client's half. The authority signs without
 * seeing what; the result is an ordinary RSASSA-PSS signature. Every blinded message fits every signature, so no later
 * computer takes the blinding off.
 */
import { Malformed, join, same } from './bytes'
import { bytesOf, inverse, numberOf, power } from './numbers'
import { encode, isEncoding } from './pss'
import type { Randomness } from './randomness'

/** Salt of the variant, in bytes. */
export const SALT_LENGTH = 48
/** The random prefix in front of every message, one per authority. */
export const PREFIX_LENGTH = 32

const EXPONENT = BigInt(65537)

/** The signature is not the authority's: a wrong or substituted key shows here. */
export class InvalidSignature extends Error {
  readonly code = 'invalid_signature'
}

/** An authority's public key: the modulus, big end first. The exponent is 65537. */
export class PublicKey {
  readonly number: bigint

  constructor(readonly modulus: Uint8Array) {
    const proper = modulus.length >= 256 && modulus.length <= 512 && modulus[0]! > 0x7f && modulus[modulus.length - 1]! % 2 === 1
    if (!proper) throw new Malformed('not an RSA modulus')
    this.number = numberOf(modulus)
  }

  get length(): number {
    return this.modulus.length
  }

  /** A number below the modulus. */
  read(bytes: Uint8Array): bigint {
    const number = numberOf(bytes)
    if (bytes.length !== this.length || number >= this.number) throw new Malformed('not a number below the modulus')
    return number
  }

  /** RSASSA-PSS-VERIFY with SHA-384. */
  verifies(message: Uint8Array, signature: Uint8Array, saltLength = SALT_LENGTH): boolean {
    if (signature.length !== this.length || numberOf(signature) >= this.number) return false
    const encoded = bytesOf(power(numberOf(signature), EXPONENT, this.number), this.length)
    return isEncoding(encoded, message, saltLength)
  }
}

/** The message with its random prefix in front, so that one that is easy to guess is not. */
export const prepare = (prefix: Uint8Array, message: Uint8Array): Uint8Array => join(prefix, message)

/** What goes to the authority, and the factor that stays here and is forgotten after {@link finalize}. */
export interface Blinded {
  message: Uint8Array
  inverse: Uint8Array
}

/** Encodes the prepared message and hides it under a random factor. */
export function blind(key: PublicKey, prepared: Uint8Array, randomness: Randomness): Blinded {
  const salt = randomness(SALT_LENGTH)
  for (;;) {
    // A number at or above the modulus or, once in the life of the universe, one of its factors: draw again.
    const blinded = blindWith(key, prepared, salt, randomness(key.length))
    if (blinded) return blinded
  }
}

/** The same with everything random given: what the test vectors ask for. */
export function blindWith(key: PublicKey, prepared: Uint8Array, salt: Uint8Array, factor: Uint8Array): Blinded | undefined {
  const hidden = numberOf(factor)
  const inverted = hidden < key.number ? inverse(hidden, key.number) : undefined
  if (inverted === undefined) return undefined
  const message = (numberOf(encode(prepared, salt, key.length)) * power(hidden, EXPONENT, key.number)) % key.number
  return { message: bytesOf(message, key.length), inverse: bytesOf(inverted, key.length) }
}

/** Takes the blinding off, and accepts the signature only when it verifies under exactly this key. */
export function finalize(
  key: PublicKey,
  prepared: Uint8Array,
  signed: Uint8Array,
  inverted: Uint8Array,
  saltLength = SALT_LENGTH,
): Uint8Array {
  const answered = numberOf(signed)
  // Another key's signature may be larger than this modulus: that is no other fault than a wrong signature.
  const proper = signed.length === key.length && answered < key.number
  const signature = bytesOf((answered * key.read(inverted)) % key.number, key.length)
  if (!proper || !key.verifies(prepared, signature, saltLength)) throw new InvalidSignature('not the signature of this authority')
  return signature
}

/** Whether two keys are one: what is signed for one purpose would then hold for another. */
export const sameKey = (one: PublicKey, other: PublicKey): boolean => same(one.modulus, other.modulus)
