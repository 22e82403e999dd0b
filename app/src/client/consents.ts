/**
 * Asks whether WeChat may send messages: one accept is one message, so it is asked at each useful moment. WeChat asks
 * only inside a tap, hence what to ask about is fetched before. In a browser there is nothing to ask.
 */
import Taro from '@tarojs/taro'

import { get, post, type Schemas } from './api'

type Answer = Schemas['ConsentAnswer']

const answers: readonly string[] = ['accept', 'reject', 'ban', 'filter'] satisfies Answer[]

/** Whether this app can ask at all. */
export const canAsk = () => process.env.TARO_ENV === 'weapp'

/** The templates to ask about; none where nothing can be asked or nothing is to be got. */
export async function templatesToAsk(): Promise<string[]> {
  if (!canAsk()) return []
  const { templates } = await get<Schemas['MessageTemplates']>('/api/me/consents')
  return templates.map((template) => template.template_id)
}

/** Call it inside a tap. Whether anything was accepted. */
export async function askFor(templates: string[]): Promise<boolean> {
  // Started without waiting for anything else: after that it would be no tap any more.
  const asked = Taro.requestSubscribeMessage({ tmplIds: templates, entityIds: [] })
  let result: Record<string, unknown>
  try {
    result = (await asked) as unknown as Record<string, unknown>
  } catch {
    // Switched off as a whole, or asked at a wrong moment: then there are no messages.
    return false
  }
  const choices = templates.flatMap((template_id) => {
    const answer = result[template_id]
    return typeof answer === 'string' && answers.includes(answer) ? [{ template_id, answer: answer as Answer }] : []
  })
  if (choices.length > 0) {
    // The platform tells the server, too; a report that is lost costs nothing.
    await post('/api/me/consents', { choices }).catch(() => undefined)
  }
  return choices.some((choice) => choice.answer === 'accept')
}
