/**
 * A phone's side of the anonymous surveys: who is asked for what, and what is kept here. The protocol itself stands in
 * `../ballots`.
 */
import Taro from '@tarojs/taro'

import { hex, Malformed, unhex, utf8 } from '../ballots/bytes'
import { sha256 } from '../ballots/canonical'
import { Pinned } from '../ballots/checkpoint'
import { cardCommitment, readCode } from '../ballots/codes'
import { enrolmentMessage } from '../ballots/messages'
import { Participation } from '../ballots/participation'
import type { Enrolment, Keep, Kept, Parties } from '../ballots/progress'
import { publicKey, sign } from '../ballots/signing'
import { codeFaults, refusals } from '../words/sealed-surveys'
import { post, Refused } from './api'
import { randomness } from './randomness'
import { type Site, pinnedInBuild, site, siteAt } from './site'

const byStatus: Record<number, string> = { 400: 'bad_form', 403: 'ticket', 404: 'not_found', 409: 'stale_seq', 410: 'closed' }

/** A request to co-signer or box: without the sign-in, which is none of their business. */
async function ask(method: 'GET' | 'POST', url: string, body?: string): Promise<string> {
  let answer: Taro.request.SuccessCallbackResult<string>
  try {
    answer = await Taro.request<string>({
      url,
      method,
      header: body === undefined ? {} : { 'Content-Type': 'application/json' },
      data: body,
      timeout: 20000,
      dataType: 'text',
      responseType: 'text',
    })
  } catch {
    throw new Refused(0, 'no_network', refusals.no_network!)
  }
  const text = typeof answer.data === 'string' ? answer.data : ''
  if (answer.statusCode >= 200 && answer.statusCode < 300) return text
  let problem: { code?: string; detail?: string } = {}
  try {
    problem = JSON.parse(text) as typeof problem
  } catch {
    // The box answers with no more than a number.
  }
  const code = problem.code ?? byStatus[answer.statusCode] ?? 'unknown'
  throw new Refused(answer.statusCode, code, refusals[code] ?? problem.detail ?? '系统暂时不可用，请稍后再试。')
}

/** Runs work of the protocol; whatever it refuses is told in a sentence. */
export async function told<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    // The servers' refusals come with their sentence.
    if (error instanceof Refused) throw error
    const code = error instanceof Malformed ? 'malformed' : (error as { code?: unknown }).code
    const sentence = typeof code === 'string' ? refusals[code] : undefined
    throw sentence ? new Refused(0, code as string, sentence) : error
  }
}

/** The parties at the addresses of this site. */
export const partiesAt = ({ cosigner, box }: Pick<Site, 'cosigner' | 'box'>): Parties => ({
  file: (sid, name) => ask('GET', `${box}/v1/${sid}/${name}`),
  credential: (sid, body) => post(`/api/sealed-surveys/boxes/${sid}/credential`, body),
  cosign: async (body) => JSON.parse(await ask('POST', `${cosigner}/v1/cosign`, JSON.stringify(body))) as { sb: string },
  drop: async (sid, outer) => void (await ask('POST', `${box}/v1/${sid}`, outer)),
})

/** Where the surveys are; refuses where there are none. */
export async function surveySite(): Promise<Site> {
  const found = await site().catch(() => {
    throw new Refused(0, 'no_network', refusals.no_network!)
  })
  if (!found) throw new Refused(404, 'no_surveys', '这个平台没有开通背靠背测评。')
  return found
}

/** An enrolled resident on this phone; a phone may be a family's. */
export interface Enrolled extends Enrolment {
  resident: string
  village_name: string
  /** The keys that this phone trusts, pinned at the enrolment. */
  vkeys: string[]
}

const enrolmentKey = (resident: string) => `sealed-enrolment:${resident}`

export const enrolled = (resident: string): Enrolled | undefined =>
  (Taro.getStorageSync(enrolmentKey(resident)) as Enrolled | '') || undefined

/** The keys of both hosts, if they name the same ones. */
export async function agreedKeys(here: Site): Promise<string[]> {
  const [platform, cosigner] = await Promise.all([siteAt(here.platform), siteAt(here.cosigner)])
  const keys = cosigner?.vkeys ?? []
  if (pinnedInBuild() && process.env.TARO_ENV !== 'h5') return here.vkeys
  const named = platform?.vkeys ?? []
  // A platform that has not heard of the others yet names itself alone.
  const refuse = (code: string) => new Refused(0, code, refusals[code]!)
  if (!named.every((key) => keys.includes(key))) throw refuse('keys_differ')
  if (named.length !== keys.length) throw refuse('keys_unknown')
  return keys
}

/** Enrols this phone with a card. A lost reply is repeated with the same key. */
export function enrol(typed: string): Promise<Enrolled> {
  return told(async () => {
    const read = readCode(typed)
    if ('wrong' in read) throw new Refused(0, 'wrong_card', codeFaults[read.wrong]!)
    const { characters } = read
    const here = await surveySite()
    const vkeys = await agreedKeys(here)
    new Pinned(vkeys)
    const attempt = `sealed-enrolling:${hex(sha256(utf8(characters))).slice(0, 16)}`
    const device = (Taro.getStorageSync(attempt) as string) || hex((await randomness())(32))
    Taro.setStorageSync(attempt, device)
    const seed = unhex(device, 32)
    const key = publicKey(seed)
    const signature = hex(sign(seed, enrolmentMessage(characters, key)))
    const body = JSON.stringify({ code: typed, device: hex(key), signature })
    const answer = JSON.parse(await ask('POST', `${here.cosigner}/v1/enrolments`, body)) as { resident: string; village_name: string }
    const kept: Enrolled = { ...answer, device, commitment: hex(cardCommitment(characters)), vkeys }
    Taro.setStorageSync(enrolmentKey(answer.resident), kept)
    Taro.removeStorageSync(attempt)
    return kept
  })
}

/** What is kept of the boxes for one resident. */
const keepFor = (resident: string): Keep => ({
  read: (sid) => (Taro.getStorageSync(`sealed-box:${resident}:${sid}`) as Kept | '') || undefined,
  write: (sid, kept) => Taro.setStorageSync(`sealed-box:${resident}:${sid}`, kept),
})

/** How far this phone has come in a box. */
export const keptOf = (resident: string, sid: string): Kept | undefined => keepFor(resident).read(sid)

/** The way through the boxes for an enrolled resident. */
export async function participation(me: Enrolled): Promise<Participation> {
  const here = await surveySite()
  return new Participation(partiesAt(here), keepFor(me.resident), new Pinned(me.vkeys), me, randomness)
}
