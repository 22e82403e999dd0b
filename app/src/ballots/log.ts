/** The public log of a ballot box: an RFC 6962 tree of canonical lines. */
import { Malformed, hex, unhex, utf8 } from './bytes'
import { parseCanonical, sha256 } from './canonical'

/** One line of the log; hashes in hexadecimal. */
export type Leaf =
  | { t: 'manifest'; h: string }
  | { t: 'box'; h: string; tag: string; seq: number }
  | { t: 'ballot'; h: string }
  | { t: 'close'; h: string }

/** A log as it was read: its lines and what they say. */
export interface Log {
  lines: Uint8Array[]
  leaves: Leaf[]
}

function leafOf(line: string): Leaf {
  const leaf = parseCanonical(line) as unknown as Leaf
  const fields = Object.keys(leaf ?? {}).join()
  unhex(leaf?.h, 32)
  if (leaf.t === 'box' && fields === 'h,seq,t,tag') {
    unhex(leaf.tag, 32)
    if (Number.isInteger(leaf.seq) && leaf.seq >= 0) return leaf
  } else if ((leaf.t === 'manifest' || leaf.t === 'ballot' || leaf.t === 'close') && fields === 'h,t') {
    return leaf
  }
  throw new Malformed('not a leaf')
}

/** Reads `log.jsonl`: every line ends with a line end, so that a file that was cut off is noticed. */
export function parseLog(text: string): Log {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new Malformed('the log is cut off')
  return { lines: lines.map(utf8), leaves: lines.map(leafOf) }
}

const node = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right)

/** Roots of the first so many lines, for each of the sizes. */
export function roots(lines: Uint8Array[], sizes: number[]): Map<number, string> {
  const found = new Map<number, string>()
  // Whole subtrees from the left, each twice as large as the next at least: a new line merges those of equal size.
  const subtrees: { size: number; hash: Uint8Array }[] = []
  const wanted = new Set(sizes)
  const note = (size: number) => {
    if (!wanted.has(size)) return
    const hashes = subtrees.map((subtree) => subtree.hash)
    const root = hashes.length > 0 ? hashes.reduceRight((right, left) => node(left, right)) : sha256()
    found.set(size, hex(root))
  }
  note(0)
  lines.forEach((line, index) => {
    subtrees.push({ size: 1, hash: sha256(Uint8Array.of(0), line) })
    for (;;) {
      const [left, right] = subtrees.slice(-2)
      if (!left || !right || left.size !== right.size) break
      subtrees.splice(-2, 2, { size: left.size * 2, hash: node(left.hash, right.hash) })
    }
    note(index + 1)
  })
  return found
}
