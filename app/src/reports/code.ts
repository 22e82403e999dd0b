/**
 * The reporter's code: the only way back to a report. It stays on paper; what the server gets and what opens the answers is derived
 * from it, one from the other unknowable (as `ballots/src/codes.rs`).
 */
import { join, utf8 } from '../ballots/bytes'
import { CODE_LENGTH } from '../ballots/codes'
import { ALPHABET, readableCode } from '../ballots/messages'
import type { Randomness } from '../ballots/randomness'
import { sha256 } from '../ballots/canonical'
import { derive } from '../sealing/age'

const NO_SALT = new Uint8Array(0)

/** A fresh code: a hundred random bits in twenty characters. */
export const makeCode = (randomness: Randomness): string =>
  // 256 is a multiple of 32: every character is equally likely.
  Array.from(randomness(CODE_LENGTH), (byte) => ALPHABET[byte % 32]).join('')

/** What the report is looked up by. */
export const lookupOf = (characters: string): Uint8Array => derive(utf8(characters), NO_SALT, utf8('qfr1/lookup'))

/** The secret key that the answers are sealed to. */
export const replySecret = (characters: string): Uint8Array => derive(utf8(characters), NO_SALT, utf8('qfr1/reply'))

/** A short name of an office's keys, to compare with what hangs in the office. */
export function keysCode(keys: string[]): string {
  const digest = sha256(join(...[...keys].sort().map((key) => utf8(`${key}\n`))))
  return readableCode(digest, 8).replace(/(.{4})(?=.)/g, '$1-')
}
