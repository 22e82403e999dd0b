/** Paper slips: answered on any phone with nothing but the code, or typed in by the counting team. Nothing is kept. */
import { type BoxLog, readBoxLog } from '../ballots/box-log'
import { parseJson } from '../ballots/canonical'
import { Pinned } from '../ballots/checkpoint'
import { readCode } from '../ballots/codes'
import { type Answers, type Bound, readManifest } from '../ballots/manifest'
import { type Credential, type Slips, type UnusedSlip, cast, slipCredential, unusedSlip } from '../ballots/voter'
import { codeFaults, refusals } from '../words/sealed-surveys'
import { Refused } from './api'
import { randomness } from './randomness'
import { agreedKeys, partiesAt, surveySite, told } from './sealed-surveys'
import type { Site } from './site'

/** A box with its slips. */
export interface SlipBox {
  here: Site
  bound: Bound
  log: BoxLog
  slips: Slips
}

export const openSlipBox = (sid: string): Promise<SlipBox> =>
  told(async () => {
    const here = await surveySite()
    const parties = partiesAt(here)
    const bound = readManifest(await parties.file(sid, 'manifest.json'), sid)
    const checkpoints = await parties.file(sid, 'checkpoints.json')
    const log = readBoxLog(
      { log: await parties.file(sid, 'log.jsonl'), checkpoints },
      { origin: bound.manifest.origin, manifest: bound.hash },
      new Pinned(await agreedKeys(here)),
    )
    const slips: Slips =
      bound.manifest.paper > 0 ? (parseJson(await parties.file(sid, 'paper.json')) as unknown as Slips) : { keys: [], tags: [] }
    return { here, bound, log, slips }
  })

const refuse = (code: string, sentence?: string) => new Refused(0, code, sentence ?? refusals[code]!)

/** The slip with this code, as typed. */
export function slipOf(box: SlipBox, typed: string): Credential {
  const read = readCode(typed)
  if ('wrong' in read) throw refuse('wrong_slip', codeFaults[read.wrong])
  const credential = slipCredential(box.bound, read.characters, box.slips)
  if (!credential) throw refuse('unknown_slip')
  return credential
}

/** Seals a slip's answers: the very bytes to throw in, and to repeat when no reply came. */
export const sealSlip = (box: SlipBox, slip: Credential, answers: Answers) =>
  told(async () => cast(box.bound, slip, answers, 0, await randomness()))

/** Throws a slip's envelope in. A slip is good once: whoever comes second is told. */
export const throwSlip = (box: SlipBox, outer: string) =>
  told(async () => {
    try {
      await partiesAt(box.here).drop(box.bound.manifest.sid, outer)
    } catch (error) {
      if (error instanceof Refused && error.code === 'stale_seq') throw refuse('slip_used')
      throw error
    }
  })

/** What voids a slip that lies in the bag: the code itself stays here. */
export const unused = (box: SlipBox, typed: string): UnusedSlip => unusedSlip(box.bound.sid, slipOf(box, typed))
