// An anonymous survey on a phone-sized screen: from the township's page to the co-signer's, enrolled with a card, answered, in the
// box; a week later counted, posted in the group, and checked by the offline verifier.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { openBrowser, Person } from './person.mjs'
import { program, startDemo } from './server.mjs'

const title = '东河村本季度村务满意度'
let demo, browser, resident, sid

before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  resident = await Person.with(browser)
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** The card of a phone, as it lies on the demo's front page. */
async function card(phone) {
  const front = await (await fetch(`${demo.address}/`)).text()
  return front.match(new RegExp(`<td>${phone}</td><td><code>([^<]+)</code>`))[1]
}

test('the village group was invited, with two sentences about what is protected and what is not', async () => {
  const group = await Person.with(browser)
  await group.open(`${demo.sandbox}/sandbox/groups/demo-group-01`)
  await group.waitsFor(title)
  await group.sees('票箱指纹')
})

test("the township's own page does not take the answer, it leads to the co-signer's", async () => {
  await resident.open(`${demo.sandbox}/sandbox/phones/phone-resident-01-1`)
  await resident.tapIntoNewWindow('打开小程序')
  await resident.sees('云溪镇 东河村')
  await resident.tap('背靠背测评')
  await resident.sees(title)
  await resident.doesNotSee('去答题')
  await resident.tap('到县里的网页去答')
  await resident.page.waitForURL((url) => url.origin === demo.cosigner)
  await resident.sees('先登记这部手机')
  assert.ok(!resident.page.url().includes('handover='), 'the code that signed in is not kept in the address')
})

test('a mistyped card is told, and the right one enrols the phone', async () => {
  await resident.tap('用登记卡登记')
  const code = await card('phone-resident-01-1')
  await resident.type('登记卡上的码', code.slice(0, 10))
  await resident.tap('登记这部手机')
  await resident.sees('要输满21个字母和数字')
  await resident.type('登记卡上的码', code)
  await resident.tap('登记这部手机')
  await resident.sees('这部手机登记给了东河村的一位村民')
  await resident.tap('看看有哪些测评')
})

test('the answer is sealed after the codes were compared, and goes into the box', async () => {
  await resident.tap('去答题')
  await resident.sees('保护级别 2')
  await resident.sees('先和公示栏比一比')
  await resident.doesNotSee('开始答')
  await resident.findsNoFaults('answer')
  await resident.tap('比过了，都一样')
  await resident.tap('开始答')
  await resident.sees('不答这题')
  await resident.findsNoFaults('questions')
  for (const question of await resident.page.locator('.card:has(.label)').all()) {
    await question.getByText('基本满意', { exact: true }).or(question.getByText('不答这题', { exact: true })).first().click()
  }
  await resident.tap('封好投进票箱')
  await resident.tap('确定投进去')
  await resident.sees(/已寄出，等着进票箱|已在票箱里/)
  await resident.waitsFor('已在票箱里', () => resident.tap('看看进票箱没有'))
  await resident.sees('回执：')
  const kept = await resident.page.evaluate(() => JSON.stringify({ ...localStorage }))
  sid = kept.match(/sealed-box:[^:]+:([0-9a-f]{32})/)[1]
})

test('nobody sees a result before the close, and the office sees only numbers', async () => {
  const office = await Person.with(browser)
  await office.signInAsStaff(demo, 'office')
  await office.tap('我的待办')
  await office.tap('背靠背测评')
  await office.tap(title)
  await office.sees('名册39人，已领票22人')
  assert.equal((await fetch(`${demo.box}/v1/${sid}/ballots.jsonl`)).status, 404)
  assert.equal((await fetch(`${demo.box}/v1/${sid}/totals.json`)).status, 404)
  assert.deepEqual(office.errors, [])
})

test('a week later it is counted, the phone finds its own ballot, and the group reads the result', async () => {
  await demo.daysLater(7)
  await resident.open(`${demo.cosigner}/app/#/pages/sealed-surveys/list`)
  await resident.page.reload()
  await resident.waitsFor(title)
  await resident.tap(title)
  await resident.waitsFor('已计入 ✓')
  await resident.sees('有效票22')
  await resident.findsNoFaults('result')
  const group = await Person.with(browser)
  await group.open(`${demo.sandbox}/sandbox/groups/demo-group-01`)
  await group.waitsFor(/测评结果|结果已公布|已公布/)
  await group.sees(title)
})

test('the published bundle passes the verifier offline, and a changed one does not', async () => {
  const folder = path.join(demo.folder, 'bundle')
  await resident.sees(`${demo.box}/v1/${sid}`)
  const fetched = spawnSync(program, ['fetch-bundle', `${demo.box}/v1/${sid}`, folder], { encoding: 'utf8' })
  assert.equal(fetched.status, 0, fetched.stderr)
  const wrong = spawnSync(program, ['fetch-bundle', `${demo.box}/v1/${'0'.repeat(32)}`, `${folder}-2`], { encoding: 'utf8' })
  assert.notEqual(wrong.status, 0)
  const keys = path.join(demo.folder, 'keys.txt')
  writeFileSync(keys, await (await fetch(`${demo.cosigner}/v1/keys`)).text())
  const verify = () => spawnSync(program, ['verify', folder, '--vkeys', keys, '--roll-size', '39'], { encoding: 'utf8' })
  const passed = verify()
  assert.equal(passed.status, 0, passed.stdout + passed.stderr)
  const totals = path.join(folder, 'totals.json')
  writeFileSync(totals, '{"v":1,"ballots":21,"questions":{}}')
  assert.equal(verify().status, 1)
})

test('the screens run without errors and ask nobody but the three parties', () => {
  assert.deepEqual(resident.errors, [])
  const known = [demo.address, demo.sandbox, demo.box, demo.cosigner]
  const foreign = resident.requests.filter((url) => !known.some((host) => url.startsWith(host)) && !/^(data|blob):/.test(url))
  assert.deepEqual(foreign, [])
})
