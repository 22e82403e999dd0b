/**
 * The resident's half of the protocol (as `ballots/src/voter.rs`, byte for byte). What has to outlive a closed app is plain
 * data, bytes in hexadecimal. Every secret is drawn afresh: nothing is derived from who somebody is.
 */
import { PREFIX_LENGTH, type PublicKey, blind, finalize, prepare } from './blind'
import { Malformed, hex, unhex, utf8 } from './bytes'
import { canonical, canonicalHash, sha256 } from './canonical'
import { slipSeeds } from './codes'
import { seal } from './envelope'
import { type Answers, type Bound, fits } from './manifest'
import { ballotMessage, credentialMessage, dropMessage, envelopeMessage, requestMessage, unusedMessage } from './messages'
import type { Randomness } from './randomness'
import { publicKey, sign } from './signing'

/** A tag may throw so many envelopes; the last one counts. */
export const MOST_REVISIONS = 8
/** What is thrown into the box always has this many bytes. */
export const OUTER_LENGTH = 9459
/** The number inside a ballot: one that differed would show, in the published rows, who answered twice. */
const BALLOT_SEQUENCE = 0

/** One blinded message. `inverse` takes the blinding off and is forgotten then. */
export interface Wish {
  prefix: string
  blinded: string
  inverse: string
}

/** Seeds of the ballot key and the tag key. */
export interface Seeds {
  ballot: string
  tag: string
}

/** Keys and three messages blinded for the authorities. */
export interface Request extends Seeds {
  a: Wish
  b: Wish
  d: Wish
}

/** A prefix and the authority's finished signature. */
export interface Signed {
  prefix: string
  signature: string
}

/** The right to answer once, and to change the answer until the close. */
export interface Credential extends Seeds {
  a: Signed
  b: Signed
  d: Signed
}

const messageFor = (authority: 'a' | 'b' | 'd', seeds: Seeds, sid: Uint8Array) =>
  authority === 'd'
    ? dropMessage(sid, publicKey(unhex(seeds.tag, 32)))
    : credentialMessage(sid, publicKey(unhex(seeds.ballot, 32)))

/** Makes keys and blinds. */
export function makeRequest(bound: Bound, randomness: Randomness): Request {
  const seeds = { ballot: hex(randomness(32)), tag: hex(randomness(32)) }
  const wish = (authority: 'a' | 'b' | 'd'): Wish => {
    const prefix = randomness(PREFIX_LENGTH)
    const { message, inverse } = blind(
      bound.keys[authority],
      prepare(prefix, messageFor(authority, seeds, bound.sid)),
      randomness,
    )
    return { prefix: hex(prefix), blinded: hex(message), inverse: hex(inverse) }
  }
  return { ...seeds, a: wish('a'), b: wish('b'), d: wish('d') }
}

/** Takes the blinding off an authority's answer, and checks it. */
export function finish(
  bound: Bound,
  authority: 'a' | 'b' | 'd',
  seeds: Seeds,
  wish: Wish,
  answer: unknown,
): Signed {
  const key: PublicKey = bound.keys[authority]
  const prepared = prepare(unhex(wish.prefix, PREFIX_LENGTH), messageFor(authority, seeds, bound.sid))
  const signature = finalize(key, prepared, unhex(answer, key.length), unhex(wish.inverse, key.length))
  return { prefix: wish.prefix, signature: hex(signature) }
}

/** The enrolled phone's signature under a request for the platform (`a`, `d`) or the co-signer (`b`). */
export const signRequest = (device: Uint8Array, sid: Uint8Array, ...blinded: string[]): string =>
  hex(sign(device, requestMessage(sid, ...blinded.map((message) => unhex(message, message.length / 2)))))

/** An answer in its envelope, as it goes to the box. */
export interface Sealed {
  outer: string
  /** SHA-256 of the envelope: its name in the log. */
  envelope: string
  /** SHA-256 of the row that will be published. */
  row: string
}

