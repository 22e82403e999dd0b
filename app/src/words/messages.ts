import type { Schemas } from '../client/api'

type Recipient = Pick<Schemas['UndeliveredMessage'], 'recipient' | 'recipient_id' | 'recipient_kind' | 'recipient_place'>

/** Who gets a message, so that it is clear which of several people or groups of one name. */
export function called({ recipient, recipient_place }: Recipient): string {
  const name = recipient ?? '（没有名字）'
  return recipient_place ? `${name}（${recipient_place}）` : name
}

/** Whose messages these are, each named once. */
export function whose(messages: Recipient[]): string {
  const names = new Map(messages.map((message) => [message.recipient_id, called(message)]))
  return [...names.values()].join('、')
}

/** Those that go to the same person or group. */
export function toTheSame<Message extends Recipient>(one: Recipient, messages: Message[]): Message[] {
  const { recipient_id, recipient_kind } = one
  return messages.filter((other) => other.recipient_kind === recipient_kind && other.recipient_id === recipient_id)
}
