import { beforeEach, describe, expect, test, vi } from 'vitest'

const request = vi.fn()
const requestSubscribeMessage = vi.fn()
vi.mock('@tarojs/taro', () => ({
  default: {
    request: (options: unknown) => request(options),
    requestSubscribeMessage: (options: unknown) => requestSubscribeMessage(options),
    getStorageSync: () => '',
    setStorageSync: () => undefined,
    removeStorageSync: () => undefined,
  },
}))

const answer = (statusCode: number, body?: unknown) => ({ statusCode, data: body === undefined ? '' : JSON.stringify(body) })

beforeEach(() => {
  vi.resetModules()
  request.mockReset()
  requestSubscribeMessage.mockReset()
  vi.stubEnv('TARO_ENV', 'weapp')
})

describe('asking for messages', () => {
  test('reports what was chosen and nothing else', async () => {
    const { askFor } = await import('../../src/client/consents')
    requestSubscribeMessage.mockResolvedValue({ errMsg: 'requestSubscribeMessage:ok', a: 'accept', b: 'reject', c: 'odd' })
    request.mockResolvedValue(answer(204))
    expect(await askFor(['a', 'b', 'c', 'd'])).toBe(true)
    expect(requestSubscribeMessage.mock.calls[0][0].tmplIds).toEqual(['a', 'b', 'c', 'd'])
    expect(JSON.parse(request.mock.calls[0][0].data)).toEqual({
      choices: [
        { template_id: 'a', answer: 'accept' },
        { template_id: 'b', answer: 'reject' },
      ],
    })
  })

  test('WeChat is asked at once, or it would be no tap any more', async () => {
    const { askFor } = await import('../../src/client/consents')
    requestSubscribeMessage.mockReturnValue(new Promise(() => undefined))
    void askFor(['a'])
    expect(requestSubscribeMessage).toHaveBeenCalledTimes(1)
  })

  test('a refusal, a switch that is off and a lost report are no errors', async () => {
    const { askFor } = await import('../../src/client/consents')
    requestSubscribeMessage.mockRejectedValueOnce({ errCode: 20004 })
    expect(await askFor(['a'])).toBe(false)
    expect(request).not.toHaveBeenCalled()
    requestSubscribeMessage.mockResolvedValue({ a: 'accept' })
    request.mockRejectedValue(new Error('no network'))
    expect(await askFor(['a'])).toBe(true)
  })

  test('in a browser nothing is asked and nothing fetched', async () => {
    vi.stubEnv('TARO_ENV', 'h5')
    const { templatesToAsk } = await import('../../src/client/consents')
    expect(await templatesToAsk()).toEqual([])
    expect(request).not.toHaveBeenCalled()
  })

  test('in the mini-program it asks about the templates that the server names', async () => {
    const { templatesToAsk } = await import('../../src/client/consents')
    request.mockResolvedValue(answer(200, { templates: [{ template_id: 'a', left: 0 }] }))
    expect(await templatesToAsk()).toEqual(['a'])
  })
})