/** Signs the answers, seals them, and puts the envelope under the tag as this revision. */
export function cast(
  bound: Bound,
  credential: Credential,
  answers: Answers,
  revision: number,
  randomness: Randomness,
): Sealed {
  if (!fits(answers, bound.manifest.questions)) throw new Malformed('not answers to these questions')
  if (!(revision >= 0 && revision < MOST_REVISIONS)) throw new Malformed('more revisions than may be thrown')
  const [ballotSeed, tagSeed] = [unhex(credential.ballot, 32), unhex(credential.tag, 32)]
  const [pk, tag] = [publicKey(ballotSeed), publicKey(tagSeed)]
  const row = canonical({
    v: 1,
    pk: hex(pk),
    seq: BALLOT_SEQUENCE,
    ans: answers,
    sig: hex(sign(ballotSeed, ballotMessage(bound.sid, pk, BALLOT_SEQUENCE, canonicalHash(answers)))),
    pa: credential.a.prefix,
    sa: credential.a.signature,
    pb: credential.b.prefix,
    sb: credential.b.signature,
  })
  const envelope = seal(bound.recipient, utf8(row), randomness)
  const name = sha256(envelope)
  const outer = canonical({
    sid: bound.manifest.sid,
    tag: hex(tag),
    seq: revision,
    env: hex(envelope),
    prefix: credential.d.prefix,
    sig: credential.d.signature,
    tsig: hex(sign(tagSeed, envelopeMessage(bound.sid, tag, revision, name))),
  })
  if (outer.length !== OUTER_LENGTH) throw new Malformed('an outer of another size would say something')
  return { outer, envelope: hex(name), row: hex(sha256(utf8(row))) }
}

/** The public halves of all paper slips, as they stand in `paper.json`: which key belongs to which tag only a slip's code tells. */
export interface Slips {
  keys: { pk: string; pa: string; sa: string; pb: string; sb: string }[]
  tags: { tag: string; pd: string; sd: string }[]
}

/** The credential of a paper slip: the seeds from its code, the signatures from the published lists. Nothing when the code is not one of these slips. */
export function slipCredential(bound: Bound, characters: string, slips: Slips): Credential | undefined {
  const { ballot, tag } = slipSeeds(characters, bound.sid)
  const [pk, dropped] = [publicKey(ballot), publicKey(tag)]
  const key = slips.keys.find((candidate) => candidate.pk === hex(pk))
  const drop = slips.tags.find((candidate) => candidate.tag === hex(dropped))
  if (!key || !drop) return undefined
  const signed = (authority: 'a' | 'b' | 'd', message: Uint8Array, prefix: string, signature: string): Signed => {
    const signer = bound.keys[authority]
    if (!signer.verifies(prepare(unhex(prefix, PREFIX_LENGTH), message), unhex(signature, signer.length))) {
      throw new Malformed('a slip that the authorities did not sign')
    }
    return { prefix, signature }
  }
  const credential = credentialMessage(bound.sid, pk)
  return {
    ballot: hex(ballot),
    tag: hex(tag),
    a: signed('a', credential, key.pa, key.sa),
    b: signed('b', credential, key.pb, key.sb),
    d: signed('d', dropMessage(bound.sid, dropped), drop.pd, drop.sd),
  }
}

/** A slip that nobody drew: both of its keys say so. Its code, which is a vote, stays here. */
export interface UnusedSlip {
  pk: string
  tag: string
  pk_signature: string
  tag_signature: string
}

export function unusedSlip(sid: Uint8Array, slip: Credential): UnusedSlip {
  const [ballot, tag] = [unhex(slip.ballot, 32), unhex(slip.tag, 32)]
  const [pk, dropped] = [publicKey(ballot), publicKey(tag)]
  const message = unusedMessage(sid, pk, dropped)
  return { pk: hex(pk), tag: hex(dropped), pk_signature: hex(sign(ballot, message)), tag_signature: hex(sign(tag, message)) }
}
