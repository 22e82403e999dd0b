/** The envelopes of sealed reports, format "qfr1" (as `ballots/src/reports.rs`): all of one size, whatever is in them. */
import { Malformed, base64, textOf, unbase64, utf8 } from '../ballots/bytes'
import type { Randomness } from '../ballots/randomness'
import { open, recipient, recipientOf, seal } from '../sealing/age'
import { pad, unpad } from '../sealing/padding'
import { replySecret } from './code'

export const PLAINTEXT_LENGTH = 16384

/** What a report says. Only the officers read it. */
export interface Report {
  /** Whether somebody stands for it with a name. */
  named: boolean
  name: string
  contact: string
  text: string
  /** To this key the answers are sealed. Inside, so that nobody on the way can put another one. */
  reply: string
}

/** Seals a text to all these keys; base 64, as it is sent. */
export function sealText(to: string[], text: string, randomness: Randomness): string {
  return base64(seal(to.map(recipient), pad(utf8(text), PLAINTEXT_LENGTH), randomness))
}

/** The text of an envelope. */
export const openText = (secret: Uint8Array, sealed: string): string =>
  textOf(unpad(open(secret, unbase64(sealed)), PLAINTEXT_LENGTH))

/** Seals a report under a code. */
export function sealReport(
  to: string[],
  characters: string,
  said: Omit<Report, 'reply'>,
  randomness: Randomness,
): string {
  const { named, name, contact, text } = said
  const who = named ? { named, name, contact } : { named, name: '', contact: '' }
  const content = { v: 1, ...who, text, reply: recipientOf(replySecret(characters)) }
  return sealText(to, JSON.stringify(content), randomness)
}

/** Reads what a report says. Its writer is a stranger: everything is looked at. */
export function readReport(text: string): Report {
  let content: Partial<Record<keyof Report | 'v', unknown>>
  try {
    content = JSON.parse(text) as typeof content
  } catch {
    throw new Malformed('not a report')
  }
  const { v, named, name, contact, text: words, reply } = content ?? {}
  const texts = [name, contact, words, reply]
  if (v !== 1 || typeof named !== 'boolean' || !texts.every((one) => typeof one === 'string')) {
    throw new Malformed('not a report')
  }
  recipient(reply as string)
  return { named, name: name as string, contact: contact as string, text: words as string, reply: reply as string }
}
