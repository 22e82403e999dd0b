/**
 * How far a phone has come in one ballot box:
 * NEW → KEYS → SENT_A → HAVE_A → HAVE_AB → SEALED → POSTED → IN_BOX → COUNTED | MISSING.
 * Every step is kept before the network is used for it, so that a crash loses nothing and a repetition repeats the bytes.
 */
import type { Seen } from './box-log'
import type { Credential, Request, Seeds, Signed, Wish } from './voter'

/** One revision: its envelope's and its row's hash. Its place in the list is its number. */
export interface Cast {
  envelope: string
  row: string
}

export type Progress =
  /** Keys are made and blinded; with `sent_a` the platform may have signed. */
  | { state: 'keys' | 'sent_a'; request: Request }
  /** The platform's signatures are finished; the co-signer's is wanted. */
  | { state: 'have_a'; seeds: Seeds; a: Signed; d: Signed; b: Wish }
  | { state: 'have_ab'; credential: Credential }
  /** The last answer is in its envelope; thrown in; in the public log. `outer` are the very bytes to repeat. */
  | { state: 'sealed' | 'posted' | 'in_box'; credential: Credential; casts: Cast[]; outer: string }
  /** In the log, and closed: secrets and envelope are deleted, only what the own check needs is left. */
  | { state: 'in_box'; credential?: undefined; row: string }
  /** The own row was found; `earlier` when a change came too late and the answer before it counted. */
  | { state: 'counted'; answer: 'last' | 'earlier' }
  /** It was not; what may be shown to complain is kept, the answer and the secrets are not. */
  | { state: 'missing'; reason: MissingReason; evidence?: Evidence }
  /** The box ended without a count and nothing was opened: everything is deleted. */
  | { state: 'ended'; why: 'cancelled' | 'too_few' }

/** The ballot key with both signatures, and the envelope. */
export interface Evidence {
  pk: string
  a: Signed
  b: Signed
  outer: string
}

export type MissingReason = 'not_in_box' | 'unopenable' | 'withheld' | 'row_absent'

/** What a phone keeps of one box. */
export interface Kept {
  progress: Progress
  /** Hash of the manifest to which everything above is bound. */
  manifest: string
  /** The newest checkpoint this phone has seen. */
  seen?: Seen
}

/** Where it is kept. Writing is done when the call returns. */
export interface Keep {
  read(sid: string): Kept | undefined
  write(sid: string, kept: Kept): void
}

/** The other parties, as seen from a phone. Every call may fail and be repeated. */
export interface Parties {
  /** A file of the box, whole. */
  file(sid: string, name: string): Promise<string>
  /** The platform, which knows who asks. */
  credential(sid: string, body: { a: string; d: string; signature: string }): Promise<{ sa: string; sd: string }>
  /** The co-signer, which knows the device. */
  cosign(body: { sid: string; device: string; b: string; signature: string }): Promise<{ sb: string }>
  /** The box, which knows nobody. */
  drop(sid: string, outer: string): Promise<void>
}

/** The enrolled phone. */
export interface Enrolment {
  /** Seed of the device key. */
  device: string
  /** What the roll keeps of this resident's card. */
  commitment: string
}
