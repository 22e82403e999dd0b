import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { dateFromToday, day, dayOf, left } from '../../src/words/dates'
import { levelLabel, levels } from '../../src/words/labels'
import { protections, slipProtections, whoSees } from '../../src/words/sealed-surveys'

describe('dates in words', () => {
  test('a date is told as month and day', () => {
    expect(day('2026-03-02')).toBe('3月2日')
    expect(day(null)).toBe('待定')
    expect(day(undefined)).toBe('待定')
  })

  test('an instant is told as the day in China', () => {
    expect(dayOf('2026-03-02T15:59:59Z')).toBe('3月2日')
    expect(dayOf('2026-03-02T16:00:00Z')).toBe('3月3日')
  })

  test('no screen cuts the day out of an instant: before eight in the morning in China it would be the day before', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => /\.(vue|ts)$/.test(name))
    const cuts = /\bday\([^)]*\.(slice|substring|substr|split)\(/
    expect(sources.length).toBeGreaterThan(50)
    expect(sources.filter((name) => cuts.test(readFileSync(`src/${name}`, 'utf8')))).toEqual([])
  })

  test('a deadline says how much time is left', () => {
    expect(left(3)).toBe('还有3天')
    expect(left(0)).toBe('今天到期')
    expect(left(-2)).toBe('已超期2天')
    expect(left(null)).toBe('日期待定')
  })

  test('a suggested date has the form that the server takes', () => {
    expect(dateFromToday(7)).toMatch(/^\d{4}-\d{2}-\d{2}$/)
  })
})

test('the five levels are those of the national scheme, best first', () => {
  expect(levels.map(([, label]) => label)).toEqual(['非常满意', '满意', '基本满意', '不满意', '非常不满意'])
  expect(levelLabel('dissatisfied')).toBe('不满意')
})

test('each level that a page can have says what is protected and what is not, for a phone and for a slip', () => {
  for (const level of [1, 2, 3]) {
    for (const { is, isNot } of [protections[level]!, slipProtections[level]!]) {
      expect(is).toMatch(/^保护得住：/)
      expect(isNot).toMatch(/^保护不住：/)
    }
  }
})

test('no level says that nobody can see an answer, and the lowest says that its operator could', () => {
  const sentences = [protections, slipProtections].flatMap((words) => Object.values(words).flatMap(({ is, isNot }) => [is, isNot]))
  for (const sentence of [...sentences, ...Object.values(whoSees)]) expect(sentence).not.toMatch(/谁也|只有您自己|我们也不行/)
  expect(whoSees[1]).toContain('技术上看得到')
  expect(whoSees[2]).toContain('县里拆信封，看得到怎么答')
})
