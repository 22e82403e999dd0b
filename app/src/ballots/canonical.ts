import { SHA256 } from '@stablelib/sha256'

import { Malformed, utf8 } from './bytes'

/** What canonical JSON can hold: no fractions. */
export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain }

/** The one spelling of a value: keys sorted, no spaces, whole numbers only. What is hashed and signed is spelled so. */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>
    // Keys are ASCII in this protocol: the order of units is the order of bytes.
    return `{${Object.keys(fields).sort().map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`).join(',')}}`
  }
  throw new Malformed('not plain data')
}

/** Reads a value whose text is exactly its canonical spelling. */
export function parseCanonical(text: string): Plain {
  const value = parseJson(text)
  if (canonical(value) !== text) throw new Malformed('not in the canonical spelling')
  return value
}

export function parseJson(text: string): Plain {
  try {
    return JSON.parse(text) as Plain
  } catch {
    throw new Malformed('not JSON')
  }
}

export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = new SHA256()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-256 of the canonical spelling. */
export const canonicalHash = (value: unknown): Uint8Array => sha256(utf8(canonical(value)))
