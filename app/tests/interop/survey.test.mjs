// The phones' client against the server's own code: what one seals the other opens, admits and counts; what was tampered
// with it refuses, each for its reason.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { bareClient, Survey } from './survey.mjs'

const RESIDENTS = 8
const EVERYBODY = ['platform', 'cosigner', 'witness']
const cards = Array.from({ length: RESIDENTS }, (_, number) => `7ZK3M0Q9XW5T8N2R4V${number}B`)
const slip = '0123456789ABCDEFGHJK'

let client, survey, prepared, bound, residents
before(async () => {
  client = await bareClient()
  survey = new Survey()
  residents = cards.map((card) => ({ card, device: client.randomness(32) }))
  prepared = await survey.ask({ do: 'prepare', cards, slips: [slip] })
  bound = client.readManifest(JSON.stringify(prepared.manifest), prepared.manifest.sid)
})
after(() => survey?.stop())

const flip = (text, at) => text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1)
const leafOf = ({ card }) => client.hex(client.rollLeaf(bound.sid, client.cardCommitment(card)))

function request(resident) {
  const made = client.makeRequest(bound, client.randomness)
  const device = client.hex(client.publicKey(resident.device))
  return { made, device }
}

async function issue(resident) {
  const { made, device } = request(resident)
  const { a, b, d } = made
  const signature = client.signRequest(resident.device, bound.sid, a.blinded, d.blinded)
  const platform = await survey.ask({ do: 'credential', a: a.blinded, d: d.blinded, device, signature, card: resident.card })
  const cosigner = await survey.ask({ do: 'cosign', b: b.blinded, device, signature: client.signRequest(resident.device, bound.sid, b.blinded) })
  return {
    ballot: made.ballot,
    tag: made.tag,
    a: client.finish(bound, 'a', made, a, platform.sa),
    b: client.finish(bound, 'b', made, b, cosigner.sb),
    d: client.finish(bound, 'd', made, d, platform.sd),
  }
}

const cast = (credential, q1, q2, revision = 0) => client.cast(bound, credential, { q1, q2 }, revision, client.randomness)
const drop = (outer) => survey.ask({ do: 'drop', outer })

test('the client needs nothing but the language, and is small', () => {
  assert.ok(client.length < 200_000, `${client.length} bytes`)
})

test('both sides read the manifest alike', () => {
  assert.equal(bound.hash, prepared.hash)
  assert.equal(client.posterCode(bound), prepared.poster)
})

test('everybody finds her place in the roll', () => {
  assert.deepEqual(residents.map(leafOf).sort(), prepared.manifest.roll)
})

test('a request is signed by the phone that asks, and by no other', async () => {
  const { made, device } = request(residents[0])
  const foreign = client.signRequest(residents[1].device, bound.sid, made.b.blinded)
  assert.deepEqual(await survey.ask({ do: 'cosign', b: made.b.blinded, device, signature: foreign }), { refused: 'DeviceSignature' })
  const forAnother = client.signRequest(residents[0].device, bound.sid, made.a.blinded)
  assert.deepEqual(await survey.ask({ do: 'cosign', b: made.b.blinded, device, signature: forAnother }), { refused: 'DeviceSignature' })
})

test('a signature of the wrong authority, or over another message, is not taken', async () => {
  const { made, device } = request(residents[0])
  const signature = client.signRequest(residents[0].device, bound.sid, made.b.blinded)
  const { sb } = await survey.ask({ do: 'cosign', b: made.b.blinded, device, signature })
  assert.throws(() => client.finish(bound, 'a', made, made.a, sb), { code: 'invalid_signature' })
  assert.throws(() => client.finish(bound, 'b', made, made.a, sb), { code: 'invalid_signature' })
  assert.throws(() => client.finish(bound, 'b', made, made.b, flip(sb, 1)), { code: 'invalid_signature' })
  assert.equal(client.finish(bound, 'b', made, made.b, sb).signature.length, 512)
})

