import Taro from '@tarojs/taro'

import { get, post, type Schemas } from './api'
import { keepSession, session } from './session'
import { site } from './site'

const inBrowser = process.env.TARO_ENV === 'h5'

/** Under which this browser keeps what it has to show when it comes back from WeCom. */
const PROOF = 'wecom_proof'
/** Under which it keeps the page that is opened then. */
const BACK = 'wecom_back'
/** Under which this device keeps whom its next sign-in binds. */
const BINDING = 'sign_in_binding'
/** As long as the server keeps a ticket. */
const BINDING_LASTS_MS = 10 * 60 * 1000

/** With what somebody signs in. With a state it comes from WeCom, and belongs to staff. */
interface Arrival {
  code: string
  state?: string
}

/**
 * Whom the next sign-in on this device binds. It stands in no address: with a link that carries his own ticket a stranger
 * would become whoever opens it and signs in.
 */
export type Binding = { by: 'wechat'; ticket: string } | { by: 'wecom'; ticket: string; proof: string; member: string }

/** What is to be bound at the next sign-in of staff or of residents, if anything is. */
export function pendingBinding<By extends Binding['by']>(by: By): Extract<Binding, { by: By }> | undefined {
  const kept = Taro.getStorageSync(BINDING) as (Binding & { until: number }) | ''
  return kept && kept.by === by && kept.until > Date.now() ? (kept as unknown as Extract<Binding, { by: By }>) : undefined
}

function keepBinding(binding: Binding): void {
  Taro.setStorageSync(BINDING, { ...binding, until: Date.now() + BINDING_LASTS_MS })
}

export function forgetBinding(): void {
  Taro.removeStorageSync(BINDING)
}

/** Whether the platform plays the platforms, too. */
const isDemo = async () => (await site().catch(() => undefined))?.demo === true

/** What stands in the address that opened the page. It is good once: a reload must not send it again. */
async function fromAddress(): Promise<Arrival | undefined> {
  const address = new URL(window.location.href)
  const { searchParams } = address
  const [code, state] = [searchParams.get('code'), searchParams.get('state')]
  if (!code) return undefined
  searchParams.delete('code')
  searchParams.delete('state')
  window.history.replaceState(null, '', address.toString())
  if (state !== null) return { code, state }
  // The simulator's phones open this page with a code. Elsewhere a code alone is a stranger's, who would like to be signed in here.
  return (await isDemo()) ? { code } : undefined
}

/** The login code: from WeChat in the mini-program; in a browser it stands in the address that opened the page. */
async function arrival(): Promise<Arrival | undefined> {
  return inBrowser ? fromAddress() : { code: (await Taro.login()).code }
}

export type SignedIn = { result: 'signed_in' } | { result: 'binding_needed'; by: Binding['by'] } | { result: 'nobody' }

/**
 * Signs in with the phone's WeChat identity, or as whom WeCom says; a fresh code in the address wins over an older session.
 * Whom the platform knows and we do not is kept as what the next sign-in binds.
 */
export async function signIn(): Promise<SignedIn> {
  if (session() && !inBrowser) return { result: 'signed_in' }
  const arrived = await arrival()
  if (!arrived) return { result: session() ? 'signed_in' : 'nobody' }
  const { code, state } = arrived
  forgetBinding()
  const answer = state === undefined ? await asWeChat(code) : await asWeCom(code, state)
  if ('by' in answer) {
    keepBinding(answer)
    return { result: 'binding_needed', by: answer.by }
  }
  keepSession(answer)
  return { result: 'signed_in' }
}

async function asWeChat(code: string): Promise<Schemas['Tokens'] | Binding> {
  const answer = await post<Schemas['MiniProgramAnswer']>('/api/sign-in/mini-program', { code }, { open: true })
  return answer.result === 'binding_needed' ? { by: 'wechat', ticket: answer.ticket } : answer
}

async function asWeCom(code: string, state: string): Promise<Schemas['Tokens'] | Binding> {
  const proof = String(Taro.getStorageSync(PROOF) ?? '')
  Taro.removeStorageSync(PROOF)
  const answer = await post<Schemas['WeComAnswer']>('/api/sign-in/wecom', { code, state, proof }, { open: true })
  if (answer.result !== 'binding_needed') return answer
  return { by: 'wecom', ticket: answer.ticket, member: answer.member, proof }
}

/** Whether this is WeCom's own browser. */
export const insideWeCom = () => inBrowser && /wxwork/i.test(navigator.userAgent)

/**
 * Whether one can depart to WeCom from here: its page opens inside WeCom only, and sends back to the platform's page, not to the
 * co-signer's. The simulator's opens in any browser.
 */
export async function wecomOpens(): Promise<boolean> {
  if (!inBrowser) return false
  const here = await site().catch(() => undefined)
  return here?.served_by !== 'cosigner' && (here?.demo === true || insideWeCom())
}

/** Sends the browser to WeCom, which sends it back with a code in its address; `back` is the page that is opened then. */
export async function departToWeCom(back?: string): Promise<void> {
  const { address, proof } = await post<Schemas['WeComDeparture']>('/api/sign-in/wecom/departure', {}, { open: true })
  forgetBinding()
  Taro.setStorageSync(PROOF, proof)
  if (back) Taro.setStorageSync(BACK, back)
  else Taro.removeStorageSync(BACK)
  window.location.href = address
}

/** The page that whoever departed to WeCom wanted to see, once. */
export function takeBack(): string | undefined {
  const back = String(Taro.getStorageSync(BACK) || '')
  Taro.removeStorageSync(BACK)
  return back || undefined
}

/** Where somebody goes whom the platform knows and we do not: residents with an invitation, staff with a password. */
export function bindingPage(answer: SignedIn): string | undefined {
  if (answer.result !== 'binding_needed') return undefined
  return `sign-in/${answer.by === 'wecom' ? 'staff' : 'binding'}`
}

/** Who is signed in. */
export const me = () => get<Schemas['Me']>('/api/me')
