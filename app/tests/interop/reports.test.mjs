// Sealed reports against the Rust side, whose opening is age's own: what one seals the other opens.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { bareClient, Conversation } from './survey.mjs'

const CODE = '0123456789ABCDEFGHJK'
const TEXT = '村支书收了修路的回扣\n四千块'

let client, rust, officers
before(async () => {
  client = await bareClient()
  rust = new Conversation('reports')
  officers = [await rust.ask({ do: 'key' }), await rust.ask({ do: 'key' })]
})
after(() => rust?.stop())

const keys = () => officers.map(({ recipient }) => recipient)
const hexOf = (sealed) => client.hex(client.unbase64(sealed))

test('both sides derive the same from a code', async () => {
  const derived = await rust.ask({ do: 'code', code: client.printed(CODE) })
  assert.equal(client.hex(client.lookupOf(CODE)), derived.lookup)
  assert.equal(client.recipientOf(client.replySecret(CODE)), derived.recipient)
})

test('what a phone seals every officer opens, and nobody else', async () => {
  const said = { named: true, name: '测试', contact: '测试', text: TEXT }
  const envelope = hexOf(client.sealReport(keys(), CODE, said, client.randomness))
  for (const { key } of officers) {
    const { text, recipients } = await rust.ask({ do: 'open', key, envelope })
    assert.deepEqual([JSON.parse(text).text, recipients], [TEXT, 2])
  }
  const { key } = await rust.ask({ do: 'key' })
  assert.deepEqual(await rust.ask({ do: 'open', key, envelope }), { refused: 'Unopenable' })
})

test('what the other side seals to a code its holder reads', async () => {
  const reply = client.recipientOf(client.replySecret(CODE))
  const { envelope } = await rust.ask({ do: 'seal', to: [reply, ...keys()], text: TEXT })
  const sealed = client.base64(client.unhex(envelope, envelope.length / 2))
  assert.equal(client.openText(client.replySecret(CODE), sealed), TEXT)
  const back = hexOf(client.sealText([reply], '已受理', client.randomness))
  assert.equal((await rust.ask({ do: 'open_with_code', code: client.printed(CODE), envelope: back })).text, '已受理')
})

test('an officer’s key file is opened by age with its passphrase, and its key is age’s', async () => {
  const passphrase = 'correct horse battery'
  const { key, file } = client.makeKeyFile(passphrase, client.randomness)
  const { text } = await rust.ask({ do: 'unlock', passphrase, file: client.hex(file) })
  assert.ok(text.includes(`# public key: ${key.recipient}\n`))
  const secret = text.split('\n')[1]
  const envelope = hexOf(client.sealText([key.recipient], TEXT, client.randomness))
  assert.equal((await rust.ask({ do: 'open', key: secret, envelope })).text, TEXT)
})