test('what was tampered with is refused, each for its reason', async () => {
  const [mine, other] = [await issue(residents[0]), await issue(residents[1])]
  const { outer } = cast(mine, 1, 2)
  const changed = (change) => {
    const fields = JSON.parse(outer)
    change(fields)
    return client.canonical(fields)
  }
  const otherOuter = JSON.parse(cast(other, 1, 1).outer)
  const refusals = {
    Form: [outer.slice(1), `${outer} `, outer.replace('"seq":0', '"seq": '), changed((fields) => (fields.env = flip(fields.env, 1)))],
    ForeignSurvey: [changed((fields) => (fields.sid = flip(fields.sid, 3)))],
    Ticket: [
      changed((fields) => (fields.prefix = flip(fields.prefix, 3))),
      changed((fields) => (fields.sig = flip(fields.sig, 300))),
      changed((fields) => (fields.tag = otherOuter.tag)),
      // The platform's signature over a ballot key is no ticket for a tag.
      changed((fields) => Object.assign(fields, { prefix: mine.a.prefix, sig: mine.a.signature })),
    ],
    Signature: [
      changed((fields) => (fields.env = flip(fields.env, 4000))),
      changed((fields) => (fields.tsig = flip(fields.tsig, 9))),
      changed((fields) => (fields.seq = 1)),
      changed((fields) => (fields.env = otherOuter.env)),
    ],
    TooManyRevisions: [changed((fields) => (fields.seq = 8))],
  }
  for (const [refused, outers] of Object.entries(refusals)) {
    for (const [index, tampered] of outers.entries()) assert.deepEqual(await drop(tampered), { refused }, `${refused} ${index}`)
  }
  assert.deepEqual(await drop(outer), { admitted: true })
  assert.deepEqual(await drop(outer), { admitted: true }, 'the identical bytes once more')
  assert.deepEqual(await drop(cast(mine, 3, 3).outer), { refused: 'StaleSequence' })
  assert.deepEqual(await drop(cast(mine, 2, 2, 1).outer), { admitted: true })
  assert.throws(() => cast(mine, 2, 2, 8), /more revisions/)
  assert.throws(() => cast(mine, 4, 2), /not answers/)
  assert.deepEqual(await drop(cast(other, 1, 1).outer), { admitted: true })
})

test('a slip drawn from the bag is answered on any phone with nothing but its code', async () => {
  const slips = prepared.paper
  const credential = client.slipCredential(bound, slip, slips)
  assert.deepEqual(await drop(cast(credential, 2, 0).outer), { admitted: true })
  assert.equal(client.slipCredential(bound, cards[0], slips), undefined, 'no slip of this box')
  const forged = { ...slips, keys: slips.keys.map((line) => ({ ...line, sa: line.sb, pa: line.pb })) }
  assert.throws(() => client.slipCredential(bound, slip, forged), /did not sign/)
})

test('the box is counted, and the voter finds her last row under a checkpoint that all have signed', async () => {
  const voters = []
  for (const resident of residents.slice(2, 7)) voters.push(await issue(resident))
  for (const [index, voter] of voters.entries()) await drop(cast(voter, (index % 3) + 1, 0).outer)
  const voter = await issue(residents[7])
  const first = cast(voter, 1, 1)
  const last = cast(voter, 3, 0, 1)
  await drop(first.outer)
  await drop(last.outer)

  const pinned = new client.Pinned(prepared.pinned)
  const half = await survey.ask({ do: 'flush', signers: ['platform', 'cosigner'] })
  assert.equal(pinned.read(half.note, bound.manifest.origin), undefined, 'no witness yet')
  const flushed = await survey.ask({ do: 'flush', signers: EVERYBODY })
  const checkpoint = pinned.read(flushed.note, bound.manifest.origin)
  const log = client.parseLog(flushed.log)
  assert.equal(client.roots(log.lines, [checkpoint.size]).get(checkpoint.size), checkpoint.root)
  assert.ok(log.leaves.some((leaf) => leaf.t === 'box' && leaf.h === last.envelope && leaf.seq === 1))
  assert.equal(log.leaves[0].h, bound.hash)
  assert.equal(pinned.read(flushed.note, 'box.example/xihe'), undefined, 'another log')
  assert.equal(pinned.read(flushed.note.replace(/\n\d+\n/, '\n3\n'), bound.manifest.origin), undefined)

  const mine = { row: last.row, roll_leaf: leafOf(residents[7]), issued: true }
  const published = await survey.ask({ do: 'publish', mine })
  assert.deepEqual([published.ballots, published.junk, published.failed], [9, 0, []])
  const whole = client.parseLog(published.files['log.jsonl'])
  const rows = whole.leaves.filter((leaf) => leaf.t === 'ballot').map((leaf) => leaf.h)
  assert.ok(rows.includes(last.row) && !rows.includes(first.row))
  const totals = JSON.parse(published.files['totals.json'])
  assert.equal(totals.ballots, 9)
  assert.deepEqual(totals.questions.q1, [0, 3, 4, 2])
})
