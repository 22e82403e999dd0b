import { beforeEach, describe, expect, test, vi } from 'vitest'

const stored = new Map<string, unknown>()
const request = vi.fn()
vi.mock('@tarojs/taro', () => ({
  default: {
    request: (options: unknown) => request(options),
    getStorageSync: (key: string) => stored.get(key) ?? '',
    setStorageSync: (key: string, value: unknown) => stored.set(key, value),
    removeStorageSync: (key: string) => stored.delete(key),
  },
}))

const answer = (statusCode: number, body?: unknown) => ({ statusCode, data: body === undefined ? '' : JSON.stringify(body) })

beforeEach(() => {
  stored.clear()
  request.mockReset()
  vi.resetModules()
})

async function signedIn() {
  const { keepSession } = await import('../../src/client/session')
  keepSession({ access_token: 'old', refresh_token: 'refresh-1', person_kind: 'resident' })
  return import('../../src/client/api')
}

describe('the client', () => {
  test('renews an access token once and repeats the request with the same key', async () => {
    const { post } = await signedIn()
    request
      .mockResolvedValueOnce(answer(401, { code: 'session_over' }))
      .mockResolvedValueOnce(answer(200, { access_token: 'new', refresh_token: 'refresh-2', person_kind: 'resident' }))
      .mockResolvedValueOnce(answer(204))
    await post('/api/complaints/1/ratings', { level: 'satisfied' }, { key: 'key-00000001' })
    const [first, renewal, second] = request.mock.calls.map(([options]) => options)
    expect(renewal.url).toContain('/api/sign-in/refresh')
    expect(second.header.Authorization).toBe('Bearer new')
    expect([first.header['Idempotency-Key'], second.header['Idempotency-Key']]).toEqual(['key-00000001', 'key-00000001'])
  })

  test('shows the sentence that the server wrote, and which field it is about', async () => {
    const { post, Refused } = await signedIn()
    const errors = [{ pointer: '/body', detail: '请写明内容。' }]
    request.mockResolvedValueOnce(answer(422, { code: 'invalid_input', detail: '填写的内容有误。', errors }))
    const refused = await post('/api/complaints', {}).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Refused)
    expect((refused as InstanceType<typeof Refused>).message).toBe('填写的内容有误。')
    expect((refused as InstanceType<typeof Refused>).of('/body')).toBe('请写明内容。')
    expect((refused as InstanceType<typeof Refused>).words).toEqual([])
  })

  test('tells each word that stands against publication once', async () => {
    const { post } = await signedIn()
    const errors = [
      { pointer: '/title', detail: '里面有本村居民的姓名：平安。', words: ['平安'] },
      { pointer: '/goal', detail: '里面有本村居民的姓名：高山、平安。', words: ['高山', '平安'] },
    ]
    request.mockResolvedValueOnce(answer(422, { code: 'resident_named', detail: '请删去。', errors }))
    await expect(post('/api/rectifications', {})).rejects.toMatchObject({ words: ['平安', '高山'] })
  })

  test('says that the network is down instead of losing the text', async () => {
    const { post } = await signedIn()
    request.mockRejectedValueOnce(new Error('request:fail'))
    await expect(post('/api/complaints', {})).rejects.toMatchObject({ code: 'no_network' })
  })

  test('forgets a session that the server no longer takes', async () => {
    const { get } = await signedIn()
    const { session } = await import('../../src/client/session')
    request.mockResolvedValueOnce(answer(401, {})).mockResolvedValueOnce(answer(401, {}))
    await get('/api/me').catch(() => undefined)
    expect(session()).toBeUndefined()
  })
})

describe('a draft', () => {
  test('survives a closed app and keeps its key until it is sent', async () => {
    const { openDraft, keepDraft, dropDraft } = await import('../../src/client/drafts')
    const first = openDraft('complaint', { body: '' })
    keepDraft('complaint', { ...first, content: { body: '路灯坏了' } })
    const again = openDraft('complaint', { body: '' })
    expect([again.key, again.content.body]).toEqual([first.key, '路灯坏了'])
    dropDraft('complaint')
    expect(openDraft('complaint', { body: '' }).key).not.toBe(first.key)
  })
})
