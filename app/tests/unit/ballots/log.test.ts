import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'

import { utf8 } from '../../../src/ballots/bytes'
import { Pinned, fingerprint } from '../../../src/ballots/checkpoint'
import { parseLog, roots } from '../../../src/ballots/log'
import { type Role, note, pinned } from './township'

const origin = 'box.example/donghe'
const root = '39'.repeat(32)
const everybody: Role[] = ['platform', 'cosigner', 'witness']

/** The root as RFC 6962 §2.1 writes it down, by another way than the one under test. */
function rootOf(lines: Buffer[]): Buffer {
  const hash = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  if (lines.length === 0) return hash()
  if (lines.length === 1) return hash(Buffer.of(0), lines[0]!)
  let split = 1
  while (split * 2 < lines.length) split *= 2
  return hash(Buffer.of(1), rootOf(lines.slice(0, split)), rootOf(lines.slice(split)))
}

describe('the tree', () => {
  test('has the roots of the RFC for seventy sizes, worked out in one go', () => {
    const lines = Array.from({ length: 70 }, (_, number) => utf8(`line ${number}`))
    const sizes = Array.from({ length: 71 }, (_, size) => size)
    const found = roots(lines, sizes)
    for (const size of sizes) expect(found.get(size)).toBe(rootOf(lines.slice(0, size).map((line) => Buffer.from(line))).toString('hex'))
  })

  test('has no root for a size that it has not reached', () => {
    expect(roots([utf8('line')], [2]).get(2)).toBeUndefined()
  })
})

describe('a log', () => {
  const h = 'ab'.repeat(32)
  const leaf = `{"h":"${h}","seq":0,"t":"box","tag":"${h}"}`

  test('is read line by line', () => {
    expect(parseLog(`{"h":"${h}","t":"manifest"}\n${leaf}\n`).leaves.map(({ t }) => t)).toEqual(['manifest', 'box'])
    expect(parseLog('').leaves).toEqual([])
  })

  test.each([
    ['cut off', leaf],
    ['spaced', `${leaf.replace(':', ': ')}\n`],
    ['of an unknown kind', `{"h":"${h}","t":"gift"}\n`],
    ['with a field too many', `{"h":"${h}","t":"ballot","when":0}\n`],
    ['with a hash too short', `{"h":"ab","t":"ballot"}\n`],
    ['with a negative number', `${leaf.replace('"seq":0', '"seq":-1')}\n`],
    ['without anything', '\n'],
    ['that is null', 'null\n'],
  ])('%s is refused', (_, text) => expect(() => parseLog(text)).toThrow())
})

describe('a checkpoint', () => {
  const read = (text: string) => pinned.read(text, origin)

  test.each<[string, Role[], boolean]>([
    ['all', everybody, true],
    ['no witness', ['platform', 'cosigner'], false],
    ['no co-signer', ['platform', 'witness'], false],
    ['no platform', ['cosigner', 'witness'], false],
    ['the platform thrice', ['platform', 'platform', 'platform'], false],
  ])('signed by %s: relied on %s', (_, signers, relied) => {
    expect(read(note(origin, 7, root, signers))).toEqual(relied ? { size: 7, root } : undefined)
  })

  test('signed by strangers besides is as good', () => {
    const stranger = '— stranger AAAAAAA=\n'
    expect(read(`${note(origin, 7, root)}${stranger}`)).toEqual({ size: 7, root })
  })

  test('with a known signer’s bad signature, an extension, another size or another origin is nothing', () => {
    const good = note(origin, 7, root)
    const forged = note(origin, 8, root).split('\n').slice(4).join('\n')
    for (const bad of [
      good.replace('\n7\n', '\n8\n'),
      good.replace('\n7\n', '\n07\n'),
      good.slice(0, -1),
      good.replace('\n\n', '\nextension\n\n'),
      `${good}${forged}`,
      note('box.example/xihe', 7, root),
      '',
      '\n\n',
    ]) {
      expect(read(bad)).toBeUndefined()
    }
  })

  test('nobody fills two roles, every role is filled, and a key that does not fit its id is none', () => {
    const [platform, cosigner, witness] = pinned.lines as [string, string, string]
    const wrong = [
      [platform, cosigner],
      [platform, cosigner, witness, platform],
      [platform, cosigner, platform.replace('platform ', 'witness ')],
      [platform, cosigner, witness.replace(/\+([0-9a-f])/, (_, digit: string) => `+${digit === '0' ? '1' : '0'}`)],
      ['nonsense'],
      [],
    ]
    for (const lines of wrong) expect(() => new Pinned(lines)).toThrow()
  })

  test('is told in the group by the same twelve characters as on the servers', () => {
    expect(fingerprint({ size: 128, root })).toBe('74WK-JE9S-74WK/128')
  })
})
