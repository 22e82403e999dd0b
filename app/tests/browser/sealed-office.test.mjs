// An anonymous survey from the office's side, on a phone-sized screen: planned, prepared, opened; one resident draws a paper slip
// and answers on a phone that is nobody's; then it is cancelled. Nobody else may do any of it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { answers, asked, onlyBox, plans, printsSlips } from './office-surveys.mjs'
import { openBrowser, Person } from './person.mjs'
import { startDemo } from './server.mjs'

const title = '东河村饮水工程'
let demo, browser, office, leader, resident, visitor, survey, slips

before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  ;[office, leader, resident, visitor] = await Promise.all([1, 2, 3, 4].map(() => Person.with(browser)))
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

test('the office plans a survey, and nobody is told yet', async () => {
  await office.signInAsStaff(demo, 'office')
  await plans(office, '村级工作群众满意度调查', { title, choices: ['东河村'], paper: 3 })
  await office.findsNoFaults('plan')
  await office.tap('做好，先不开箱')
  await office.sees('筹备中')
  survey = await onlyBox(office)
  await office.findsNoFaults('planned')
})

test('box and keys are made, the rolls agree, and the slips are printed before the opening', async () => {
  await office.tap('制作票箱')
  await office.sees('之后名册和题目都不能再改')
  await office.tap('确定制作票箱')
  await office.sees('等待开箱')
  await office.sees('公示栏核对码')
  slips = printsSlips(demo, survey.sid, 3)
  // Before the slips are printed it cannot be opened.
  await office.doesNotSee('开箱')
  await office.page.reload()
  await office.tap('开箱')
  await office.tap('确定开箱')
  await office.sees('正在进行')
})

test('who draws a slip stands in the register before, and gets no ticket by phone any more', async () => {
  await resident.open(`${demo.sandbox}/sandbox/phones/phone-resident-01-2`)
  await resident.tapIntoNewWindow('打开小程序')
  await resident.sees('云溪镇 东河村')
  const { body: me } = await asked(resident, 'GET', '/api/me')
  await office.type('谁用纸票', '没有这个人')
  await office.tap('在名册上找')
  await office.sees('这个票箱的名册上没有这个人')
  await office.type('谁用纸票', me.name)
  await office.tap('在名册上找')
  await office.tap(`登记${me.name}（东河村）用纸票`)
  await office.sees('请本人自己从袋子里抽一张纸票')
  await office.findsNoFaults('register')
  await resident.tap('背靠背测评')
  await resident.sees('登记册上您选了纸票，请用纸票答')
})

test('a slip is answered without a sign-in on any phone, on the co-signer’s page, and only once', async () => {
  await visitor.open(`${demo.address}/app/`)
  await visitor.tap('用纸票答测评')
  await visitor.sees('请到县里的网页去答')
  assert.equal(await visitor.page.locator('[aria-label="纸票上的码"]:visible').count(), 0)
  await visitor.tap('到县里的网页去答')
  await visitor.page.waitForURL((url) => url.origin === demo.cosigner)
  await visitor.type('纸票上的码', slips[0].slice(0, 9))
  await visitor.type('票箱号', survey.sid)
  await visitor.tap('用这张纸票答')
  await visitor.sees('要输满21个字母和数字')
  await visitor.type('纸票上的码', slips[0])
  await visitor.tap('用这张纸票答')
  await visitor.sees('保护级别 2')
  await visitor.sees('公示栏上的核对码应该是')
  await answers(visitor, [0, 1])
  await visitor.findsNoFaults('slip')
  await visitor.tap('封好投进票箱')
  await visitor.sees('投进去了')
  await visitor.open(`${demo.cosigner}/app/#/pages/sealed-surveys/slip?sid=${survey.sid}&code=${slips[0]}`)
  await visitor.page.reload()
  // The page takes it out of the address as soon as it has read it.
  await visitor.page.waitForURL((url) => !url.href.includes('code='))
})

test('the leader looks on and can do nothing, the village’s people do not even see it', async () => {
  await leader.signInAsStaff(demo, 'leader')
  await leader.tap('我的待办')
  await leader.tap('背靠背测评')
  await leader.tap(title)
  await leader.sees('正在进行')
  for (const act of ['制作票箱', '开箱', '取消']) await leader.doesNotSee(act)
  await leader.open(`${demo.address}/app/#/pages/sealed-surveys/manage`)
  await leader.sees(title)
  await leader.doesNotSee('开一次新的测评')
  const secretary = await Person.with(browser)
  await secretary.signInAsStaff(demo, 'secretary-01')
  await secretary.tap('我的待办')
  await secretary.tap('背靠背测评')
  await secretary.sees('还没有测评')
  for (const person of [leader, secretary]) {
    const { status } = await asked(person, 'POST', `/api/sealed-surveys/${survey.id}/cancellation`, { reason: '不想办了' })
    assert.ok([403, 404].includes(status), `${status}`)
  }
})

test('a cancelled survey opens nothing, and says why', async () => {
  await office.page.reload()
  await office.tap('取消')
  await office.sees('票箱作废')
  await office.type('理由', '问卷印错了')
  await office.tap('确定取消')
  await office.waitsFor('已取消')
  await office.doesNotSee('谁用纸票')
  await office.findsNoFaults('cancelled')
})

test('nothing went wrong on the pages', () => {
  assert.deepEqual([office, leader, resident, visitor].flatMap(({ errors }) => errors), [])
})
