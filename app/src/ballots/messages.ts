/** The exact bytes that are signed (as `ballots/src/messages.rs`). Each begins with a name of its own. */
import { join, u32, utf8 } from './bytes'
import { sha256 } from './canonical'

const named = (name: string, ...parts: Uint8Array[]) => join(utf8(`bbk1/${name}\0`), ...parts)

/** What both authorities blindly sign: "this ballot key belongs to somebody entitled". */
export const credentialMessage = (sid: Uint8Array, ballotKey: Uint8Array) => named('cred', sid, ballotKey)

/** What the platform blindly signs: "this tag may drop envelopes into the box". */
export const dropMessage = (sid: Uint8Array, tag: Uint8Array) => named('drop', sid, tag)

/** What both keys of a paper slip sign: nobody drew it. */
export const unusedMessage = (sid: Uint8Array, ballotKey: Uint8Array, tag: Uint8Array) => named('unused', sid, ballotKey, tag)

/** What a ballot key signs. */
export const ballotMessage = (sid: Uint8Array, ballotKey: Uint8Array, sequence: number, answers: Uint8Array) =>
  named('ballot', sid, ballotKey, u32(sequence), answers)

/** What a tag signs: this envelope, as this revision. */
export const envelopeMessage = (sid: Uint8Array, tag: Uint8Array, revision: number, envelope: Uint8Array) =>
  named('env', sid, tag, u32(revision), envelope)

/** What an enrolled phone signs when it asks for a credential. */
export const requestMessage = (sid: Uint8Array, ...blinded: Uint8Array[]) => named('req', sid, sha256(...blinded))

/** What a phone signs when it enrols with a card. */
export const enrolmentMessage = (characters: string, device: Uint8Array) =>
  named('enrol', sha256(utf8(characters)), device)

/** A card's secret, hashed: what the roll keeps. */
export const auditCommitment = (secret: Uint8Array) => sha256(named('aud', secret))

/** Somebody's leaf in the published roll of one survey. */
export const rollLeaf = (sid: Uint8Array, commitment: Uint8Array) => sha256(named('roll', sid, commitment))

export const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Characters to compare by eye: the leading bits in Crockford's base 32. */
export function readableCode(hash: Uint8Array, characters: number): string {
  let code = ''
  for (let character = 0; character < characters; character++) {
    let value = 0
    for (let bit = character * 5; bit < character * 5 + 5; bit++) {
      value = value * 2 + ((hash[bit >> 3]! >> (7 - (bit % 8))) & 1)
    }
    code += ALPHABET[value]
  }
  return code
}
