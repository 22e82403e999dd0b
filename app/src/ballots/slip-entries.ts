/** Double entry of paper forms: two people type in the same slips, and only what agrees is sealed. */
import { canonical } from './canonical'
import { printed } from './codes'
import type { Answers } from './manifest'

export interface SlipEntry {
  /** The slip's twenty characters. */
  characters: string
  answers: Answers
}

/** The slips, as printed, that only one has typed in or that both have answered differently. */
export function differences(one: SlipEntry[], other: SlipEntry[]): string[] {
  const answersOf = (entries: SlipEntry[]) => new Map(entries.map(({ characters, answers }) => [characters, canonical(answers)]))
  const [first, second] = [answersOf(one), answersOf(other)]
  const all = [...new Set([...first.keys(), ...second.keys()])]
  return all.filter((characters) => first.get(characters) !== second.get(characters)).map(printed)
}
