/** Takes part in the ballot boxes of a survey, one step after the other, from wherever it was left. */
import { readBoxLog, type BoxLog } from './box-log'
import { hex, unhex } from './bytes'
import { canonicalHash, parseJson } from './canonical'
import type { Pinned } from './checkpoint'
import { type Answers, type Bound, readManifest } from './manifest'
import { readableCode, rollLeaf } from './messages'
import type { Enrolment, Keep, Kept, MissingReason, Parties, Progress } from './progress'
import type { Randomness } from './randomness'
import { Refusal } from './refusal'
import { publicKey } from './signing'
import { MOST_REVISIONS, cast, finish, makeRequest, signRequest } from './voter'

/** A box with its manifest and the part of its log that is vouched for. */
export interface Opened {
  bound: Bound
  log: BoxLog
}

/** What the close record says about this resident's place in the roll. */
export type RollCheck = 'as_it_should' | 'issued_without_asking' | 'asked_but_not_listed' | 'authorities_differ'

export interface Outcome {
  kept?: Kept
  roll?: RollCheck
}

/** Eight characters of an envelope's hash: a receipt that says nothing about the answer. */
export const receipt = (envelope: string): string =>
  readableCode(unhex(envelope, 32), 8).replace(/(.{4})(?=.)/, '$1-')

/** Whether a new answer can be thrown in. */
export const mayAnswer = (progress: Progress): boolean =>
  progress.state === 'have_ab' || ('casts' in progress && progress.casts.length < MOST_REVISIONS)

export class Participation {
  constructor(
    private readonly parties: Parties,
    private readonly keep: Keep,
    private readonly pinned: Pinned,
    private readonly enrolment: Enrolment,
    /** Drawn anew for every act that makes secrets. */
    private readonly randomness: () => Promise<Randomness>,
  ) {}

  /** Where this phone stands in the box; nothing when it has not begun. */
  kept(sid: string): Kept | undefined {
    return this.keep.read(sid)
  }

  /** Reads manifest and log, and checks both. */
  async open(sid: string): Promise<Opened> {
    const bound = readManifest(await this.parties.file(sid, 'manifest.json'), sid)
    const kept = this.keep.read(sid)
    if (kept && kept.manifest !== bound.hash) throw new Refusal('manifest_changed')
    // Checkpoints first: the log can only have grown since.
    const checkpoints = await this.parties.file(sid, 'checkpoints.json')
    const log = readBoxLog(
      { log: await this.parties.file(sid, 'log.jsonl'), checkpoints },
      { origin: bound.manifest.origin, manifest: bound.hash },
      this.pinned,
      kept?.seen,
    )
    if (kept) this.keep.write(sid, { ...kept, seen: log.checkpoint })
    return { bound, log }
  }

  private move(sid: string, progress: Progress): Progress {
    const kept = this.keep.read(sid)
    if (!kept) throw new Refusal('not_begun')
    this.keep.write(sid, { ...kept, progress })
    return progress
  }

  private leafOf(sid: string): string {
    return hex(rollLeaf(unhex(sid, 16), unhex(this.enrolment.commitment, 32)))
  }

  /** Gets both authorities' signatures under fresh keys: NEW → HAVE_AB, from wherever it was left. */
  async obtain(sid: string, { bound, log }: Opened): Promise<Progress> {
    let progress = this.keep.read(sid)?.progress
    if (!progress) {
      if (!bound.manifest.roll.includes(this.leafOf(sid))) throw new Refusal('not_on_roll')
      const randomness = await this.randomness()
      // Another window of the same phone may have begun meanwhile: two requests would lose the credential.
      progress = this.keep.read(sid)?.progress ?? { state: 'keys', request: makeRequest(bound, randomness) }
      if (progress.state === 'keys') this.keep.write(sid, { progress, manifest: bound.hash, seen: log.checkpoint })
    }
    const device = unhex(this.enrolment.device, 32)
    if (progress.state === 'keys' || progress.state === 'sent_a') {
      const { a, b, d, ...seeds } = progress.request
      this.move(sid, { ...progress, state: 'sent_a' })
      const signature = signRequest(device, bound.sid, a.blinded, d.blinded)
      const { sa, sd } = await this.parties.credential(sid, { a: a.blinded, d: d.blinded, signature })
      const signed = { a: finish(bound, 'a', seeds, a, sa), d: finish(bound, 'd', seeds, d, sd) }
      progress = this.move(sid, { state: 'have_a', seeds, ...signed, b })
    }
    if (progress.state === 'have_a') {
      const { seeds, a, d, b } = progress
      const signature = signRequest(device, bound.sid, b.blinded)
      const { sb } = await this.parties.cosign({ sid, device: hex(publicKey(device)), b: b.blinded, signature })
      const credential = { ...seeds, a, d, b: finish(bound, 'b', seeds, b, sb) }
      progress = this.move(sid, { state: 'have_ab', credential })
    }
    return progress
  }

  /** Seals an answer as the next revision and throws it in: → SEALED → POSTED. */
  async answer(sid: string, { bound }: Opened, answers: Answers): Promise<Progress> {
    const progress = this.keep.read(sid)?.progress
    if (!progress || !('credential' in progress) || !progress.credential) throw new Refusal('not_begun')
    if (!mayAnswer(progress)) throw new Refusal('too_many_revisions')
    const before = 'casts' in progress ? progress.casts : []
    const { outer, envelope, row } = cast(bound, progress.credential, answers, before.length, await this.randomness())
    const casts = [...before, { envelope, row }]
    this.move(sid, { state: 'sealed', credential: progress.credential, casts, outer })
    return this.post(sid)
  }

