// The README's five-minute walk, click by click, on a phone-sized screen.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { AxeBuilder } from '@axe-core/playwright'

import { openBrowser, Person } from './person.mjs'
import { startDemo } from './server.mjs'

let demo, browser, resident, office, secretary
before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  resident = await Person.with(browser)
  office = await Person.with(browser)
  secretary = await Person.with(browser)
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

const title = '村口路灯坏了好几盏，晚上看不见路'

async function openComplaint(person) {
  await person.open(`${demo.address}/app/#/pages/home/index`)
  await person.page.reload()
  await person.tap('群众诉求')
  await person.tap(title)
}

async function handle(opinion) {
  await openComplaint(secretary)
  await secretary.tap('受理')
  await secretary.tap('确定受理')
  await secretary.tap('答复')
  await secretary.type('查明的情况', opinion)
  await secretary.type('依据', '镇便民服务规定')
  await secretary.tap('确定答复')
  await secretary.sees('已答复，请评价')
}

async function dispatch() {
  await office.tap('交办')
  await office.tap('东河村')
  await office.tap('确定交办')
  await office.sees('已交办')
}

test('a resident says what is wrong on the phone', async () => {
  await resident.open(`${demo.sandbox}/sandbox/phones/phone-resident-01-1`)
  await resident.tapIntoNewWindow('打开小程序')
  await resident.sees('云溪镇 东河村')
  await resident.tap('说问题')
  await resident.type('什么问题', title)
  await resident.tap('用电照明')
  await resident.tap('提交')
  await resident.sees('已收到')
})

test('the township office classifies it and gives it to the village', async () => {
  await office.signInAsStaff(demo, 'office')
  await openComplaint(office)
  await office.tap('分类')
  await office.tap('确定分类')
  await office.sees('已分类')
  await dispatch()
})

test('the secretary takes it on and answers', async () => {
  await secretary.signInAsStaff(demo, 'secretary-01')
  await handle('已经派人看过')
})

test('the resident is not satisfied: it is reopened, and closing it is refused', async () => {
  await resident.tap('查看进展')
  await resident.sees('答复满不满意，请您评价')
  await resident.doesNotSee('确定：不满意')
  await resident.tap('不满意')
  await resident.tap('确定：不满意')
  await resident.sees('不满意，重办中')
  await openComplaint(office)
  await office.sees('不满意，重办中')
  await office.tap('办结')
  await office.tap('确定办结')
  await office.sees('还有群众不满意，不能办结')
  await office.tap('收起')
})

test('after a call-back it goes out again, and a rectification item is posted in the village group', async () => {
  await office.tap('记录回访')
  await office.type('说明', '电话回访，还有两盏没亮')
  await office.tap('确定记录回访')
  await office.sees('电话回访，还有两盏没亮')
  await dispatch()
  await handle('五盏路灯全部换新')

  await openComplaint(office)
  await office.tap('立整改事项')
  await office.tap('不推不动的“木头人”')
  await office.type('标题', '路灯长效管护')
  await office.type('整改目标', '夜里主路都亮')
  await office.type('措施', '每月巡查\n坏灯三天内换')
  await office.tap('下达')
  await office.sees('未启动')
  await secretary.open(`${demo.address}/app/#/pages/rectifications/list`)
  await secretary.page.reload()
  await secretary.tap('路灯长效管护')
  await secretary.tap('公开承诺')
  await secretary.type('公开承诺', '坏一盏三天内换一盏，换不了我负责')
  await secretary.tap('确定公开承诺')
  await secretary.sees('整改中')
  await secretary.tap('报进展')
  await secretary.tap('每月巡查')
  await secretary.type('报进展', '十一月巡查了一遍，灯都亮')
  // A closed app loses nothing that was written.
  await secretary.page.reload()
  assert.equal(await secretary.typed('报进展'), '十一月巡查了一遍，灯都亮')
  await secretary.tap('确定报进展')
  await secretary.sees('十一月巡查了一遍，灯都亮')

  const group = await Person.with(browser)
  await group.open(`${demo.sandbox}/sandbox/groups/demo-group-01`)
  await group.sees('坏一盏三天内换一盏')
  for (let attempt = 0; attempt < 20 && !(await group.page.getByText('整改进展').count()); attempt++) {
    await group.page.waitForTimeout(1000)
    await group.page.reload()
  }
  await group.sees('十一月巡查了一遍，灯都亮')
})

test('the resident is content now, and the complaint is closed', async () => {
  await resident.page.reload()
  await resident.tap('满意')
  await resident.tap('确定：满意')
  await resident.sees('您的评价：满意')
  await openComplaint(office)
  await office.tap('办结')
  await office.tap('确定办结')
  await office.sees('已办结')
})

test('anybody reads on the public board what was promised and done, without signing in', async () => {
  const anybody = await Person.with(browser)
  await anybody.open(`${demo.address}/app/`)
  await anybody.tap('看公示（不用登录）')
  await anybody.tap('云溪镇')
  await anybody.tap('东河村')
  await anybody.sees('坏一盏三天内换一盏')
  await anybody.sees('十一月巡查了一遍，灯都亮')
  await anybody.doesNotSee(title)
  assert.deepEqual(anybody.errors, [])
})

test('the main screens have no accessibility faults that can be measured', async () => {
  for (const [person, page] of [
    [resident, 'home/index'],
    [resident, 'complaints/submit'],
    [resident, 'complaints/list'],
    [office, 'desk/index'],
  ]) {
    await person.open(`${demo.address}/app/#/pages/${page}`)
    await person.page.reload()
    await person.page.waitForTimeout(800)
    const { violations } = await new AxeBuilder({ page: person.page }).analyze()
    const serious = violations.filter((violation) => ['serious', 'critical'].includes(violation.impact))
    assert.deepEqual(serious.map(({ id, nodes }) => `${page} ${id} ${nodes[0].html.slice(0, 160)}`), [])
  }
})

test('the cards about it have arrived on the phone', async () => {
  const phone = await Person.with(browser)
  await phone.open(`${demo.sandbox}/sandbox/phones/phone-resident-01-1`)
  await phone.sees(/已交东河村办理|有新进展|已有答复/)
})

test('the screens run without errors and ask nobody else for anything', () => {
  for (const person of [resident, office, secretary]) {
    assert.deepEqual(person.errors, [])
    const foreign = person.requests.filter((url) => !url.startsWith(demo.address) && !url.startsWith(demo.sandbox) && !/^(data|blob):/.test(url))
    assert.deepEqual(foreign, [])
  }
})
