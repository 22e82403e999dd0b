import { describe, expect, test } from 'vitest'

import { hex, unhex } from '../../../src/ballots/bytes'
import { cardCommitment } from '../../../src/ballots/codes'
import { type Outcome, Participation, receipt } from '../../../src/ballots/participation'
import type { Keep, Kept, Parties } from '../../../src/ballots/progress'
import { NoRandomness } from '../../../src/ballots/randomness'
import { rollLeaf } from '../../../src/ballots/messages'
import { seeded } from './seeded'
import { Township, pinned } from './township'

const device = new Uint8Array(32).fill(9)
const commitment = cardCommitment('7ZK3M0Q9XW5T8N2R4V6B')
const others = Array.from({ length: 4 }, (_, number) => cardCommitment(`CARD${number}000000000000000`))
const enrolment = { device: hex(device), commitment: hex(commitment) }
const answers = { q1: 1, q2: 0 }

class Crash extends Error {}

/** A phone's storage: text, as it survives a closed app. */
class Storage implements Keep {
  readonly texts = new Map<string, string>()

  read(sid: string): Kept | undefined {
    const text = this.texts.get(sid)
    return text === undefined ? undefined : (JSON.parse(text) as Kept)
  }

  write(sid: string, kept: Kept): void {
    this.texts.set(sid, JSON.stringify(kept))
  }
}

/** Counts every act that leaves a trace, and crashes at one of them: before it, or after it was done. */
function crashing(parties: Parties, storage: Storage, at: number, when: 'before' | 'after') {
  let act = 0
  const around = <Arguments extends unknown[], Result>(work: (...given: Arguments) => Result) => (...given: Arguments): Result => {
    const mine = act++
    if (mine === at && when === 'before') throw new Crash()
    const result = work(...given)
    if (mine !== at) return result
    if (result instanceof Promise) return result.then(() => { throw new Crash() }) as Result
    throw new Crash()
  }
  return {
    count: () => act,
    parties: {
      file: (sid: string, name: string) => parties.file(sid, name),
      credential: around(parties.credential.bind(parties)),
      cosign: around(parties.cosign.bind(parties)),
      drop: around(parties.drop.bind(parties)),
    },
    keep: { read: (sid: string) => storage.read(sid), write: around(storage.write.bind(storage)) },
  }
}

let seed = 0
const newTownship = () => new Township(device, [commitment, ...others])
const phone = (parties: Parties, keep: Keep) => new Participation(parties, keep, pinned, enrolment, async () => seeded(++seed))
const stateOf = (storage: Storage, township: Township) => storage.read(township.sid)?.progress.state

async function whole(parties: Parties, keep: Keep, sid: string, closed = false): Promise<Outcome> {
  const me = phone(parties, keep)
  const opened = await me.open(sid)
  const state = keep.read(sid)?.progress.state
  if (!state || state === 'keys' || state === 'sent_a' || state === 'have_a') await me.obtain(sid, opened)
  if (keep.read(sid)?.progress.state === 'have_ab') await me.answer(sid, opened, answers)
  return me.resume(sid, opened, closed)
}

async function cast() {
  const [township, storage] = [newTownship(), new Storage()]
  await whole(township, storage, township.sid)
  return { township, storage, me: phone(township, storage), sid: township.sid }
}

const rowsOf = (storage: Storage, sid: string) => {
  const { progress } = storage.read(sid)!
  return 'casts' in progress ? progress.casts.map(({ row }) => row) : []
}
const leaf = (township: Township) => hex(rollLeaf(unhex(township.sid, 16), commitment))

