import { beforeEach, describe, expect, test, vi } from 'vitest'

const stored = new Map<string, unknown>()
const request = vi.fn()
const login = vi.fn()
vi.mock('@tarojs/taro', () => ({
  default: {
    request: (options: unknown) => request(options),
    login: () => login(),
    getStorageSync: (key: string) => stored.get(key) ?? '',
    setStorageSync: (key: string, value: unknown) => stored.set(key, value),
    removeStorageSync: (key: string) => stored.delete(key),
  },
}))

const answer = (body: unknown) => ({ statusCode: 200, data: JSON.stringify(body) })
const tokens = { result: 'signed_in', access_token: 'a', refresh_token: 'r', person_kind: 'staff' }

/** Where the browser is. */
let place: { href: string }

beforeEach(() => {
  stored.clear()
  request.mockReset()
  vi.resetModules()
})

const DEMO = { served_by: 'platform', demo: true }

async function inBrowserAt(address: string, site: object | undefined = undefined, userAgent = 'Mozilla/5.0') {
  vi.stubEnv('TARO_ENV', 'h5')
  place = { href: address }
  const replaceState = (_: unknown, __: string, href: string) => (place.href = href)
  vi.stubGlobal('window', { location: place, history: { replaceState } })
  vi.stubGlobal('navigator', { userAgent })
  // Who serves the page is asked before anything else.
  request.mockResolvedValueOnce(site ? answer(site) : { statusCode: 404, data: '' })
  return import('../../src/client/sign-in')
}

const sent = () => request.mock.calls.map(([options]) => options).filter(({ method }) => method === 'POST')

describe('the sign-in', () => {
  test('takes a code alone for the simulated phone’s and sends it once', async () => {
    const { signIn, bindingPage, pendingBinding } = await inBrowserAt('http://qingfeng/app/?code=c1#/pages/home/index', DEMO)
    request.mockResolvedValueOnce(answer({ result: 'binding_needed', ticket: 'a/b' }))
    const signedIn = await signIn()
    expect(bindingPage(signedIn)).toBe('sign-in/binding')
    expect(pendingBinding('wechat')?.ticket).toBe('a/b')
    expect(pendingBinding('wecom')).toBeUndefined()
    expect(sent().map(({ url }) => url)).toEqual(['/api/sign-in/mini-program'])
    expect(place.href).toBe('http://qingfeng/app/#/pages/home/index')
    expect((await signIn()).result).toBe('nobody')
  })

  test.each([undefined, { ...DEMO, demo: false }])('takes no code alone where no phones are simulated', async (site) => {
    const { signIn, pendingBinding } = await inBrowserAt('http://qingfeng/app/?code=c1#/pages/home/index', site)
    expect(await signIn()).toEqual({ result: 'nobody' })
    expect([sent(), pendingBinding('wechat')]).toEqual([[], undefined])
    expect(place.href).toBe('http://qingfeng/app/#/pages/home/index')
  })

  test('takes a code with a state for WeCom’s, with the proof that this browser kept', async () => {
    stored.set('wecom_proof', 'p1')
    const { signIn, bindingPage, forgetBinding, pendingBinding } = await inBrowserAt('http://qingfeng/app/?code=c1&state=s1')
    request.mockResolvedValueOnce(answer({ result: 'binding_needed', ticket: 't1', member: 'clerk' }))
    expect(bindingPage(await signIn())).toBe('sign-in/staff')
    expect(pendingBinding('wecom')).toMatchObject({ ticket: 't1', proof: 'p1', member: 'clerk' })
    vi.useFakeTimers({ now: Date.now() + 11 * 60 * 1000 })
    expect(pendingBinding('wecom')).toBeUndefined()
    vi.useRealTimers()
    forgetBinding()
    expect(pendingBinding('wecom')).toBeUndefined()
    expect(sent().map(({ url, data }) => [url, JSON.parse(data)])).toEqual([
      ['/api/sign-in/wecom', { code: 'c1', state: 's1', proof: 'p1' }],
    ])
    expect(place.href).toBe('http://qingfeng/app/')
    expect(stored.has('wecom_proof')).toBe(false)
  })

  test('needs no page more when WeCom’s member is known', async () => {
    const { signIn, bindingPage } = await inBrowserAt('http://qingfeng/app/?code=c1&state=s1')
    request.mockResolvedValueOnce(answer(tokens))
    const signedIn = await signIn()
    expect([signedIn.result, bindingPage(signedIn)]).toEqual(['signed_in', undefined])
    expect(stored.get('session')).toMatchObject({ access_token: 'a', person_kind: 'staff' })
  })

  test('departs to WeCom and keeps the proof', async () => {
    const { departToWeCom } = await inBrowserAt('http://qingfeng/app/#/pages/sign-in/staff')
    request.mockResolvedValueOnce(answer({ address: 'https://wecom/authorize', proof: 'p2' }))
    await departToWeCom()
    expect([place.href, stored.get('wecom_proof')]).toEqual(['https://wecom/authorize', 'p2'])
  })

  test('keeps the page that was wanted until it is taken once', async () => {
    const { departToWeCom, takeBack } = await inBrowserAt('http://qingfeng/app/#/pages/sign-in/staff')
    request.mockResolvedValue(answer({ address: 'https://wecom/authorize', proof: 'p2' }))
    await departToWeCom('/pages/duties/detail?id=7')
    expect([takeBack(), takeBack()]).toEqual(['/pages/duties/detail?id=7', undefined])
    await departToWeCom('/pages/duties/detail?id=7')
    await departToWeCom()
    expect(takeBack()).toBeUndefined()
  })

  test.each([
    ['inside WeCom', { ...DEMO, demo: false }, 'Mozilla/5.0 wxwork/4.1.20 MicroMessenger/7.0.1', true],
    ['inside WeCom, without anonymous surveys', undefined, 'Mozilla/5.0 wxwork/4.1.20', true],
    ['at the demo', DEMO, 'Mozilla/5.0', true],
    ['in another browser', { ...DEMO, demo: false }, 'Mozilla/5.0 MicroMessenger/8.0', false],
    ['on the co-signer’s page', { ...DEMO, served_by: 'cosigner' }, 'Mozilla/5.0 wxwork/4.1.20', false],
  ])('offers WeCom where its page opens: %s', async (_, site, userAgent, opens) => {
    const { wecomOpens } = await inBrowserAt('http://qingfeng/app/', site, userAgent)
    expect(await wecomOpens()).toBe(opens)
  })

  test('asks WeChat in the mini-program, and nobody when somebody is signed in', async () => {
    vi.stubEnv('TARO_ENV', 'weapp')
    vi.stubEnv('TARO_APP_SERVER', 'https://qingfeng')
    login.mockResolvedValue({ code: 'w1' })
    const { signIn } = await import('../../src/client/sign-in')
    request.mockResolvedValueOnce(answer({ ...tokens, person_kind: 'resident' }))
    expect((await signIn()).result).toBe('signed_in')
    expect((await signIn()).result).toBe('signed_in')
    expect(sent().map(({ data }) => JSON.parse(data))).toEqual([{ code: 'w1' }])
  })
})
