/** Bech32 (BIP 173), as age spells its keys. */
import { Malformed } from './bytes'

const CHARACTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

function checksum(values: number[]): number {
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    GENERATOR.forEach((generator, bit) => {
      if ((top >>> bit) & 1) sum ^= generator
    })
  }
  return sum
}

function spread(prefix: string): number[] {
  const letters = Array.from(prefix, (letter) => letter.charCodeAt(0))
  return [...letters.map((letter) => letter >> 5), 0, ...letters.map((letter) => letter & 31)]
}

/** Bytes as a lower-case word with this prefix. */
export function encode(bytes: Uint8Array, prefix: string): string {
  const values: number[] = []
  let [bits, rest] = [0, 0]
  for (const byte of bytes) {
    rest = ((rest << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      values.push((rest >> bits) & 31)
    }
  }
  if (bits > 0) values.push((rest << (5 - bits)) & 31)
  const sum = checksum([...spread(prefix), ...values, 0, 0, 0, 0, 0, 0]) ^ 1
  for (let place = 5; place >= 0; place--) values.push((sum >>> (5 * place)) & 31)
  return `${prefix}1${values.map((value) => CHARACTERS[value]).join('')}`
}

/** The bytes of a lower-case word with this prefix. */
export function decode(word: string, prefix: string): Uint8Array {
  const bad = () => new Malformed('not a recipient')
  if (!word.startsWith(`${prefix}1`)) throw bad()
  const values = Array.from(word.slice(prefix.length + 1), (character) => CHARACTERS.indexOf(character))
  if (values.length < 6 || values.includes(-1)) throw bad()
  if (checksum([...spread(prefix), ...values]) !== 1) throw bad()

  const bytes: number[] = []
  let [bits, rest] = [0, 0]
  for (const value of values.slice(0, -6)) {
    rest = ((rest << 5) | value) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((rest >> bits) & 255)
    }
  }
  if (bits >= 5 || (rest & ((1 << bits) - 1)) !== 0) throw bad()
  return Uint8Array.from(bytes)
}
