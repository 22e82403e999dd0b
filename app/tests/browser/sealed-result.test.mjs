// A village's people rate their secretary on paper, on a phone-sized screen of the office: planned, slips drawn, typed in by two
// people, accounted for; a week later counted, read by the office as a sheet and a workbook, released, and read by the secretary.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { answers, asked, onlyBox, plans, printsSlips, roll } from './office-surveys.mjs'
import { openBrowser, Person } from './person.mjs'
import { startDemo } from './server.mjs'

const title = '东河村书记年度测评'
/** Fewer than ten are never opened. */
const VOTERS = 11
let demo, browser, office, secretary, survey, slips

before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  ;[office, secretary] = await Promise.all([1, 2].map(() => Person.with(browser)))
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

test('whoever is rated is chosen by name, and departments too', async () => {
  await office.signInAsStaff(demo, 'office')
  await plans(office, '村评镇直部门', { title, choices: [], paper: 0 })
  await office.sees('评哪些部门')
  assert.equal(await office.page.locator('[aria-label="评什么"]:visible').count(), 0)
  await office.tap('不做了')
  await office.tap('村干部民主测评')
  await office.type('标题', title)
  await office.tap('东河村')
  await office.page.getByText(/^东河村党支部书记 /).locator('visible=true').first().click()
  await office.type('每个票箱印几张纸票', String(VOTERS + 1))
  await office.findsNoFaults('choose')
  await office.tap('做好，先不开箱')
  await office.sees('筹备中')
  await office.sees(/东河村书记年度测评·东河村党支部书记 /)
  survey = await onlyBox(office)
})

test('eleven people are registered and draw a slip each', async () => {
  await office.tap('制作票箱')
  await office.tap('确定制作票箱')
  await office.sees('等待开箱')
  slips = printsSlips(demo, survey.sid, VOTERS + 1)
  await office.page.reload()
  await office.tap('开箱')
  await office.tap('确定开箱')
  await office.sees('正在进行')
  const people = roll(demo).filter((person) => person.village_name === '东河村' && person.class === 'resident')
  for (const { resident } of people.slice(-VOTERS)) {
    const { status } = await asked(office, 'POST', `/api/sealed-surveys/boxes/${survey.sid}/register`, { resident_id: resident })
    assert.equal(status, 204)
  }
})

/** One person of the team types these slips in. */
async function typesIn(codes, options) {
  for (const [number, code] of codes.entries()) {
    await office.type('纸票上的码', code)
    await answers(office, options(number))
    await office.tap('记下这一张')
    await office.sees(`已录${number + 1}张`)
  }
}

test('two people type the slips in, and what they read differently stays out until they agree', async () => {
  await office.tap('录纸票')
  await office.sees('第1个人录，已录0张')
  await office.findsNoFaults('typing')
  const read = (number) => [number % 3]
  const [first, others] = [slips.slice(0, 2), slips.slice(2, VOTERS)]
  await typesIn(first, read)
  await office.tap('录完了，换第二个人')
  await typesIn(first, (number) => (number === 1 ? [3] : read(number)))
  await office.tap('录完了，核对并投进票箱')
  await office.sees('两个人录的不一样')
  await office.sees(first[1])
  await office.doesNotSee('已投进票箱2张。')
  await office.tap('第二个人重录')
  await typesIn(first, read)
  await office.tap('录完了，核对并投进票箱')
  await office.sees('已投进票箱2张。')
  await typesIn(others, read)
  await office.tap('录完了，换第二个人')
  await typesIn(others, read)
  await office.tap('录完了，核对并投进票箱')
  await office.sees(`已投进票箱${VOTERS}张。`)
})

test('the secretary sees nothing of it while it runs', async () => {
  await secretary.signInAsStaff(demo, 'secretary-01')
  await secretary.tap('测评结果')
  await secretary.sees('东河村上季度村务满意度')
  await secretary.doesNotSee(title)
  assert.equal((await asked(secretary, 'GET', `/api/sealed-surveys/${survey.id}`)).status, 404)
})

test('a closed box is not counted before the slips are accounted for, and the one that nobody drew is void', async () => {
  await demo.daysLater(7)
  await office.open(`${demo.address}/app/#/pages/sealed-surveys/conduct?id=${survey.id}`)
  await office.page.reload()
  await office.waitsFor('纸票账还没有报：报了才计票。')
  await office.tap('报纸票账')
  await office.type('抽走几张', String(VOTERS))
  await office.type('收回几张', String(VOTERS))
  await office.type('废票几张', '0')
  await office.type('没有抽走的纸票的码', slips[VOTERS])
  await office.findsNoFaults('account')
  await office.page.getByText('报纸票账', { exact: true }).locator('visible=true').last().click()
  await office.sees('已报，接着就开箱计票。')
})

test('counted, the office reads the sheet with groups and the account of the slips, and takes it along as a workbook', async () => {
  await office.open(`${demo.address}/app/#/pages/sealed-surveys/conduct?id=${survey.id}`)
  await office.page.reload()
  await office.waitsFor('看结果')
  await office.tap('看结果')
  await office.waitsFor(`应参加39人，领票${VOTERS}，有效票${VOTERS}`)
  await office.sees(`纸票：印${VOTERS + 1}，抽走${VOTERS}，收回${VOTERS}，废票0`)
  await office.sees(/村民（权重40%）/)
  await office.findsNoFaults('sheet')
  const saved = office.page.waitForEvent('download')
  await office.tap('下载表格（XLSX）')
  const file = readFileSync(await (await saved).path())
  assert.equal(file.subarray(0, 2).toString(), 'PK', 'a workbook is a zip')
})

test('only after the release the secretary reads the own result, and nobody else’s', async () => {
  // A week without using it has ended the sign-in.
  await secretary.signInAsStaff(demo, 'secretary-01')
  const sheet = `${demo.address}/app/#/pages/sealed-surveys/sheet?id=${survey.id}`
  await secretary.open(sheet)
  await secretary.page.reload()
  await secretary.sees('没有找到')
  await office.open(`${demo.address}/app/#/pages/sealed-surveys/conduct?id=${survey.id}`)
  await office.page.reload()
  await office.tap('把结果发给被测评人')
  await office.tap('确定把结果发给被测评人')
  await office.sees('办好了：把结果发给被测评人')
  await secretary.open(`${demo.address}/app/#/pages/sealed-surveys/results`)
  await secretary.page.reload()
  await secretary.waitsFor(title)
  await secretary.sees('评我（我单位）的')
  await secretary.findsNoFaults('results')
  await secretary.tap(title)
  await secretary.sees('这是您本人（或者您单位）的结果')
  await secretary.sees(`应参加39人，领票${VOTERS}，有效票${VOTERS}`)
  await secretary.findsNoFaults('own')
  const neighbour = await Person.with(browser)
  await neighbour.signInAsStaff(demo, 'secretary-02')
  await neighbour.tap('测评结果')
  await neighbour.sees('东河村上季度村务满意度')
  await neighbour.doesNotSee(title)
})

test('nothing went wrong on the pages', () => {
  assert.deepEqual([...office.errors, ...secretary.errors], [])
})
