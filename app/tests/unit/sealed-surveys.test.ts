import { beforeEach, describe, expect, test, vi } from 'vitest'

import { hex, unhex } from '../../src/ballots/bytes'
import { cardCommitment, printed } from '../../src/ballots/codes'
import { enrolmentMessage } from '../../src/ballots/messages'
import { isSignedBy } from '../../src/ballots/signing'
import { pinned } from './ballots/township'

const stored = new Map<string, unknown>()
const request = vi.fn()
const getRandomValues = vi.fn()
vi.mock('@tarojs/taro', () => ({
  default: {
    request: (options: unknown) => request(options),
    getRandomValues: (options: unknown) => getRandomValues(options),
    getStorageSync: (key: string) => stored.get(key) ?? '',
    setStorageSync: (key: string, value: unknown) => stored.set(key, JSON.parse(JSON.stringify(value))),
    removeStorageSync: (key: string) => stored.delete(key),
  },
}))

const card = printed('7ZK3M0Q9XW5T8N2R4V6B')
const hosts = { platform: 'http://platform.invalid', cosigner: 'http://cosigner.invalid', box: 'http://box.invalid' }
const siteOf = (served_by: string) => ({ ...hosts, served_by, single_operator: false, vkeys: pinned.lines, demo: false })

interface Sent {
  url: string
  method?: string
  data?: string
  header?: Record<string, string>
}

/** Answers by address; what is not listed is not there. */
function answering(answers: Record<string, (sent: Sent) => { statusCode: number; data: string } | Error>) {
  request.mockImplementation(async (sent: Sent) => {
    const [, answer] = Object.entries(answers).find(([end]) => sent.url.endsWith(end)) ?? []
    const given = answer?.(sent) ?? { statusCode: 404, data: '' }
    if (given instanceof Error) throw given
    return given
  })
}
const ok = (body: unknown, statusCode = 200) => () => ({ statusCode, data: JSON.stringify(body) })
const site = { 'platform.invalid/api/site': ok(siteOf('platform')), 'cosigner.invalid/api/site': ok(siteOf('cosigner')) }
const calls = (end: string) => request.mock.calls.map(([sent]) => sent as Sent).filter(({ url }) => url.endsWith(end))

beforeEach(() => {
  stored.clear()
  request.mockReset()
  getRandomValues.mockReset()
  let counter = 0
  getRandomValues.mockImplementation(async ({ length }: { length: number }) => ({
    randomValues: new Uint8Array(length).map(() => (counter = (counter * 31 + 7) % 251)).buffer,
  }))
  vi.resetModules()
  vi.stubEnv('TARO_APP_SERVER', hosts.platform)
})

const client = () => import('../../src/client/sealed-surveys')
const enrolled = { resident: '0190-resident', village_name: '东河村' }

describe('enrolling', () => {
  test('shows the card to the co-signer only, signed by a key that was made on the phone', async () => {
    answering({ ...site, '/v1/enrolments': ok(enrolled, 201) })
    const phone = await (await client()).enrol(card.toLowerCase())
    expect(phone).toMatchObject({ ...enrolled, commitment: hex(cardCommitment('7ZK3M0Q9XW5T8N2R4V6B')), vkeys: pinned.lines })
    const [sent, ...more] = calls('/v1/enrolments')
    expect(more).toEqual([])
    expect(sent!.url).toBe('http://cosigner.invalid/v1/enrolments')
    expect(sent!.header).not.toHaveProperty('Authorization')
    const body = JSON.parse(sent!.data!) as { code: string; device: string; signature: string }
    const message = enrolmentMessage('7ZK3M0Q9XW5T8N2R4V6B', unhex(body.device, 32))
    expect(isSignedBy(unhex(body.device, 32), message, unhex(body.signature, 64))).toBe(true)
    expect(JSON.stringify([...stored])).not.toContain('7ZK3M0Q9XW5T8N2R4V6B')
  })

  test('a lost reply is repeated with the same key', async () => {
    let lost = true
    answering({ ...site, '/v1/enrolments': () => (lost ? new Error('request:fail') : ok(enrolled)()) })
    const { enrol } = await client()
    await expect(enrol(card)).rejects.toMatchObject({ code: 'no_network' })
    lost = false
    await enrol(card)
    const devices = calls('/v1/enrolments').map(({ data }) => (JSON.parse(data!) as { device: string }).device)
    expect(devices).toHaveLength(2)
    expect(new Set(devices).size).toBe(1)
    expect([...stored.keys()]).toEqual(['sealed-enrolment:0190-resident'])
  })

  test('a slip of the finger never leaves the phone', async () => {
    answering({ ...site, '/v1/enrolments': ok(enrolled) })
    const { enrol } = await client()
    await expect(enrol(card.replace('7', '8'))).rejects.toMatchObject({ message: '有一个字输错了，请对照再看一遍。' })
    await expect(enrol('12345')).rejects.toMatchObject({ message: '要输满21个字母和数字。' })
    expect(request).not.toHaveBeenCalled()
  })

  test.each([
    ['a key that the co-signer does not name', [...pinned.lines.slice(0, 2), 'witness other+00000000+AA=='], 'keys_differ'],
    ['its own key alone', pinned.lines.slice(0, 1), 'keys_unknown'],
  ])('a platform that names %s is not enrolled with', async (_, vkeys, code) => {
    const other = { ...siteOf('platform'), vkeys }
    answering({ ...site, 'platform.invalid/api/site': ok(other), '/v1/enrolments': ok(enrolled) })
    await expect((await client()).enrol(card)).rejects.toMatchObject({ code })
    expect(calls('/v1/enrolments')).toEqual([])
  })

  test.each([
    [409, 'card_used', '这张登记卡已经在另一部手机上用过。'],
    [404, 'unknown_card', '没有这张登记卡，请对照卡片再输一次。'],
    [429, 'too_many_requests', '试得太多了，请过一会儿再试。'],
  ])('%i %s is told in the co-signer’s words', async (status, code, detail) => {
    answering({ ...site, '/v1/enrolments': ok({ code, detail }, status) })
    await expect((await client()).enrol(card)).rejects.toMatchObject({ status, code, message: detail })
    expect([...stored.keys()].some((key) => key.startsWith('sealed-enrolment'))).toBe(false)
  })
})

