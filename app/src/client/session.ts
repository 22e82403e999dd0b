import Taro from '@tarojs/taro'
import { ref } from 'vue'

/** What is kept of a sign-in on this phone. */
export interface Session {
  access_token: string
  refresh_token: string
  person_kind: 'resident' | 'staff'
}

const KEY = 'session'
const current = ref<Session | undefined>(Taro.getStorageSync(KEY) || undefined)

/** Whether the server has asked who is there since the last sign-in. */
const asked = ref(false)

/** The sign-in in force, if there is one. */
export const session = () => current.value

export function keepSession(tokens: Session): void {
  const { access_token, refresh_token, person_kind } = tokens
  current.value = { access_token, refresh_token, person_kind }
  asked.value = false
  Taro.setStorageSync(KEY, current.value)
}

export function clearSession(): void {
  current.value = undefined
  Taro.removeStorageSync(KEY)
}

/** The server takes no session, or not this one: whoever goes on has to sign in. */
export function askToSignIn(): void {
  clearSession()
  asked.value = true
}

/** Whether something was refused because nobody is signed in. */
export const signInAsked = () => asked.value && current.value === undefined
