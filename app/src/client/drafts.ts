import Taro from '@tarojs/taro'

import { freshKey } from './api'

/** Something written and not sent yet. Survives a closed app and a dead network; its key makes it be done once. */
export interface Draft<Content> {
  key: string
  content: Content
}

/** The draft of this name, or a fresh one. */
export function openDraft<Content extends object>(name: string, empty: Content): Draft<Content> {
  const kept = Taro.getStorageSync(`draft:${name}`) as Draft<Content> | ''
  if (kept && kept.key) return { key: kept.key, content: { ...empty, ...kept.content } }
  return { key: freshKey(), content: empty }
}

export function keepDraft<Content>(name: string, draft: Draft<Content>): void {
  Taro.setStorageSync(`draft:${name}`, draft)
}

export function dropDraft(name: string): void {
  Taro.removeStorageSync(`draft:${name}`)
}
