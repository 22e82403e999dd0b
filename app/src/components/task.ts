import { ref } from 'vue'

import { Refused } from '../client/api'

/** Runs one thing at a time and keeps what went wrong, in words. */
export function useTask() {
  const busy = ref(false)
  const error = ref('')
  const refused = ref<Refused>()

  async function run(work: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    error.value = ''
    refused.value = undefined
    try {
      await work()
      return true
    } catch (thrown) {
      if (thrown instanceof Refused) {
        refused.value = thrown
        error.value = [thrown.message, ...thrown.fields.map((field) => field.detail)].join(' ')
      } else {
        error.value = '出了点问题，请返回后再试。'
      }
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, error, refused, run }
}
