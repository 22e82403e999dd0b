import { describe, expect, test } from 'vitest'

import { decode, encode } from '../../../src/ballots/bech32'
import { hex, Malformed, unbase64, utf8 } from '../../../src/ballots/bytes'
import { printed, readCode } from '../../../src/ballots/codes'
import { keysCode, lookupOf, makeCode, replySecret } from '../../../src/reports/code'
import { openText, readReport, sealReport, sealText } from '../../../src/reports/envelope'
import { makeKeyFile, needsPassphrase, readKeyFile } from '../../../src/reports/key-file'
import { NotForThisKey, open, recipient, recipientOf, seal, secretIn, secretText } from '../../../src/sealing/age'
import { seeded } from '../ballots/seeded'

const [officer, colleague, stranger] = [1, 2, 3].map((seed) => seeded(seed)(32)) as [Uint8Array, Uint8Array, Uint8Array]
const office = [recipientOf(officer), recipientOf(colleague)]
const said = { named: false, name: '不该留下的名字', contact: '不该留下的电话', text: '收了钱' }

describe('a sealed report', () => {
  test('is opened by every officer of the office, and by nobody else', () => {
    const sealed = sealReport(office, makeCode(seeded(4)), said, seeded(5))
    for (const secret of [officer, colleague]) expect(readReport(openText(secret, sealed)).text).toBe('收了钱')
    expect(() => openText(stranger, sealed)).toThrow(NotForThisKey)
    expect(() => openText(replySecret(makeCode(seeded(4))), sealed)).toThrow(NotForThisKey)
  })

  test('has one size, whatever is in it', () => {
    const sizes = ['', '短', '长'.repeat(4000)].map((text) => unbase64(sealText(office, text, seeded(6))).length)
    expect(new Set(sizes)).toEqual(new Set([16384 + 32 + 22 + 48 + 2 * 98]))
    expect(() => sealText(office, '长'.repeat(5462), seeded(6))).toThrow(Malformed)
  })

  test('holds no name when it is anonymous, and the one that was written when it is not', () => {
    const read = (named: boolean) => {
      const sealed = sealReport(office, makeCode(seeded(4)), { ...said, named }, seeded(5))
      return readReport(openText(officer, sealed))
    }
    expect(read(false)).toMatchObject({ named: false, name: '', contact: '' })
    expect(read(true)).toMatchObject({ named: true, name: '不该留下的名字', contact: '不该留下的电话' })
  })

  test('says inside to which key the answer goes, and only the code opens it', () => {
    const characters = makeCode(seeded(4))
    const report = readReport(openText(officer, sealReport(office, characters, said, seeded(5))))
    const answer = sealText([report.reply, ...office], '已受理', seeded(7))
    const typed = readCode(printed(characters).toLowerCase())
    expect(typed).toEqual({ characters })
    expect(openText(replySecret(characters), answer)).toBe('已受理')
    expect(() => openText(replySecret(makeCode(seeded(8))), answer)).toThrow(NotForThisKey)
  })

  test('of a stranger is read with care', () => {
    const good = { v: 1, named: false, name: '', contact: '', text: 'x', reply: office[0] }
    expect(readReport(JSON.stringify(good)).text).toBe('x')
    for (const bad of ['', 'null', '[]', '{}', ...[{ v: 2 }, { named: 'yes' }, { text: 1 }, { reply: 'age1qqqq' }, { reply: null }].map((change) => JSON.stringify({ ...good, ...change }))]) {
      expect(() => readReport(bad), bad).toThrow(Malformed)
    }
  })
})

describe('a code', () => {
  test('has a hundred random bits, and what is derived from it differs by purpose', () => {
    const codes = new Set(Array.from({ length: 50 }, (_, seed) => makeCode(seeded(seed))))
    expect(codes.size).toBe(50)
    expect([...codes].every((code) => /^[0-9A-HJKMNP-TV-Z]{20}$/.test(code))).toBe(true)
    const code = '0123456789ABCDEFGHJK'
    expect(hex(lookupOf(code))).not.toBe(hex(replySecret(code)))
    expect(hex(lookupOf(code))).not.toContain(hex(utf8(code)))
  })

  test('of keys is the same in whatever order they come, and another one for other keys', () => {
    expect(keysCode(office)).toBe(keysCode([...office].reverse()))
    expect(keysCode(office)).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/)
    expect(keysCode(office)).not.toBe(keysCode([office[0]!, recipientOf(stranger)]))
  })
})

describe('a key file', () => {
  test('opens with its passphrase alone', () => {
    const { key, file } = makeKeyFile('一二三四五六七八九十甲乙', seeded(9))
    expect(needsPassphrase(file)).toBe(true)
    expect(readKeyFile(file, '一二三四五六七八九十甲乙')).toEqual(key)
    expect(() => readKeyFile(file, '一二三四五六七八九十甲丙')).toThrow(NotForThisKey)
    expect(() => makeKeyFile('too short', seeded(9))).toThrow(Malformed)
  })

  test('without a passphrase is read as other programs write it', () => {
    const text = `# created: 2026-03-02\n# public key: ${recipientOf(officer)}\n${secretText(officer)}\n`
    expect(readKeyFile(utf8(text), '')).toEqual({ secret: officer, recipient: recipientOf(officer) })
    for (const bad of ['', 'AGE-SECRET-KEY-1QQQQ', recipientOf(officer)]) {
      expect(() => readKeyFile(utf8(bad), ''), bad).toThrow(Malformed)
    }
  })
})

describe('an age file', () => {
  test('that was changed anywhere opens nothing', () => {
    const file = seal([recipient(office[0]!)], utf8('text'), seeded(10))
    expect(open(officer, file)).toEqual(utf8('text'))
    for (let at = 0; at < file.length; at++) {
      const changed = file.slice()
      changed[at]! ^= 1
      expect(() => open(officer, changed), String(at)).toThrow()
    }
    for (let length = 0; length < file.length; length++) expect(() => open(officer, file.slice(0, length))).toThrow()
  })

  test('is not sealed to a key that everybody has', () => {
    expect(() => seal([new Uint8Array(32)], utf8('text'), seeded(11))).toThrow(Malformed)
  })

  test('has keys spelled as they are read', () => {
    for (const seed of [12, 13, 14]) {
      const secret = seeded(seed)(32)
      expect(secretIn(secretText(secret))).toEqual(secret)
      expect(encode(decode(recipientOf(secret), 'age'), 'age')).toBe(recipientOf(secret))
    }
  })
})
