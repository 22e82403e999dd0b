import { describe, expect, test } from 'vitest'

import { called, toTheSame, whose } from '../../src/words/messages'

const message = (recipient_id: string, recipient: string | null, recipient_place: string | null) =>
  ({ recipient_id, recipient_kind: 'staff', recipient, recipient_place }) as const

const east = message('1', '王伟', '东河村 村党组织书记')
const west = message('2', '王伟', '西河村 村党组织书记')

describe('whose messages did not get through', () => {
  test('two people of one name are two people', () => {
    expect(toTheSame(east, [east, west, { ...east }])).toEqual([east, east])
    expect(whose([east, west])).toBe('王伟（东河村 村党组织书记）、王伟（西河村 村党组织书记）')
  })

  test('who gets several is named once', () => {
    expect(whose([east, { ...east }])).toBe('王伟（东河村 村党组织书记）')
  })

  test('who holds no post any more is told by name alone', () => {
    expect(called(message('3', '李明', null))).toBe('李明')
    expect(called(message('4', null, null))).toBe('（没有名字）')
  })

  test('a group is no member of staff', () => {
    expect(toTheSame(east, [{ ...east, recipient_kind: 'group' as const }])).toEqual([])
  })
})