  /** Throws the sealed envelope in, the very same bytes each time. */
  async post(sid: string): Promise<Progress> {
    const progress = this.keep.read(sid)?.progress
    if (!progress || !('outer' in progress)) throw new Refusal('not_begun')
    await this.parties.drop(sid, progress.outer)
    return progress.state === 'sealed' ? this.move(sid, { ...progress, state: 'posted' }) : progress
  }

  /** Goes on without new input: repeats what may have been lost and looks whether the envelope is in the log. */
  async resume(sid: string, opened: Opened, closed: boolean): Promise<Outcome> {
    const { log } = opened
    if (log.complete) return this.check(sid, opened)
    const progress = this.keep.read(sid)?.progress
    if (!closed && (progress?.state === 'keys' || progress?.state === 'sent_a' || progress?.state === 'have_a')) {
      await this.obtain(sid, opened)
    } else if (progress && 'casts' in progress) {
      const { credential, casts, outer } = progress
      const { envelope, row } = casts[casts.length - 1]!
      const tag = hex(publicKey(unhex(credential.tag, 32)))
      const inBox = log.leaves.some((leaf) => leaf.t === 'box' && leaf.h === envelope && leaf.tag === tag && leaf.seq === casts.length - 1)
      if (inBox && closed) this.move(sid, { state: 'in_box', row })
      else if (inBox) this.move(sid, { state: 'in_box', credential, casts, outer })
      // Not there yet: the platform may have lost it, so it is thrown in again; the box knows the bytes.
      else if (!closed) await this.post(sid)
    }
    return { kept: this.keep.read(sid) }
  }

  /** The own check of a published box: my row is there, and my place in the roll is marked only if I asked. */
  private async check(sid: string, { log }: Opened): Promise<Outcome> {
    const close = parseJson(await this.parties.file(sid, 'close.json')) as unknown as Close | NoCount
    const leaf = log.leaves[log.leaves.length - 1]!
    if (leaf.t !== 'close' || hex(canonicalHash(close)) !== leaf.h) throw new Refusal('log_forked')
    if ('ended' in close) {
      if (this.keep.read(sid)) this.move(sid, { state: 'ended', why: close.ended })
      return { kept: this.keep.read(sid) }
    }
    const kept = this.keep.read(sid)
    const roll = this.rollCheck(close, sid, kept?.progress)
    const progress = kept && this.settle(kept.progress, log, close)
    if (progress) this.move(sid, progress)
    return { kept: this.keep.read(sid), roll }
  }

  private rollCheck(close: Close, sid: string, progress: Progress | undefined): RollCheck {
    const leaf = this.leafOf(sid)
    const [a, b] = [close.issued_a.includes(leaf), close.issued_b.includes(leaf)]
    const asked = progress !== undefined && progress.state !== 'keys'
    if (!asked) return a || b ? 'issued_without_asking' : 'as_it_should'
    if (a !== b) return progress.state === 'sent_a' || progress.state === 'have_a' ? 'as_it_should' : 'authorities_differ'
    return a || progress.state === 'sent_a' || progress.state === 'have_a' ? 'as_it_should' : 'asked_but_not_listed'
  }

  /** What becomes of the progress when the box is published; nothing when it stays. Secrets go. */
  private settle(progress: Progress, log: BoxLog, close: Close): Progress | undefined {
    if (['counted', 'missing', 'ended'].includes(progress.state)) return undefined
    const rows = new Set(log.leaves.flatMap((leaf) => (leaf.t === 'ballot' ? [leaf.h] : [])))
    if (progress.state === 'in_box' && !progress.credential) {
      return rows.has(progress.row) ? { state: 'counted', answer: 'last' } : { state: 'missing', reason: 'row_absent' }
    }
    if (!('casts' in progress)) return undefined
    const { credential, casts, outer } = progress
    const tag = hex(publicKey(unhex(credential.tag, 32)))
    const { a, b } = credential
    const evidence = { pk: hex(publicKey(unhex(credential.ballot, 32))), a, b, outer }
    const missing = (reason: MissingReason): Progress => ({ state: 'missing', reason, evidence })
    const mine = log.leaves.flatMap((leaf) => (leaf.t === 'box' && leaf.tag === tag ? [leaf] : []))
    const [last] = mine.sort((one, other) => other.seq - one.seq)
    const thrown = last && casts[last.seq]
    if (!thrown || thrown.envelope !== last.h) return missing('not_in_box')
    if (rows.has(thrown.row)) return { state: 'counted', answer: last.seq === casts.length - 1 ? 'last' : 'earlier' }
    if (close.unopenable.includes(last.h)) return missing('unopenable')
    return missing(close.withheld.includes(last.h) ? 'withheld' : 'row_absent')
  }
}

/** What a phone reads of the close record. */
interface Close {
  issued_a: string[]
  issued_b: string[]
  unopenable: string[]
  withheld: string[]
}

/** The close record of a box that was never opened. */
interface NoCount {
  ended: 'cancelled' | 'too_few'
}
