/** What a phone believes of a ballot box: only what stands in its public log under a checkpoint that a quorum signed. */
import type { Checkpoint, Pinned } from './checkpoint'
import { parseJson } from './canonical'
import { type Leaf, parseLog, roots } from './log'
import { Refusal } from './refusal'

/** The part of a log that is vouched for. */
export interface BoxLog {
  leaves: Leaf[]
  checkpoint: Seen
  /** The box is closed and counted, and the log complete. */
  complete: boolean
}

/** A checkpoint with the note that proves it, kept: a log that does not continue it has been changed. */
export interface Seen extends Checkpoint {
  note: string
}

function notesOf(json: string): string[] {
  const notes = parseJson(json)
  return Array.isArray(notes) ? notes.filter((note): note is string => typeof note === 'string') : []
}

/**
 * Reads the log of the box with this manifest. Refuses one that nobody vouches for (`no_quorum`), and one that was changed
 * after somebody vouched for it, or after this phone saw it last (`log_forked`).
 */
export function readBoxLog(
  files: { log: string; checkpoints: string },
  box: { origin: string; manifest: string },
  pinned: Pinned,
  seen?: Seen,
): BoxLog {
  const { lines, leaves } = parseLog(files.log)
  const signed = notesOf(files.checkpoints).flatMap((note): Seen[] => {
    const checkpoint = pinned.read(note, box.origin)
    return checkpoint ? [{ ...checkpoint, note }] : []
  })
  const known = seen ? [...signed, seen] : signed
  const found = roots(lines, known.map(({ size }) => size))
  if (known.some(({ size, root }) => found.get(size) !== root)) throw new Refusal('log_forked')
  const checkpoint = known.reduce<Seen | undefined>((best, next) => (best && best.size >= next.size ? best : next), undefined)
  if (!checkpoint || checkpoint.size < 1) throw new Refusal('no_quorum')
  const covered = leaves.slice(0, checkpoint.size)
  const [first] = covered
  if (first?.t !== 'manifest' || first.h !== box.manifest) throw new Refusal('manifest_changed')
  return { leaves: covered, checkpoint, complete: covered[covered.length - 1]!.t === 'close' }
}
