// The office words a message itself, sees what each platform would get, and the leader lets the words be used.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { openBrowser, Person } from './person.mjs'
import { startDemo } from './server.mjs'

let demo, browser, office, leader
before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  office = await Person.with(browser)
  leader = await Person.with(browser)
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

const OWN = '**云溪镇公示** {{ 村 }}\n> {{ 标题 }}\n我们承诺：{{ 承诺 }}\n{{ 期限|日期 }}前完成。[看进展]({{ 链接 }})'

async function opensTheWords(person, login) {
  await person.signInAsStaff(demo, login)
  await person.tap('我的待办')
  await person.tap('通知用语')
  await person.sees('发到群里的')
}

test('words are proposed with a preview, and used when a second person has seen them', async () => {
  await opensTheWords(office, 'office')
  await office.findsNoFaults('wordings')
  await office.open(`${demo.address}/app/#/pages/wordings/edit?kind=group.rectification_published`)
  await office.sees('整改事项公开承诺')
  await office.type('用语', '**公示** {{ 村长 }}')
  await office.tap('预览改后的样子')
  await office.sees('第1行第11个字：没有“村长”这一项')
  await office.type('用语', OWN)
  await office.tap('预览改后的样子')
  await office.sees('改后：企业微信群机器人')
  await office.sees('改后：普通微信群（由人转发）')
  await office.sees('我们承诺：每周公布一次进度')
  await office.findsNoFaults('wording')
  await office.tap('提交，请另一个人确认')
  await office.sees('已提交，等另一个人确认')
  await office.tap('看过了，可以用')
  await office.sees('自己提的用语要由另一个人确认')

  await opensTheWords(leader, 'leader')
  await leader.sees('等确认的用语')
  await leader.tap('整改事项公开承诺')
  await leader.sees('我们承诺')
  await leader.findsNoFaults('wording-waiting')
  await leader.tap('看过了，可以用')
  await leader.sees('正在用')
  assert.deepEqual([...office.errors, ...leader.errors], [])
})

test('words that keep a promise are shown with why they stay', async () => {
  await office.open(`${demo.address}/app/#/pages/wordings/edit?kind=group.post_corrected`)
  await office.sees('这种消息的用语不能改')
  await office.doesNotSee('提交，请另一个人确认')
})
