import { decode as fromBase64, encode as toBase64 } from '@stablelib/base64'
import { decode as fromUtf8, encode as toUtf8 } from '@stablelib/utf8'

/** What is malformed is no mistake of the reader's: nobody trusts what came over the network. */
export class Malformed extends Error {}

/** Text as UTF-8. */
export const utf8 = (text: string): Uint8Array => toUtf8(text)

/** UTF-8 as text; refuses what is none. */
export function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    throw new Malformed('not UTF-8')
  }
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Four bytes, big end first. */
export const u32 = (number: number): Uint8Array =>
  Uint8Array.of(number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255)

export const same = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])

/** Lower-case hexadecimal: the one spelling of bytes in JSON. */
export const hex = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16)
  return text
}

/** Reads lower-case hexadecimal of exactly so many bytes. */
export function unhex(text: unknown, length: number): Uint8Array {
  if (typeof text !== 'string' || text.length !== length * 2 || !/^[0-9a-f]*$/.test(text)) {
    throw new Malformed(`not ${length} bytes in hexadecimal`)
  }
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) bytes[index] = parseInt(text.slice(index * 2, index * 2 + 2), 16)
  return bytes
}

export const base64 = (bytes: Uint8Array): string => toBase64(bytes)

/** Reads base 64 with its padding, in its one spelling. */
export function unbase64(text: string): Uint8Array {
  try {
    const bytes = fromBase64(text)
    if (toBase64(bytes) === text) return bytes
  } catch {
    // Refused below.
  }
  throw new Malformed('not base 64')
}
