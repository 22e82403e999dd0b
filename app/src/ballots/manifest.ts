/** The manifest: everything a ballot box is bound to, published before the first answer. */
import { PublicKey, sameKey } from './blind'
import { Malformed, hex, unhex } from './bytes'
import { canonicalHash, parseJson } from './canonical'
import { recipient } from './envelope'
import { readableCode } from './messages'

export interface Question {
  key: string
  text: string
  options: string[]
}

/** As published; bytes in hexadecimal. */
export interface Manifest {
  v: number
  sid: string
  title: string
  questions: Question[]
  /** One leaf per eligible resident, sorted. */
  roll: string[]
  keys: { a: string; b: string; d: string }
  box: string
  windows: { issue_from: string; issue_until: string; cast_from: string; cast_until: string }
  k_min: number
  q_min: number
  l2_min: number
  min_level: number
  paper: number
  origin: string
  vkeys: string[]
}

/** A manifest that was checked, with its keys read. */
export interface Bound {
  manifest: Manifest
  sid: Uint8Array
  hash: string
  keys: { a: PublicKey; b: PublicKey; d: PublicKey }
  recipient: Uint8Array
}

const text = (value: unknown): value is string => typeof value === 'string'
const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function mayBeAsked(questions: unknown): questions is Question[] {
  if (!Array.isArray(questions) || questions.length < 1 || questions.length > 8) return false
  const proper = questions.every(
    (question: Partial<Question>) =>
      /^[a-z][a-z0-9]{0,15}$/.test(question.key ?? '') &&
      text(question.text) &&
      Array.isArray(question.options) &&
      question.options.length >= 2 &&
      question.options.length <= 20 &&
      question.options.every(text),
  )
  return proper && new Set(questions.map((question: Question) => question.key)).size === questions.length
}

/** Reads the manifest of the box with this name; refuses one by which an answer would not be protected. */
export function readManifest(json: string, sid: string): Bound {
  const manifest = parseJson(json) as unknown as Manifest
  if (manifest?.v !== 1 || manifest.sid !== sid) throw new Malformed('not the manifest of this box')
  if (!mayBeAsked(manifest.questions)) throw new Malformed('these questions cannot be asked')
  if (!Array.isArray(manifest.roll)) throw new Malformed('no roll')
  manifest.roll.forEach((leaf, index) => {
    unhex(leaf, 32)
    if (index > 0 && leaf <= manifest.roll[index - 1]!) throw new Malformed('the roll names somebody twice')
  })
  const { k_min, q_min, l2_min, min_level, paper, windows, origin, title } = manifest
  if (![k_min, q_min, l2_min, min_level, paper].every(count) || k_min < 5 || q_min < 3 || l2_min < k_min) {
    throw new Malformed('the thresholds protect nobody')
  }
  const dates = [windows?.issue_from, windows?.issue_until, windows?.cast_from, windows?.cast_until]
  if (!dates.every((date) => /^\d{4}-\d{2}-\d{2}$/.test(date ?? '')) || !text(origin) || !text(title)) {
    throw new Malformed('not a manifest')
  }
  const key = (modulus: unknown) => new PublicKey(unhex(modulus, 256))
  const keys = { a: key(manifest.keys?.a), b: key(manifest.keys?.b), d: key(manifest.keys?.d) }
  if (sameKey(keys.a, keys.b) || sameKey(keys.b, keys.d) || sameKey(keys.a, keys.d)) {
    throw new Malformed('one key in two roles')
  }
  return { manifest, sid: unhex(sid, 16), hash: hex(canonicalHash(manifest)), keys, recipient: recipient(manifest.box) }
}

/** Eight characters to compare with the poster in the village. */
export const posterCode = (bound: Bound): string =>
  readableCode(unhex(bound.hash, 32), 8).replace(/(.{4})(?=.)/, '$1-')

/** Answers by question: the option's number from one, or zero for none. */
export type Answers = Record<string, number>

/** Whether exactly the questions asked are answered, each by one of its options or by none. */
export const fits = (answers: Answers, questions: Question[]): boolean =>
  Object.keys(answers).length === questions.length &&
  questions.every(({ key, options }) => count(answers[key]) && answers[key]! <= options.length)
