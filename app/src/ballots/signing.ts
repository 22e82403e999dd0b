import { generateKeyPairFromSeed, sign as signWith, verify } from '@stablelib/ed25519'

/** The public key of a seed of 32 bytes (Ed25519). */
export const publicKey = (seed: Uint8Array): Uint8Array => generateKeyPairFromSeed(seed).publicKey

export const sign = (seed: Uint8Array, message: Uint8Array): Uint8Array =>
  signWith(generateKeyPairFromSeed(seed).secretKey, message)

export const isSignedBy = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  key.length === 32 && signature.length === 64 && verify(key, message, signature)
