/** No secure randomness was to be had: nothing secret may be made. */
export class NoRandomness extends Error {
  readonly code = 'no_randomness'
}

/** Source of cryptographically secure random bytes; throws {@link NoRandomness} rather than give fewer or weaker ones. */
export type Randomness = (length: number) => Uint8Array

/**
 * A store of random bytes that was filled beforehand: a mini-program gets them only by waiting. Every byte is given out
 * once; an empty store refuses.
 */
export function pool(filled: Uint8Array): Randomness {
  let at = 0
  return (length) => {
    if (at + length > filled.length) throw new NoRandomness('the store of random bytes is empty')
    const bytes = filled.slice(at, at + length)
    filled.fill(0, at, at + length)
    at += length
    return bytes
  }
}
