import Taro from '@tarojs/taro'

import { get, post, type Schemas } from './api'
import { keepSession, session } from './session'

const inBrowser = process.env.TARO_ENV === 'h5'

/** Under which this browser keeps what it has to show when it comes back from WeCom. */
const PROOF = 'wecom_proof'

/** With what somebody signs in. With a state it comes from WeCom, and belongs to staff. */
interface Arrival {
  code: string
  state?: string
}

/** What stands in the address that opened the page. It is good once: a reload must not send it again. */
function fromAddress(): Arrival | undefined {
  const address = new URL(window.location.href)
  const { searchParams } = address
  const [code, state] = [searchParams.get('code'), searchParams.get('state')]
  if (!code) return undefined
  searchParams.delete('code')
  searchParams.delete('state')
  window.history.replaceState(null, '', address.toString())
  return state === null ? { code } : { code, state }
}

/** The login code: from WeChat in the mini-program; in a browser it stands in the address that opened the page. */
async function arrival(): Promise<Arrival | undefined> {
  return inBrowser ? fromAddress() : { code: (await Taro.login()).code }
}

export type SignedIn =
  | { result: 'signed_in' }
  | { result: 'binding_needed'; ticket: string; by: 'wechat' | 'wecom' }
  | { result: 'nobody' }

/** Signs in with the phone's WeChat identity, or as whom WeCom says; a fresh code in the address wins over an older session. */
export async function signIn(): Promise<SignedIn> {
  if (session() && !inBrowser) return { result: 'signed_in' }
  const arrived = await arrival()
  if (!arrived) return { result: session() ? 'signed_in' : 'nobody' }
  const { code, state } = arrived
  const answer = state === undefined ? await asWeChat(code) : await asWeCom(code, state)
  if (answer.result === 'binding_needed') {
    return { result: 'binding_needed', ticket: answer.ticket, by: state === undefined ? 'wechat' : 'wecom' }
  }
  keepSession(answer)
  return { result: 'signed_in' }
}

const asWeChat = (code: string) =>
  post<Schemas['MiniProgramAnswer']>('/api/sign-in/mini-program', { code }, { open: true })

function asWeCom(code: string, state: string) {
  const proof = String(Taro.getStorageSync(PROOF) ?? '')
  Taro.removeStorageSync(PROOF)
  return post<Schemas['WeComAnswer']>('/api/sign-in/wecom', { code, state, proof }, { open: true })
}

/** Sends the browser to WeCom, which sends it back with a code in its address. */
export async function departToWeCom(): Promise<void> {
  const { address, proof } = await post<Schemas['WeComDeparture']>('/api/sign-in/wecom/departure', {}, { open: true })
  Taro.setStorageSync(PROOF, proof)
  window.location.href = address
}

/** Where somebody goes whom the platform knows and we do not: residents with an invitation, staff with a password. */
export function bindingPage(answer: SignedIn): string | undefined {
  if (answer.result !== 'binding_needed') return undefined
  return `sign-in/${answer.by === 'wecom' ? 'staff' : 'binding'}?ticket=${encodeURIComponent(answer.ticket)}`
}

/** Who is signed in. */
export const me = () => get<Schemas['Me']>('/api/me')
