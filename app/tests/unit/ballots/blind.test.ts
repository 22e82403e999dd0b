import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { InvalidSignature, PublicKey, blind, blindWith, finalize, prepare } from '../../../src/ballots/blind'
import { hex, utf8 } from '../../../src/ballots/bytes'
import { bytesOf, inverse, numberOf, power } from '../../../src/ballots/numbers'
import { encode, isEncoding } from '../../../src/ballots/pss'
import { seeded } from './seeded'

interface Vector {
  name: string
  n: string
  d: string
  input_msg: string
  salt: string
  encoded_msg?: string
  inv: string
  blinded_msg: string
  blind_sig: string
  sig: string
}

const vectors = JSON.parse(readFileSync('../ballots/tests/vectors/rfc9474.json', 'utf8')) as Vector[]
const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replace(/^0x/, ''), 'hex'))
const sign = (vector: Vector, blinded: Uint8Array) =>
  bytesOf(power(numberOf(blinded), numberOf(bytes(vector.d)), numberOf(bytes(vector.n))), bytes(vector.n).length)

describe('blind signatures', () => {
  test('the file has the four vectors of the RFC', () => expect(vectors).toHaveLength(4))

  test.each(vectors)('$name comes out byte by byte', (vector) => {
    const key = new PublicKey(bytes(vector.n))
    const [input, salt] = [bytes(vector.input_msg), bytes(vector.salt)]
    if (vector.encoded_msg) expect(hex(encode(input, salt, key.length))).toBe(hex(bytes(vector.encoded_msg)))
    // The vectors name the factor's inverse; its own inverse is the factor.
    const factor = bytesOf(inverse(numberOf(bytes(vector.inv)), key.number)!, key.length)
    const blinded = blindWith(key, input, salt, factor)!
    expect(hex(blinded.message)).toBe(hex(bytes(vector.blinded_msg)))
    expect(hex(blinded.inverse)).toBe(hex(bytes(vector.inv)))
    const signature = finalize(key, input, bytes(vector.blind_sig), blinded.inverse, salt.length)
    expect(hex(signature)).toBe(hex(bytes(vector.sig)))
  })

  test('a substituted key, another message and a damaged answer show as no signature', () => {
    const one = vectors[0]!
    const key = new PublicKey(bytes(one.n))
    const prepared = prepare(new Uint8Array(32).fill(7), utf8('ballot key'))
    const blinded = blind(key, prepared, seeded(1))
    const signed = sign(one, blinded.message)
    expect(key.verifies(prepared, finalize(key, prepared, signed, blinded.inverse))).toBe(true)
    expect(() => finalize(key, utf8('another'), signed, blinded.inverse)).toThrow(InvalidSignature)
    signed[200]! ^= 1
    expect(() => finalize(key, prepared, signed, blinded.inverse)).toThrow(InvalidSignature)
    const foreign = bytesOf(power(numberOf(blinded.message), BigInt(12345), key.number), key.length)
    expect(() => finalize(key, prepared, foreign, blinded.inverse)).toThrow(InvalidSignature)
    for (const bad of [signed.slice(1), new Uint8Array(0), new Uint8Array(key.length).fill(255), key.modulus, new Uint8Array(key.length)]) {
      expect(() => finalize(key, prepared, bad, blinded.inverse)).toThrow(InvalidSignature)
    }
  })

  test('the same message is blinded to different numbers, and a factor that has no inverse is drawn again', () => {
    const key = new PublicKey(bytes(vectors[0]!.n))
    const random = seeded(2)
    const drawn: number[] = []
    const stubborn = (length: number) => {
      drawn.push(length)
      // The salt, two unusable factors, then a good one.
      if (drawn.length === 2) return new Uint8Array(length)
      if (drawn.length === 3) return new Uint8Array(length).fill(255)
      const bytes = random(length)
      bytes[0] = 0
      return bytes
    }
    const first = blind(key, utf8('m'), stubborn)
    expect(drawn).toEqual([48, key.length, key.length, key.length])
    expect(hex(blind(key, utf8('m'), random).message)).not.toBe(hex(first.message))
  })

  test('what is no RSA modulus is refused', () => {
    const good = bytes(vectors[0]!.n)
    expect(() => new PublicKey(good.slice(0, 255))).toThrow()
    expect(() => new PublicKey(Uint8Array.from(good, (byte, index) => (index === 0 ? 1 : byte)))).toThrow()
    expect(() => new PublicKey(Uint8Array.from(good, (byte, index) => (index === good.length - 1 ? byte & 254 : byte)))).toThrow()
  })

  test('an encoding with another salt length, marker or top bit is none', () => {
    const encoded = encode(utf8('m'), new Uint8Array(48).fill(3), 256)
    expect(isEncoding(encoded, utf8('m'), 48)).toBe(true)
    expect(isEncoding(encoded, utf8('m'), 47)).toBe(false)
    expect(isEncoding(encoded, utf8('n'), 48)).toBe(false)
    for (const place of [0, 100, 230, 255]) {
      const changed = encoded.slice()
      changed[place]! ^= 0x80
      expect(isEncoding(changed, utf8('m'), 48)).toBe(false)
    }
  })
})
