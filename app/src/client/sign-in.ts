import Taro from '@tarojs/taro'

import { get, post, type Schemas } from './api'
import { keepSession, session } from './session'

/** The login code: from WeChat in the mini-program; in a browser it stands in the address that opened the page. */
async function loginCode(): Promise<string | undefined> {
  if (process.env.TARO_ENV !== 'h5') return (await Taro.login()).code
  const address = new URL(window.location.href)
  const code = address.searchParams.get('code') ?? undefined
  if (code) {
    // It is good once: a reload must not send it again.
    address.searchParams.delete('code')
    window.history.replaceState(null, '', address.toString())
  }
  return code
}

export type SignedIn = { result: 'signed_in' } | { result: 'binding_needed'; ticket: string } | { result: 'nobody' }

/** Signs in with the phone's WeChat identity; a fresh code in the address wins over an older session. */
export async function signIn(): Promise<SignedIn> {
  if (session() && process.env.TARO_ENV !== 'h5') return { result: 'signed_in' }
  const code = await loginCode()
  if (!code) return { result: session() ? 'signed_in' : 'nobody' }
  const answer = await post<Schemas['MiniProgramAnswer']>('/api/sign-in/mini-program', { code }, { open: true })
  if (answer.result === 'binding_needed') return { result: 'binding_needed', ticket: answer.ticket }
  keepSession(answer)
  return { result: 'signed_in' }
}

/** Who is signed in. */
export const me = () => get<Schemas['Me']>('/api/me')
