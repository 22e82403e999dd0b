import { reactive, watch } from 'vue'

import { freshKey, Refused } from '../client/api'
import { dropDraft, keepDraft, openDraft } from '../client/drafts'

/**
 * What somebody writes on a page: kept on the phone until the server has it, sent once however often it is sent.
 * Nothing is kept of a form that was only looked at.
 */
export function useDraft<Content extends object>(name: string, empty: () => Content) {
  const draft = reactive(openDraft(name, empty())) as { key: string; content: Content }
  watch(draft, () => {
    if (JSON.stringify(draft.content) === JSON.stringify(empty())) dropDraft(name)
    else keepDraft(name, draft)
  })

  function clear() {
    draft.key = freshKey()
    draft.content = empty()
  }

  async function send<Answer>(act: (content: Content, key: string) => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await act(draft.content, draft.key)
      clear()
      return answer
    } catch (thrown) {
      // What the server has refused may be changed and sent as a new act; what did not arrive keeps its key.
      if (thrown instanceof Refused && thrown.status >= 400 && thrown.status < 500) draft.key = freshKey()
      throw thrown
    }
  }

  return { draft, send, clear }
}

/** The key of one intended tap, as for a rating: the same until the server has done it, then another one. */
export function useKey() {
  let key = freshKey()
  return async function once<Answer>(act: (key: string) => Promise<Answer>): Promise<Answer> {
    const answer = await act(key)
    key = freshKey()
    return answer
  }
}
