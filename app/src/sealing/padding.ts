/** Contents of different lengths become one: `u32 length || content || zero bytes`. */
import { Malformed, u32 } from '../ballots/bytes'

export function pad(content: Uint8Array, length: number): Uint8Array {
  if (content.length > length - 4) throw new Malformed('more than fits into an envelope')
  const padded = new Uint8Array(length)
  padded.set(u32(content.length))
  padded.set(content, 4)
  return padded
}

/** Takes the padding off; nothing but zero bytes may follow the content. */
export function unpad(padded: Uint8Array, length: number): Uint8Array {
  const bad = new Malformed('not padded as agreed')
  if (padded.length !== length) throw bad
  const said = ((padded[0]! << 24) | (padded[1]! << 16) | (padded[2]! << 8) | padded[3]!) >>> 0
  if (said > length - 4) throw bad
  if (padded.slice(4 + said).some((byte) => byte !== 0)) throw bad
  return padded.slice(4, 4 + said)
}
