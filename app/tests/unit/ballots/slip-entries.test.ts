import { expect, test } from 'vitest'

import { differences } from '../../../src/ballots/slip-entries'

const entry = (characters: string, q1: number) => ({ characters, answers: { q1 } })
const [one, two, three] = ['7ZK3M0Q9XW5T8N2R4V6B', '0123456789ABCDEFGHJK', '00000000000000000000'] as const

test('two people who typed the same agree, in whatever order', () => {
  expect(differences([entry(one, 1), entry(two, 0)], [entry(two, 0), entry(one, 1)])).toEqual([])
})

test('a slip that was answered differently, and one that only one typed in, are named as printed', () => {
  const found = differences([entry(one, 1), entry(two, 2)], [entry(two, 3), entry(one, 1), entry(three, 1)])
  expect(found).toEqual(['01234-56789-ABCDE-FGHJK-W', '00000-00000-00000-00000-0'])
})
