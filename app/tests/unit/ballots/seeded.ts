import { sha256 } from '../../../src/ballots/canonical'
import type { Randomness } from '../../../src/ballots/randomness'
import { join, u32 } from '../../../src/ballots/bytes'

/** Repeatable bytes for tests. */
export function seeded(seed: number): Randomness {
  let counter = 0
  return (length) => {
    const blocks: Uint8Array[] = []
    for (let filled = 0; filled < length; filled += 32) blocks.push(sha256(u32(seed), u32(counter++)))
    return join(...blocks).slice(0, length)
  }
}
