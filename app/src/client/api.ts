/**
 * The one way to the server: adds the access token, renews it once, names each intended act with a key so that a retry
 * is done once, and turns problems into the Chinese sentence that the server wrote for them.
 */
import Taro from '@tarojs/taro'

import type { components } from './generated/api'
import { askToSignIn, clearSession, session, keepSession } from './session'
import { platformAddress } from './site'

export type Schemas = components['schemas']

/** A refusal, in words that can be shown. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    sentence: string,
    readonly fields: { pointer: string; detail: string; words?: string[] }[] = [],
  ) {
    super(sentence)
  }

  /** The sentence of the field, if this is about one. */
  of(pointer: string): string | undefined {
    return this.fields.find((field) => field.pointer === pointer)?.detail
  }

  /** The single words that stand against it. */
  get words(): string[] {
    return [...new Set(this.fields.flatMap((field) => field.words ?? []))]
  }
}

/** Where the platform is, once it was asked something; before, the page's own host or what was set at build time. */
export let server = process.env.TARO_ENV === 'h5' ? '' : process.env.TARO_APP_SERVER!

/** Only a page that the co-signer served has to find out. */
async function findServer(): Promise<void> {
  try {
    server = await platformAddress()
  } catch {
    throw new Refused(0, 'no_network', '网络不通，内容已留在手机里，稍后再试。')
  }
}

type Method = 'GET' | 'POST' | 'PUT'

interface Options {
  body?: unknown
  /** Made with the draft: the same key is sent with every retry. */
  key?: string
  /** Send no token, for what anybody may do. */
  open?: boolean
}

async function send(method: Method, path: string, options: Options, token?: string) {
  const header: Record<string, string> = { 'Content-Type': 'application/json' }
  if (token) header.Authorization = `Bearer ${token}`
  if (options.key) header['Idempotency-Key'] = options.key
  await findServer()
  try {
    return await Taro.request({
      url: server + path,
      method,
      header,
      data: options.body === undefined ? undefined : JSON.stringify(options.body),
      timeout: 15000,
      // A body that is no JSON (an empty one) must not be an error.
      dataType: 'text',
      responseType: 'text',
    })
  } catch {
    throw new Refused(0, 'no_network', '网络不通，内容已留在手机里，稍后再试。')
  }
}

function parse(text: unknown): unknown {
  if (typeof text !== 'string') return text
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function call<Answer>(method: Method, path: string, options: Options = {}): Promise<Answer> {
  let answer = await send(method, path, options, options.open ? undefined : session()?.access_token)
  if (answer.statusCode === 401 && !options.open && session() && (await renew())) {
    answer = await send(method, path, options, session()?.access_token)
  }
  const body = parse(answer.data)
  if (answer.statusCode >= 200 && answer.statusCode < 300) return body as Answer
  const problem = body as Partial<Schemas['Problem']> | undefined
  if (answer.statusCode === 401 && !options.open) askToSignIn()
  throw new Refused(
    answer.statusCode,
    problem?.code ?? 'unknown',
    problem?.detail ?? '系统暂时不可用，请稍后再试。',
    problem?.errors ?? [],
  )
}

let renewing: Promise<boolean> | undefined

/** One renewal at a time: a refresh token is good for one use. */
function renew(): Promise<boolean> {
  renewing ??= (async () => {
    const refresh_token = session()?.refresh_token
    try {
      const tokens = await call<Schemas['Tokens']>('POST', '/api/sign-in/refresh', { body: { refresh_token }, open: true })
      keepSession(tokens)
      return true
    } catch (error) {
      // Without network the session may still be good.
      if (error instanceof Refused && error.status === 401) clearSession()
      return false
    } finally {
      renewing = undefined
    }
  })()
  return renewing
}

export const get = <Answer>(path: string, options?: Options) => call<Answer>('GET', path, options)
export const post = <Answer = void>(path: string, body: unknown, options?: Options) =>
  call<Answer>('POST', path, { ...options, body })
export const put = (path: string, body: unknown) => call<void>('PUT', path, { body })

/** Takes a photo in and returns its id. */
export async function uploadPhoto(filePath: string): Promise<string> {
  const attempt = () =>
    Taro.uploadFile({
      url: `${server}/api/files`,
      filePath,
      name: 'photo',
      header: { Authorization: `Bearer ${session()?.access_token ?? ''}` },
    })
  let answer: Taro.uploadFile.SuccessCallbackResult
  try {
    answer = await attempt()
    if (answer.statusCode === 401 && (await renew())) answer = await attempt()
  } catch {
    throw new Refused(0, 'no_network', '照片没有传上去，请检查网络。')
  }
  const body = parse(answer.data) as { id?: string; code?: string; detail?: string } | undefined
  if (answer.statusCode === 201 && body?.id) return body.id
  throw new Refused(answer.statusCode, body?.code ?? 'unknown', body?.detail ?? '照片没有传上去，请再试一次。')
}

/** A file that is not public, onto the phone: a link and a picture's tag send no token. */
export async function fetchFile(path: string): Promise<string> {
  await findServer()
  const attempt = () =>
    Taro.downloadFile({ url: server + path, header: { Authorization: `Bearer ${session()?.access_token ?? ''}` } })
  let answer: Taro.downloadFile.FileSuccessCallbackResult
  try {
    answer = await attempt()
    if (answer.statusCode === 401 && (await renew())) answer = await attempt()
  } catch {
    throw new Refused(0, 'no_network', '文件没有取到，请检查网络。')
  }
  if (answer.statusCode === 200) return answer.tempFilePath
  throw new Refused(answer.statusCode, 'unknown', '文件没有取到，请稍后再试。')
}

/** A key for an intended act: as long as a draft has the same one, it is done once. */
export function freshKey(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  let key = Date.now().toString(36)
  while (key.length < 24) key += letters[Math.floor(Math.random() * letters.length)]
  return key
}
