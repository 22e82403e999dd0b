// What the township office and the leader do on the phone beside the five-minute walk.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { AxeBuilder } from '@axe-core/playwright'

import { openBrowser, Person } from './person.mjs'
import { startDemo } from './server.mjs'

let demo, browser, resident, office
before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  resident = await Person.with(browser)
  office = await Person.with(browser)
  await resident.open(`${demo.sandbox}/sandbox/phones/phone-resident-01-1`)
  await resident.tapIntoNewWindow('打开小程序')
  await resident.sees('云溪镇 东河村')
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** A picture for whoever wants to look; only where a folder is named. */
async function picture(person, name) {
  if (process.env.QINGFENG_PICTURES) await person.page.screenshot({ path: `${process.env.QINGFENG_PICTURES}/${name}.png` })
}

async function hasNoSeriousFaults(person, name) {
  // A page that still slides in cannot be judged.
  await person.page.reload()
  await person.page.waitForTimeout(800)
  await picture(person, name)
  const { violations } = await new AxeBuilder({ page: person.page }).analyze()
  const serious = violations.filter((violation) => ['serious', 'critical'].includes(violation.impact))
  assert.deepEqual(serious.map(({ id, nodes }) => `${name} ${id} ${nodes[0].html.slice(0, 160)}`), [])
}

async function says(words) {
  await resident.open(`${demo.address}/app/#/pages/complaints/submit`)
  await resident.page.reload()
  await resident.type('什么问题', words)
  await resident.tap('用电照明')
  await resident.tap('提交')
  await resident.sees('已收到')
}

test('a complaint that sounds like an earlier one is suggested for merging, and merged', async () => {
  await says('小学门口的减速带坏了，学生过马路危险')
  await says('小学门口减速带坏了，学生过马路很危险')
  await office.signInAsStaff(demo, 'office')
  await office.open(`${demo.address}/app/#/pages/home/index`)
  await office.page.reload()
  await office.tap('群众诉求')
  await office.tap('小学门口减速带坏了，学生过马路很危险')
  await office.sees('可能是同一件事')
  await hasNoSeriousFaults(office, 'similar')
  await office.tap('并入这件')
  await office.sees('已合并')
})

/** The office opens a survey in the second village, whose group has lost its robot. */
async function invitesToASurvey() {
  await fetch(`${demo.sandbox}/sandbox/api/groups/demo-group-02`, { method: 'DELETE' })
  const opened = await office.page.evaluate(async () => {
    const { access_token } = JSON.parse(localStorage.getItem('session')).data
    const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' }
    const units = await (await fetch('/api/organizations', { headers })).json()
    const village_id = units.items.filter((unit) => unit.kind === 'village')[1].id
    const closes_on = new Date(Date.now() + 9 * 86400_000).toISOString().slice(0, 10)
    const questions = [{ text: '中午有水吗？', choices: ['有', '没有'] }]
    const body = JSON.stringify({ village_id, title: '自来水', closes_on, questions })
    return (await fetch('/api/surveys', { method: 'POST', headers, body })).status
  })
  assert.equal(opened, 201)
}

test('a post that did not get through stands with its reason, and goes out again', async () => {
  await invitesToASurvey()
  await office.open(`${demo.address}/app/#/pages/desk/index`)
  for (let attempt = 0; ; attempt++) {
    await office.page.reload()
    await office.page.waitForTimeout(1500)
    if (await office.page.getByText('有消息没有送到，去看看').count()) break
    assert.ok(attempt < 20, 'the desk tells of it')
  }
  await hasNoSeriousFaults(office, 'desk')
  await office.tap('有消息没有送到，去看看')
  await office.sees('没有送到的消息')
  await hasNoSeriousFaults(office, 'messages')
  await office.sees('自来水')
  await office.tap('重新发送')
  await office.sees('消息都送到了')
})

/** How somebody is called, as the roster has it. */
const nameOf = (person) =>
  person.page.evaluate(async () => {
    const { access_token } = JSON.parse(localStorage.getItem('session')).data
    const answer = await fetch('/api/me', { headers: { Authorization: `Bearer ${access_token}` } })
    return (await answer.json()).name
  })

test('an item that names a resident is refused until the writer says that the word is no name', async () => {
  const name = await nameOf(resident)
  await office.open(`${demo.address}/app/#/pages/rectifications/create`)
  await office.page.reload()
  await office.tap('东河村')
  await office.type('群众原话', '桥上的护栏松了')
  await office.tap('不推不动的“木头人”')
  await office.type('标题', '桥上护栏整改')
  await office.type('整改目标', `${name}桥护栏牢固`)
  await office.type('措施', '换护栏')
  await office.tap('下达')
  await office.sees(`里面有本村居民的姓名：${name}。`)
  await hasNoSeriousFaults(office, 'names')
  await office.tap('下达')
  await office.tap(`“${name}”不是人名`)
  await office.tap('下达')
  await office.sees(`${name}桥护栏牢固`)
  await office.sees('未启动')
})

test('nothing went wrong on the pages', () => {
  assert.deepEqual([...resident.errors, ...office.errors], [])
})
