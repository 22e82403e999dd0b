import { beforeEach, describe, expect, test, vi } from 'vitest'

interface Page {
  route: string
  params?: Record<string, string>
}

const stored = new Map<string, unknown>()
const moves: unknown[] = []
let pages: Page[] = []
const request = vi.fn()

vi.mock('@tarojs/taro', () => ({
  default: {
    request: (options: unknown) => request(options),
    login: () => Promise.resolve({ code: 'w1' }),
    getStorageSync: (key: string) => stored.get(key) ?? '',
    setStorageSync: (key: string, value: unknown) => stored.set(key, value),
    removeStorageSync: (key: string) => stored.delete(key),
    getCurrentPages: () => pages,
    getCurrentInstance: () => {
      const page = pages[pages.length - 1]!
      // As in a browser, where the framework adds its own.
      return { router: { path: `${page.route}?stamp=AA`, params: { ...page.params, stamp: 'AA', $taroTimestamp: '1' } } }
    },
    navigateTo: ({ url }: { url: string }) => moves.push(['to', url]),
    navigateBack: ({ delta }: { delta: number }) => moves.push(['back', delta]),
    reLaunch: ({ url }: { url: string }) => moves.push(['anew', url]),
  },
}))

const DUTY: Page = { route: '/pages/duties/detail', params: { id: '7', part: 'a%20b' } }
const HOME: Page = { route: '/pages/home/index' }
const STAFF: Page = { route: '/pages/sign-in/staff' }
const BINDING: Page = { route: '/pages/sign-in/binding' }

const tokens = { result: 'signed_in', access_token: 'a', refresh_token: 'r', person_kind: 'resident' }
const answer = (statusCode: number, body: unknown) => ({ statusCode, data: JSON.stringify(body) })

beforeEach(() => {
  stored.clear()
  moves.length = 0
  request.mockReset()
  vi.resetModules()
  vi.stubEnv('TARO_ENV', 'weapp')
  vi.stubEnv('TARO_APP_SERVER', 'https://qingfeng')
})

describe('after a sign-in', () => {
  test('the page that asked for it is opened with its parameters', async () => {
    const { goToSignIn, goOn, comesBackTo } = await import('../../src/components/go')
    pages = [HOME, DUTY]
    goToSignIn('sign-in/binding')
    pages = [HOME, DUTY, BINDING, STAFF]
    expect(comesBackTo()).toBe('/pages/duties/detail?id=7&part=a%20b')
    goOn()
    expect(moves).toEqual([['to', '/pages/sign-in/binding'], ['anew', '/pages/duties/detail?id=7&part=a%20b']])
  })

  test('home is opened when another page lies below than the one that asked', async () => {
    const { goToSignIn, goOn, comesBackTo } = await import('../../src/components/go')
    pages = [HOME, DUTY]
    goToSignIn('sign-in/binding')
    pages = [HOME, STAFF]
    expect(comesBackTo()).toBeUndefined()
    goOn()
    expect(moves[1]).toEqual(['anew', '/pages/home/index'])
  })

  test('the chat’s link that waits below is gone back to', async () => {
    const { goOn } = await import('../../src/components/go')
    pages = [{ route: '/pages/account-links/index', params: { code: 'c' } }, BINDING, STAFF]
    goOn()
    expect(moves).toEqual([['back', 2]])
  })

  test('the page that was wanted before WeCom is opened once', async () => {
    stored.set('wecom_back', '/pages/duties/detail?id=7')
    const { goOn } = await import('../../src/components/go')
    pages = [HOME, STAFF]
    goOn()
    goOn()
    expect(moves).toEqual([['anew', '/pages/duties/detail?id=7'], ['anew', '/pages/home/index']])
  })
})

describe('a page that nobody is signed in for', () => {
  test('is shown anew to whom the phone knows', async () => {
    const { signInHere } = await import('../../src/components/go')
    pages = [DUTY]
    request.mockResolvedValueOnce(answer(200, tokens))
    await signInHere()
    expect(moves).toEqual([['anew', '/pages/duties/detail?id=7&part=a%20b']])
  })

  test('sends whom the phone does not know to the sign-in', async () => {
    const { signInHere } = await import('../../src/components/go')
    pages = [DUTY]
    request.mockResolvedValueOnce(answer(200, { result: 'binding_needed', ticket: 't' }))
    await signInHere()
    request.mockResolvedValueOnce(answer(503, {}))
    await signInHere()
    expect(moves).toEqual([['to', '/pages/sign-in/binding'], ['to', '/pages/sign-in/binding']])
  })

  test('is told apart from one that failed otherwise', async () => {
    const { get } = await import('../../src/client/api')
    const { keepSession, signInAsked } = await import('../../src/client/session')
    request.mockResolvedValueOnce(answer(404, { code: 'not_found' }))
    await expect(get('/api/duties/7')).rejects.toMatchObject({ status: 404 })
    expect(signInAsked()).toBe(false)
    request.mockResolvedValueOnce(answer(401, { code: 'sign_in_needed' }))
    await expect(get('/api/duties/7')).rejects.toMatchObject({ code: 'sign_in_needed' })
    expect(signInAsked()).toBe(true)
    keepSession({ access_token: 'a', refresh_token: 'r', person_kind: 'staff' })
    expect(signInAsked()).toBe(false)
  })
})
