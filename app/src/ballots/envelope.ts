/** The sealed envelope: an age v1 file with one X25519 recipient, always 4296 bytes around a plaintext of always 4096. */
import { seal as sealFile } from '../sealing/age'
import { pad as padTo } from '../sealing/padding'
import { Malformed } from './bytes'
import type { Randomness } from './randomness'

export { derive, recipient } from '../sealing/age'

export const PLAINTEXT_LENGTH = 4096
export const ENVELOPE_LENGTH = 4296

/** `u32 length || content || zero bytes`. */
export const pad = (content: Uint8Array): Uint8Array => padTo(content, PLAINTEXT_LENGTH)

/** Seals a content to the recipient. Whoever has the box key can open it, and nobody sees from the size what it holds. */
export function seal(to: Uint8Array, content: Uint8Array, randomness: Randomness): Uint8Array {
  const envelope = sealFile([to], pad(content), randomness)
  if (envelope.length !== ENVELOPE_LENGTH) throw new Malformed('an envelope of another size would say something')
  return envelope
}
