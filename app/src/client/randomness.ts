/** Where randomness comes from. */
import Taro from '@tarojs/taro'

import { NoRandomness, type Randomness, pool } from '../ballots/randomness'

/** Random bytes fetched ahead for one act in a mini-program: blinding thrice and sealing take a fifth of it. */
const STORE = 16384

/** Secure randomness, or {@link NoRandomness}: nothing weaker is ever taken in its place. */
export async function randomness(): Promise<Randomness> {
  if (process.env.TARO_ENV !== 'h5') {
    const { randomValues } = await Taro.getRandomValues({ length: STORE }).catch(() => {
      throw new NoRandomness('no random values')
    })
    if (!(randomValues instanceof ArrayBuffer) || randomValues.byteLength !== STORE) throw new NoRandomness('too few')
    return pool(new Uint8Array(randomValues))
  }
  const source = globalThis.crypto
  if (typeof source?.getRandomValues !== 'function') throw new NoRandomness('no random values')
  return (length) => source.getRandomValues(new Uint8Array(length))
}
