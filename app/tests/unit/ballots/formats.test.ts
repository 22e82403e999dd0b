import { describe, expect, test } from 'vitest'

import { decode } from '../../../src/ballots/bech32'
import { hex, textOf, unbase64, unhex, utf8 } from '../../../src/ballots/bytes'
import { canonical, parseCanonical, sha256 } from '../../../src/ballots/canonical'
import { cardCommitment, checkCharacter, printed, readCode, slipSeeds } from '../../../src/ballots/codes'
import { derive, pad, recipient, seal } from '../../../src/ballots/envelope'
import { ALPHABET, readableCode } from '../../../src/ballots/messages'
import { NoRandomness, pool } from '../../../src/ballots/randomness'
import { isSignedBy, publicKey, sign } from '../../../src/ballots/signing'
import { seeded } from './seeded'

describe('canonical JSON', () => {
  test('sorts keys and spaces nothing', () => {
    expect(canonical({ b: [1, { d: 2, c: '好\n"' }], a: null })).toBe('{"a":null,"b":[1,{"c":"好\\n\\"","d":2}]}')
  })

  test.each(['{"q1": 1}', '{"q2":1,"q1":1}', '{"q1":1,"q1":1}', '{"q1":1.0}', '{"q1":-0}', '{"q1":1}\n', '{"\\u00711":1}', '', '{"q1":1e3}'])(
    'refuses %j as another spelling',
    (text) => expect(() => parseCanonical(text)).toThrow(),
  )

  test('has no fractions and nothing that is not data', () => {
    for (const value of [0.5, NaN, 2 ** 60, undefined, () => 1]) expect(() => canonical({ value })).toThrow()
  })
})

describe('bytes', () => {
  test('have one spelling', () => {
    expect(hex(unhex('00ff10', 3))).toBe('00ff10')
    for (const bad of ['00FF10', '00ff1', '00ff1g', '00ff1000', 7]) expect(() => unhex(bad, 3)).toThrow()
    for (const bad of ['AA', 'AB==', 'A===', 'AA==\n', '*AA=']) expect(() => unbase64(bad)).toThrow()
    expect(() => textOf(Uint8Array.of(0xff))).toThrow()
    expect(textOf(utf8('好😀'))).toBe('好😀')
  })

  test('hashes and keys are those of the standards', () => {
    expect(hex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    // RFC 8032 §7.1, test 2.
    const seed = unhex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 32)
    expect(hex(publicKey(seed))).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    const signature = sign(seed, Uint8Array.of(0x72))
    expect(hex(signature).slice(0, 32)).toBe('92a009a9f0d4cab8720e820b5f642540')
    expect(isSignedBy(publicKey(seed), Uint8Array.of(0x72), signature)).toBe(true)
    expect(isSignedBy(publicKey(seed), Uint8Array.of(0x73), signature)).toBe(false)
    // RFC 5869, test case 3.
    const derived = derive(new Uint8Array(22).fill(0x0b), new Uint8Array(0), new Uint8Array(0), 42)
    expect(hex(derived)).toBe('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8')
  })
})

describe('the envelope', () => {
  const to = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj'

  test('always has the same size, and never the same bytes', () => {
    const random = seeded(3)
    const [one, other] = [seal(recipient(to), utf8('x'), random), seal(recipient(to), new Uint8Array(4092), random)]
    expect([one.length, other.length]).toEqual([4296, 4296])
    expect(hex(one)).not.toBe(hex(seal(recipient(to), utf8('x'), random)))
    expect(() => seal(recipient(to), new Uint8Array(4093), random)).toThrow('more than fits')
    expect(hex(pad(utf8('x')).slice(0, 6))).toBe('000000017800')
  })

  test('is not made for a bad recipient, nor for one to whom everybody could open', () => {
    for (const bad of ['', 'age1', 'age1qqqq', to.replace(/j$/, 'q'), to.replace('age1', 'ege1'), to.toUpperCase()]) {
      expect(() => recipient(bad)).toThrow()
    }
    expect(() => seal(new Uint8Array(32), utf8('x'), seeded(4))).toThrow('everybody')
  })

  test('bech32 reads the words of its standard', () => {
    expect(hex(decode('a12uel5l', 'a'))).toBe('')
    expect(decode('abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw', 'abcdef')).toHaveLength(20)
  })
})

describe('codes', () => {
  test('a code is read back however it is typed', () => {
    expect(printed('0123456789ABCDEFGHJK')).toBe(`01234-56789-ABCDE-FGHJK-${checkCharacter('0123456789ABCDEFGHJK')}`)
    const typed = printed('0123456789ABCDEFGHJK').toLowerCase().replace(/-/g, ' ').replace('0', 'o').replace('1', 'l')
    expect(readCode(typed)).toEqual({ characters: '0123456789ABCDEFGHJK' })
  })

  test('the check character is the one agreed on', () => {
    expect(checkCharacter('0123456789ABCDEFGHJK')).toBe('W')
    expect(checkCharacter('00000000000000000000')).toBe('0')
  })

  test('every slip of one character is noticed', () => {
    const code = printed('7ZK3M0Q9XW5T8N2R4V6B').replace(/-/g, '')
    let noticed = 0
    for (let place = 0; place < code.length; place++) {
      for (const other of ALPHABET) {
        if (other === code[place]) continue
        expect(readCode(code.slice(0, place) + other + code.slice(place + 1))).toEqual({ wrong: 'check' })
        noticed++
      }
    }
    expect(noticed).toBe(21 * 31)
  })

  test('what cannot be a code says why', () => {
    expect(readCode('12345')).toEqual({ wrong: 'length' })
    expect(readCode(`${'0'.repeat(20)}U`)).toEqual({ wrong: 'character' })
    expect(readCode('卡')).toEqual({ wrong: 'character' })
  })

  test('card and slip derive different secrets, and a slip another one in every box', () => {
    const code = '7ZK3M0Q9XW5T8N2R4V6B'
    const [one, other] = [slipSeeds(code, new Uint8Array(16)), slipSeeds(code, new Uint8Array(16).fill(1))]
    const all = [hex(one.ballot), hex(one.tag), hex(other.ballot), hex(other.tag), hex(cardCommitment(code))]
    expect(new Set(all).size).toBe(5)
  })

  test('a code to compare by eye is the leading bits', () => {
    const hash = new Uint8Array(32)
    hash.set([0b0000_0000, 0b0100_0100, 0b0011_0010, 0b0001_0100, 0b1111_1111])
    expect(readableCode(hash, 8)).toBe('0123457Z')
  })
})

test('a store of random bytes gives each out once and then refuses', () => {
  const random = pool(Uint8Array.of(1, 2, 3, 4, 5))
  expect([...random(2), ...random(3)]).toEqual([1, 2, 3, 4, 5])
  expect(() => random(1)).toThrow(NoRandomness)
})
