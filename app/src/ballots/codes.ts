/**
 * Codes of cards and paper slips: twenty characters of Crockford's base 32 and one that notices a slip of the finger,
 * printed in groups of five.
 */
import { utf8, join } from './bytes'
import { derive } from './envelope'
import { ALPHABET, auditCommitment } from './messages'

export const CODE_LENGTH = 20

/** Luhn's rule modulo 32: every single slip is noticed. */
export function checkCharacter(characters: string): string {
  let sum = 0
  for (let place = 0; place < characters.length; place++) {
    const value = ALPHABET.indexOf(characters[characters.length - 1 - place]!)
    const weighted = place % 2 === 0 ? value * 2 : value
    sum += Math.floor(weighted / 32) + (weighted % 32)
  }
  return ALPHABET[(32 - (sum % 32)) % 32]!
}

/** What was typed, in the alphabet: case, spaces and strokes do not matter, nor the letters that look like digits. */
export const cleaned = (typed: string): string =>
  typed.toUpperCase().replace(/[\s\-—–·.,，。]/g, '').replace(/[IL]/g, '1').replace(/O/g, '0')

/** Reads a code as people type it: its twenty characters, or what is wrong. */
export function readCode(typed: string): { characters: string } | { wrong: 'length' | 'character' | 'check' } {
  const code = cleaned(typed)
  if (Array.from(code).some((character) => !ALPHABET.includes(character))) return { wrong: 'character' }
  if (code.length !== CODE_LENGTH + 1) return { wrong: 'length' }
  const characters = code.slice(0, CODE_LENGTH)
  return checkCharacter(characters) === code[CODE_LENGTH] ? { characters } : { wrong: 'check' }
}

/** As printed: easy to read out, like a telephone number. */
export const printed = (characters: string): string =>
  `${characters}${checkCharacter(characters)}`.replace(/(.{5})(?=.)/g, '$1-')

const NO_SALT = new Uint8Array(0)

/** The secret of a card, from which its holder's place in every roll follows. */
export const cardSecret = (characters: string): Uint8Array => derive(utf8(characters), NO_SALT, utf8('bbk1/card'))

/** What the authorities keep of a card. */
export const cardCommitment = (characters: string): Uint8Array => auditCommitment(cardSecret(characters))

/** The seeds of a paper slip's ballot key and tag key. */
export function slipSeeds(characters: string, sid: Uint8Array): { ballot: Uint8Array; tag: Uint8Array } {
  const seeds = derive(utf8(characters), NO_SALT, join(utf8('bbk1/paper'), sid), 64)
  return { ballot: seeds.slice(0, 32), tag: seeds.slice(32) }
}
