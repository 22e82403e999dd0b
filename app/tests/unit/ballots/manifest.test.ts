import { describe, expect, test } from 'vitest'

import { canonical } from '../../../src/ballots/canonical'
import { type Manifest, fits, posterCode, readManifest } from '../../../src/ballots/manifest'
import { Township } from './township'

const { manifest, sid } = new Township(new Uint8Array(32), [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)])
const read = (change: Partial<Record<keyof Manifest, unknown>>) => readManifest(JSON.stringify({ ...manifest, ...change }), sid)
const [question] = manifest.questions as [Manifest['questions'][number]]

describe('a manifest', () => {
  test('has the same hash and poster code however it is spelled', () => {
    const one = readManifest(JSON.stringify(manifest, null, 2), sid)
    const other = readManifest(canonical(manifest), sid)
    expect(one.hash).toBe(other.hash)
    expect(posterCode(one)).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    expect(posterCode(read({ title: '另一个' }))).not.toBe(posterCode(one))
  })

  test.each<[string, Partial<Record<keyof Manifest, unknown>>]>([
    ['of another version', { v: 2 }],
    ['of another box', { sid: '06'.repeat(16) }],
    ['without questions', { questions: [] }],
    ['with nine questions', { questions: Array.from({ length: 9 }, (_, number) => ({ ...question, key: `q${number}` })) }],
    ['that asks one thing twice', { questions: [question, question] }],
    ['with a question of one option', { questions: [{ ...question, options: ['满意'] }] }],
    ['whose roll names somebody twice', { roll: [manifest.roll[0], manifest.roll[0]] }],
    ['whose roll is not sorted', { roll: [...manifest.roll].reverse() }],
    ['with one key in two roles', { keys: { ...manifest.keys, b: manifest.keys.a } }],
    ['with the drop key over ballots', { keys: { ...manifest.keys, d: manifest.keys.b } }],
    ['with a short key', { keys: { ...manifest.keys, a: manifest.keys.a.slice(2) } }],
    ['with a recipient that is none', { box: manifest.box.replace('age1', 'age2') }],
    ['that publishes groups of four', { k_min: 4 }],
    ['that publishes two answers', { q_min: 2 }],
    ['that publishes rows of few', { l2_min: 9 }],
    ['without windows', { windows: null }],
    ['without an origin', { origin: null }],
  ])('%s is refused', (_, change) => expect(() => read(change)).toThrow())

  test.each(['', 'null', '[]', '{}', '7'])('%j is none', (text) => expect(() => readManifest(text, sid)).toThrow())
})

test('answers are exactly the questions, each within its options or none', () => {
  const { questions } = manifest
  expect(fits({ q1: 0, q2: 3 }, questions)).toBe(true)
  for (const bad of [{ q1: 1 }, { q1: 4, q2: 0 }, { q1: -1, q2: 0 }, { q1: 0.5, q2: 0 }, { q1: 1, q3: 1 }, { q1: 1, q2: 1, q3: 1 }]) {
    expect(fits(bad as unknown as Record<string, number>, questions)).toBe(false)
  }
})
