/** Large whole numbers, without the newer spellings that a mini-program's compiler would break. */
import { hex } from './bytes'

const ZERO = BigInt(0)
const ONE = BigInt(1)
const TWO = BigInt(2)

/** Big-endian bytes as a number. */
export const numberOf = (bytes: Uint8Array): bigint => (bytes.length === 0 ? ZERO : BigInt(`0x${hex(bytes)}`))

/** A number as so many bytes, big end first. */
export function bytesOf(number: bigint, length: number): Uint8Array {
  const digits = number.toString(16).padStart(length * 2, '0')
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) bytes[index] = parseInt(digits.slice(index * 2, index * 2 + 2), 16)
  return bytes
}

/** base to the power of exponent, modulo modulus. For public exponents: the time it takes shows them. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = ONE
  let square = base % modulus
  for (let left = exponent; left > ZERO; left /= TWO) {
    if (left % TWO === ONE) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

/** The number that multiplied by this one gives one, if there is one. */
export function inverse(number: bigint, modulus: bigint): bigint | undefined {
  let [rest, divisor] = [modulus, number % modulus]
  let [before, factor] = [ZERO, ONE]
  while (divisor > ZERO) {
    const quotient = rest / divisor
    ;[rest, divisor] = [divisor, rest - quotient * divisor]
    ;[before, factor] = [factor, before - quotient * factor]
  }
  if (rest !== ONE) return undefined
  return before < ZERO ? before + modulus : before
}
