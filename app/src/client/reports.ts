/**
 * Sealed reports: what a reporter's phone asks for and sends. Nothing is kept on the phone, and no sign-in is sent along; what is
 * sealed and how stands in `../reports`.
 */
import { hex, Malformed } from '../ballots/bytes'
import { readCode } from '../ballots/codes'
import { keysCode, lookupOf, makeCode, replySecret } from '../reports/code'
import { openText, type Report, sealReport, sealText } from '../reports/envelope'
import { refusals } from '../words/reports'
import { codeFaults } from '../words/sealed-surveys'
import { get, post, Refused, type Schemas } from './api'
import { randomness } from './randomness'

export type Office = Schemas['ReportOffice']

/** Runs work; what it refuses is told in a sentence. */
export async function told<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const code = error instanceof Malformed ? 'malformed' : (error as { code?: unknown }).code
    const sentence = typeof code === 'string' ? refusals[code] : undefined
    // The server's own sentences stay; that something is kept on the phone would be wrong here.
    if (error instanceof Refused && code !== 'no_network') throw error
    throw sentence ? new Refused(0, code as string, sentence) : error
  }
}

/** Where a report from this township can go. */
export const officesOf = (township: string) =>
  told(() => get<Schemas['ReportOffices']>(`/api/townships/${township}/report-offices`, { open: true }))

/** A short name of the keys, to compare with what hangs in the office. */
export const codeOf = (office: Office): string => keysCode(office.keys)

/** A report that is sealed and not known to have arrived: sent again it is the very same. */
export interface Prepared {
  characters: string
  body: Schemas['SealedReportDraft']
}

/** Seals a report under a fresh code. */
export const prepare = (office: Office, said: Omit<Report, 'reply'>): Promise<Prepared> =>
  told(async () => {
    const random = await randomness()
    const characters = makeCode(random)
    const sealed = sealReport(office.keys, characters, said, random)
    return { characters, body: { office_id: office.id, lookup: hex(lookupOf(characters)), sealed } }
  })

export const submit = ({ body }: Prepared) => told(() => post('/api/sealed-reports', body, { open: true }))

/** What has become of a report. */
export interface Followed {
  characters: string
  state: string
  office?: Office
  /** The office's words; nothing for what the reporter wrote, which only the office can open. */
  parts: { mine: boolean; text?: string }[]
}

/** Looks a report up by its code as it was typed. */
export const follow = (typed: string): Promise<Followed> =>
  told(async () => {
    const read = readCode(typed)
    if ('wrong' in read) throw new Refused(0, 'wrong_code', codeFaults[read.wrong]!)
    const { characters } = read
    const lookup = hex(lookupOf(characters))
    const found = await post<Schemas['FollowedReport']>('/api/sealed-reports/lookup', { lookup }, { open: true })
    const secret = replySecret(characters)
    const parts = found.parts.map(({ side, sealed }) =>
      side === 'reporter' ? { mine: true } : { mine: false, text: opened(secret, sealed) },
    )
    return { characters, state: found.state, office: found.office ?? undefined, parts }
  })

function opened(secret: Uint8Array, sealed: string): string | undefined {
  try {
    return openText(secret, sealed)
  } catch {
    return undefined
  }
}

/** An addition, sealed: sent again it is the very same. */
export const prepareAddition = (followed: Followed, text: string): Promise<Schemas['SealedReportAddition']> =>
  told(async () => {
    if (!followed.office) throw new Refused(0, 'no_office', refusals.no_office!)
    const sealed = sealText(followed.office.keys, text, await randomness())
    return { lookup: hex(lookupOf(followed.characters)), sealed }
  })

export const add = (addition: Schemas['SealedReportAddition']) =>
  told(() => post('/api/sealed-reports/additions', addition, { open: true }))
