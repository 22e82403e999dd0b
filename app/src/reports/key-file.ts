/** An officer's key file: the secret key, locked with a passphrase. Other age programs open it too. */
import { Malformed, textOf, utf8 } from '../ballots/bytes'
import type { Randomness } from '../ballots/randomness'
import { recipientOf, secretIn, secretText } from '../sealing/age'
import { isLocked, lock, unlock } from '../sealing/passphrase'

/** Fewest characters of a passphrase: whoever copies the file may guess for years. */
export const SHORTEST_PASSPHRASE = 12

export interface OfficerKey {
  secret: Uint8Array
  recipient: string
}

const keyOf = (secret: Uint8Array): OfficerKey => ({ secret, recipient: recipientOf(secret) })

/** Makes a key and its file. */
export function makeKeyFile(passphrase: string, randomness: Randomness): { key: OfficerKey; file: Uint8Array } {
  if (passphrase.length < SHORTEST_PASSPHRASE) throw new Malformed('too short a passphrase')
  const key = keyOf(randomness(32))
  const text = `# public key: ${key.recipient}\n${secretText(key.secret)}\n`
  return { key, file: lock(passphrase, utf8(text), randomness) }
}

/** Whether the file can be opened without a passphrase, as those of the demo. */
export const needsPassphrase = isLocked

/** The key in a file; throws `NotForThisKey` when the passphrase is another one. */
export function readKeyFile(file: Uint8Array, passphrase: string): OfficerKey {
  return keyOf(secretIn(textOf(isLocked(file) ? unlock(passphrase, file) : file)))
}