describe('taking part', () => {
  test('goes from nothing to the box, and says so only when the log is signed by all', async () => {
    const { township, storage, me, sid } = await cast()
    expect(stateOf(storage, township)).toBe('posted')
    township.flush(['platform', 'cosigner'])
    await me.resume(sid, await me.open(sid), false)
    expect(stateOf(storage, township)).toBe('posted')
    township.flush()
    await me.resume(sid, await me.open(sid), false)
    expect(stateOf(storage, township)).toBe('in_box')
    expect(township.box).toHaveLength(1)
  })

  // Kept: keys, sent, A's answer, B's answer, envelope, thrown in. Calls: A, B, the box, and the box once more.
  const ACTS = 10
  test('has as many acts as there are crashes below', async () => {
    const [township, storage] = [newTownship(), new Storage()]
    const counted = crashing(township, storage, -1, 'before')
    await whole(counted.parties, counted.keep, township.sid)
    expect(counted.count()).toBe(ACTS)
  })

  test.each(Array.from({ length: ACTS * 2 }, (_, number) => [number >> 1, number % 2 ? 'after' : 'before'] as const))(
    'survives a crash at act %i, %s it',
    async (at, when) => {
      const [township, storage] = [newTownship(), new Storage()]
      const broken = crashing(township, storage, at, when)
      await expect(whole(broken.parties, broken.keep, township.sid)).rejects.toThrow(Crash)
      await whole(township, storage, township.sid)
      township.flush()
      await whole(township, storage, township.sid)
      expect(stateOf(storage, township)).toBe('in_box')
      expect(township.box).toHaveLength(1)
    },
  )

  test('two windows of one phone that begin at once ask for the same credential', async () => {
    const [township, storage] = [newTownship(), new Storage()]
    const [one, other] = [phone(township, storage), phone(township, storage)]
    const opened = await one.open(township.sid)
    await Promise.all([one.obtain(township.sid, opened), other.obtain(township.sid, opened)])
    expect(stateOf(storage, township)).toBe('have_ab')
    await one.answer(township.sid, opened, answers)
    expect(township.box).toHaveLength(1)
  })

  test('a lost envelope is thrown in again, the very same bytes', async () => {
    const { township, storage, me, sid } = await cast()
    const [thrown] = township.box
    township.loseUnlogged()
    expect(township.box).toEqual([])
    await me.resume(sid, await me.open(sid), false)
    expect(township.box).toEqual([thrown])
    expect(stateOf(storage, township)).toBe('posted')
  })

  test('an answer can be changed seven times, each under the next number', async () => {
    const { township, me, sid } = await cast()
    for (let change = 1; change < 8; change++) await me.answer(sid, await me.open(sid), { q1: 3, q2: 2 })
    expect(township.box.map((text) => (JSON.parse(text) as { seq: number }).seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    await expect(me.answer(sid, await me.open(sid), answers)).rejects.toMatchObject({ code: 'too_many_revisions' })
  })

  test('nothing of the answer is kept, and the receipt says nothing about it', async () => {
    const { storage, sid } = await cast()
    expect(storage.texts.get(sid)).not.toMatch(/"ans"|"q1"/)
    const progress = storage.read(sid)!.progress
    if (!('casts' in progress)) throw new Error('cast')
    expect(receipt(progress.casts[0]!.envelope)).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
  })
})

describe('a refusal', () => {
  test.each(['already_issued', 'votes_on_paper', 'not_enrolled', 'not_issuing', 'level_too_low'])(
    '%s by the platform leaves the request as it is, and the next attempt repeats it',
    async (code) => {
      const [township, storage] = [newTownship(), new Storage()]
      township.refuse.credential = code
      await expect(whole(township, storage, township.sid)).rejects.toMatchObject({ code })
      expect(stateOf(storage, township)).toBe('sent_a')
      const before = storage.read(township.sid)!.progress
      await phone(township, storage).obtain(township.sid, await phone(township, storage).open(township.sid))
      expect('request' in before && before.request.a.blinded + before.request.d.blinded).toBe(township.issuedA)
    },
  )

  test('of a second phone comes from the platform, and the phone holds nothing to answer with', async () => {
    const { township, sid } = await cast()
    const second = new Storage()
    await expect(whole(township, second, sid)).rejects.toMatchObject({ code: 'already_issued' })
    await expect(phone(township, second).answer(sid, await phone(township, second).open(sid), answers)).rejects.toMatchObject({ code: 'not_begun' })
  })

  test.each(['closed', 'stale_seq', 'ticket', 'bad_form', 'no_network'])('%s by the box leaves the envelope sealed', async (code) => {
    const [township, storage] = [newTownship(), new Storage()]
    township.refuse.drop = code
    await expect(whole(township, storage, township.sid)).rejects.toMatchObject({ code })
    expect(stateOf(storage, township)).toBe('sealed')
  })

  test('an authority that signs with another key is found out before anything is kept of it', async () => {
    const [township, storage] = [newTownship(), new Storage()]
    const swapped: Parties = {
      file: township.file.bind(township),
      cosign: township.cosign.bind(township),
      drop: township.drop.bind(township),
      credential: async (sid, body) => {
        const { sa, sd } = await township.credential(sid, body)
        return { sa: sd, sd: sa }
      },
    }
    await expect(whole(swapped, storage, township.sid)).rejects.toMatchObject({ code: 'invalid_signature' })
    expect(stateOf(storage, township)).toBe('sent_a')
  })

  test('who is not on the roll makes no keys', async () => {
    const [township, storage] = [new Township(device, others), new Storage()]
    await expect(whole(township, storage, township.sid)).rejects.toMatchObject({ code: 'not_on_roll' })
    expect(storage.texts.size).toBe(0)
  })

  test('without randomness nothing is made', async () => {
    const [township, storage] = [newTownship(), new Storage()]
    const me = new Participation(township, storage, pinned, enrolment, async () => () => { throw new NoRandomness() })
    await expect(me.obtain(township.sid, await me.open(township.sid))).rejects.toBeInstanceOf(NoRandomness)
    expect(storage.texts.size).toBe(0)
  })
})

describe('the log', () => {
  test('without a quorum nothing begins', async () => {
    const [township, storage] = [newTownship(), new Storage()]
    township.checkpoints.splice(0)
    township.flush(['platform', 'witness'])
    await expect(phone(township, storage).open(township.sid)).rejects.toMatchObject({ code: 'no_quorum' })
  })

  test('one that does not continue what this phone has seen is refused', async () => {
    const { township, me, sid } = await cast()
    township.flush()
    await me.open(sid)
    township.box.splice(0)
    township.checkpoints.splice(0)
    township.flush()
    await expect(me.open(sid)).rejects.toMatchObject({ code: 'log_forked' })
  })

  test('one that was changed after it was signed is refused', async () => {
    const { township, me, sid } = await cast()
    township.flush()
    township.tamper((lines) => lines.pop())
    await expect(me.open(sid)).rejects.toMatchObject({ code: 'log_forked' })
  })

  test('another manifest is not the one this phone began with, and not the one in the log', async () => {
    const { township, me, sid } = await cast()
    township.manifest.title = '另一个'
    await expect(me.open(sid)).rejects.toMatchObject({ code: 'manifest_changed' })
    await expect(phone(township, new Storage()).open(sid)).rejects.toMatchObject({ code: 'log_forked' })
  })
})

describe('the own check after publication', () => {
  async function published(rows: (rows: string[]) => string[], close?: Parameters<Township['publish']>[1]) {
    const { township, storage, me, sid } = await cast()
    const mine = rowsOf(storage, sid)
    township.publish(rows(mine), close ?? { issued_a: [leaf(township)], issued_b: [leaf(township)] })
    return { outcome: await me.resume(sid, await me.open(sid), true), storage, sid, me, township }
  }

  test('finds the row: a tick, and every secret is gone', async () => {
    const { outcome, storage, sid } = await published((rows) => [...rows, 'ab'.repeat(32)])
    expect(outcome.kept?.progress).toEqual({ state: 'counted', answer: 'last' })
    expect(outcome.roll).toBe('as_it_should')
    expect(storage.texts.get(sid)).not.toMatch(/ballot|tag|row|outer/)
  })

  test('does not find it: what proves it is kept, the secrets are not', async () => {
    const { outcome, storage, sid } = await published(() => ['ab'.repeat(32)])
    const { progress } = outcome.kept!
    expect(progress).toMatchObject({ state: 'missing', reason: 'row_absent' })
    expect(progress.state === 'missing' && Object.keys(progress.evidence!).sort()).toEqual(['a', 'b', 'outer', 'pk'])
    expect(storage.texts.get(sid)).not.toMatch(/"(ballot|tag|row)":/)
  })

  test('tells an envelope that was booked as unopenable or withheld', async () => {
    for (const reason of ['unopenable', 'withheld'] as const) {
      const { township, storage, me, sid } = await cast()
      const { progress } = storage.read(sid)!
      township.publish([], { [reason]: ['casts' in progress ? progress.casts[0]!.envelope : ''] })
      const { kept } = await me.resume(sid, await me.open(sid), true)
      expect(kept?.progress).toMatchObject({ state: 'missing', reason })
    }
  })

  test('tells an envelope that never came into the box', async () => {
    const { township, me, sid } = await cast()
    township.loseUnlogged()
    township.publish([])
    expect((await me.resume(sid, await me.open(sid), true)).kept?.progress).toMatchObject({ state: 'missing', reason: 'not_in_box' })
  })

  test('tells that an earlier answer counted because the change came too late', async () => {
    const { township, storage, me, sid } = await cast()
    township.flush()
    township.refuse.drop = 'closed'
    await expect(me.answer(sid, await me.open(sid), { q1: 3, q2: 3 })).rejects.toMatchObject({ code: 'closed' })
    township.publish([rowsOf(storage, sid)[0]!])
    expect((await me.resume(sid, await me.open(sid), true)).kept?.progress).toEqual({ state: 'counted', answer: 'earlier' })
  })

  test('notices that somebody asked in her name, and that the authorities differ', async () => {
    const [township, storage] = [newTownship(), new Storage()]
    township.publish([], { issued_a: [leaf(township)], issued_b: [] })
    const me = phone(township, storage)
    expect(await me.resume(township.sid, await me.open(township.sid), true)).toEqual({ kept: undefined, roll: 'issued_without_asking' })
    const { outcome } = await published((rows) => rows, { issued_a: [leaf(township)], issued_b: [] })
    expect(outcome.roll).toBe('authorities_differ')
    expect((await published((rows) => rows, {})).outcome.roll).toBe('asked_but_not_listed')
  })

  test('between close and publication only the hash of the row is left', async () => {
    const { township, storage, me, sid } = await cast()
    const rows = rowsOf(storage, sid)
    township.flush()
    await me.resume(sid, await me.open(sid), true)
    expect(storage.read(sid)!.progress).toEqual({ state: 'in_box', row: rows[0] })
    await expect(me.answer(sid, await me.open(sid), answers)).rejects.toMatchObject({ code: 'not_begun' })
    township.publish(rows)
    expect((await me.resume(sid, await me.open(sid), true)).kept?.progress).toEqual({ state: 'counted', answer: 'last' })
  })

  test.each(['cancelled', 'too_few'] as const)('a box that ended without a count (%s) leaves nothing behind', async (why) => {
    const { township, storage, me, sid } = await cast()
    township.end(why)
    expect((await me.resume(sid, await me.open(sid), true)).kept?.progress).toEqual({ state: 'ended', why })
    expect(storage.texts.get(sid)).not.toMatch(/ballot|tag|row|outer/)
  })

  test('a close record other than the logged one is refused', async () => {
    const { township, storage, me, sid } = await cast()
    township.publish(rowsOf(storage, sid))
    const forged: Parties = {
      ...me['parties'],
      credential: township.credential.bind(township),
      cosign: township.cosign.bind(township),
      drop: township.drop.bind(township),
      file: async (box, name) => (name === 'close.json' ? '{"issued_a":[],"issued_b":[]}' : township.file(box, name)),
    }
    const other = phone(forged, storage)
    await expect(other.resume(sid, await other.open(sid), true)).rejects.toMatchObject({ code: 'log_forked' })
  })
})