describe('randomness', () => {
  test('fails closed: nothing is made when the phone has none or gives too little', async () => {
    answering({ ...site, '/v1/enrolments': ok(enrolled) })
    const { enrol } = await client()
    getRandomValues.mockRejectedValueOnce(new Error('not supported'))
    await expect(enrol(card)).rejects.toMatchObject({ code: 'no_randomness' })
    getRandomValues.mockResolvedValueOnce({ randomValues: new ArrayBuffer(8) })
    await expect(enrol(card)).rejects.toMatchObject({ code: 'no_randomness' })
    expect(calls('/v1/enrolments')).toEqual([])
  })

  test('is never taken from the language itself', async () => {
    const guess = vi.spyOn(Math, 'random')
    answering({ ...site, '/v1/enrolments': ok(enrolled) })
    await (await client()).enrol(card)
    expect(guess).not.toHaveBeenCalled()
  })
})

describe('the box', () => {
  test.each([
    [400, 'bad_form'],
    [403, 'ticket'],
    [409, 'stale_seq'],
    [410, 'closed'],
  ])('%i without a word means %s', async (statusCode, code) => {
    answering({ '/v1/05': () => ({ statusCode, data: '' }) })
    const { partiesAt } = await client()
    await expect(partiesAt(hosts).drop('05', '{}')).rejects.toMatchObject({ code })
  })

  test('gets the bytes as they are, and nobody’s sign-in', async () => {
    stored.set('session', { access_token: 'secret', refresh_token: 'secret', person_kind: 'resident' })
    answering({ '/v1/05': () => ({ statusCode: 204, data: '' }) })
    await (await client()).partiesAt(hosts).drop('05', '{"env":"00"}')
    const [sent] = calls('/v1/05')
    expect(sent!.data).toBe('{"env":"00"}')
    expect(JSON.stringify(sent)).not.toContain('secret')
  })
})

describe('the level', () => {
  const levelOf = async (taroEnv: string, given: Partial<ReturnType<typeof siteOf>>) => {
    vi.resetModules()
    vi.stubEnv('TARO_ENV', taroEnv)
    const { levelHere } = await import('../../src/client/site')
    return levelHere({ ...siteOf('cosigner'), ...given } as Parameters<typeof levelHere>[0])
  }

  test('is two on the co-signer’s page, one on the platform’s, one with a single operator', async () => {
    expect(await levelOf('h5', {})).toBe(2)
    expect(await levelOf('h5', { served_by: 'platform' })).toBe(1)
    expect(await levelOf('h5', { single_operator: true })).toBe(1)
    expect(await levelOf('weapp', { single_operator: true })).toBe(1)
  })

  test('is three in a mini-program only with co-signer and keys built in', async () => {
    expect(await levelOf('weapp', { served_by: 'platform' })).toBe(2)
    vi.stubEnv('TARO_APP_COSIGNER', hosts.cosigner)
    vi.stubEnv('TARO_APP_PINNED_KEYS', pinned.lines.join(';'))
    expect(await levelOf('weapp', { served_by: 'platform' })).toBe(3)
    vi.unstubAllEnvs()
  })
})
