// What the product says in groups: read by a second person, forwarded by hand into an ordinary group, and how each kind of
// post looks in a group of each platform.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { openBrowser, Person } from './person.mjs'
import { freePort, program, startDemo } from './server.mjs'

let demo, browser, office, reader, secretary
before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  office = await Person.with(browser)
  reader = await Person.with(browser)
  secretary = await Person.with(browser)
  await secretary.page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: demo.address })
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** Opens a survey in the third village, which has a group with a robot and an ordinary one. */
async function invitesToASurvey(title) {
  const opened = await office.page.evaluate(async (title) => {
    const { access_token } = JSON.parse(localStorage.getItem('session')).data
    const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' }
    const units = await (await fetch('/api/organizations', { headers })).json()
    const village_id = units.items.filter((unit) => unit.kind === 'village')[2].id
    const closes_on = new Date(Date.now() + 9 * 86400_000).toISOString().slice(0, 10)
    const questions = [{ text: '晚上看得清路吗？', choices: ['看得清', '看不清'] }]
    const body = JSON.stringify({ village_id, title, closes_on, questions })
    return (await fetch('/api/surveys', { method: 'POST', headers, body })).status
  }, title)
  assert.equal(opened, 201)
}

const card = (person, group) => person.page.locator('.card', { hasText: group }).locator('visible=true')

test('what may touch somebody waits until a second person has read it, and a number cannot be let go', async () => {
  await office.signInAsStaff(demo, 'office')
  await invitesToASurvey('路灯亮不亮，残疾人出门方便吗')
  await invitesToASurvey('有事打13800000000')
  await reader.signInAsStaff(demo, 'groups')
  await reader.open(`${demo.address}/app/#/pages/posts/review`)
  await reader.waitsFor('路灯亮不亮')
  await reader.waitsFor('13800000000')
  await reader.findsNoFaults('post-review')
  const held = card(reader, '13800000000').first()
  assert.match(await held.innerText(), /不能发/)
  assert.ok(await held.getByText('看过了，可以发').evaluate((button) => button.closest('button, taro-button-core').hasAttribute('disabled')))
  assert.deepEqual(await postsOfTheRobot(), [])
})

test('a post that is refused never goes out, one that is let go does', async () => {
  while (await card(reader, '13800000000').count()) {
    const held = card(reader, '13800000000').first()
    const before = await card(reader, '13800000000').count()
    await held.locator('input').fill('不要留电话')
    await held.getByText('不同意发').click()
    await reader.page.waitForFunction(
      (before) => [...document.querySelectorAll('.card')].filter((card) => card.innerText.includes('13800000000')).length < before,
      before,
    )
  }
  for (const group of ['南塘村村民群', '南塘村老乡群']) {
    await card(reader, group).filter({ hasText: '路灯亮不亮' }).first().getByText('看过了，可以发').click()
    await reader.page.waitForTimeout(500)
  }
  await reader.waitsFor('没有要确认的公示')
  for (let attempt = 0; !(await postsOfTheRobot()).length; attempt++) {
    assert.ok(attempt < 40, 'the robot posts it')
    await reader.page.waitForTimeout(500)
  }
  const [post] = await postsOfTheRobot()
  assert.match(post, /路灯亮不亮/)
})

/** What stands about surveys in the third village's group. */
async function postsOfTheRobot() {
  const page = await (await fetch(`${demo.sandbox}/sandbox/groups/demo-group-03`)).text()
  return page.split('<article').filter((message) => message.includes('路灯亮不亮') || message.includes('13800000000'))
}

test('a post for an ordinary group is copied, put there by hand, and confirmed', async () => {
  await secretary.signInAsStaff(demo, 'secretary-03')
  await secretary.open(`${demo.address}/app/#/pages/desk/index`)
  await secretary.waitsFor('有公示等着转发到群里')
  await secretary.tap('有公示等着转发到群里')
  await secretary.waitsFor('路灯亮不亮')
  const prepared = card(secretary, '路灯亮不亮')
  assert.match(await prepared.innerText(), /南塘村老乡群/)
  await prepared.getByText('复制文字和链接').click()
  await prepared.getByText('已复制，请到群里粘贴').waitFor()
  const copied = await secretary.page.evaluate(() => navigator.clipboard.readText())
  assert.match(copied, /路灯亮不亮[^]*给服务号发“问卷”/)
  assert.doesNotMatch(copied, /\*\*|<font|^> /m)
  await prepared.getByText('保存小程序码图片').click()
  await prepared.getByLabel('南塘村老乡群的小程序码').waitFor()
  await secretary.findsNoFaults('prepared-posts')
  await prepared.getByText('已发到群里', { exact: true }).click()
  await secretary.page.waitForFunction(() => !document.body.innerText.includes('路灯亮不亮'))
})

test('a post that was wrong is taken back in two taps and with a reason', async () => {
  await reader.open(`${demo.address}/app/#/pages/desk/index`)
  await reader.page.reload()
  await reader.tap('发到群里的公示')
  const posted = card(reader, '南塘村村民群').filter({ hasText: '路灯亮不亮' }).filter({ hasText: '已发到群里' }).first()
  await posted.getByText('撤回并更正').click()
  const confirmation = posted.getByText('确定撤回')
  assert.ok(await confirmation.evaluate((button) => button.closest('button, taro-button-core').hasAttribute('disabled')))
  await posted.locator('input').fill('题目写错了')
  await reader.findsNoFaults('sent-posts')
  await confirmation.click()
  await card(reader, '南塘村村民群').filter({ hasText: '另发更正' }).first().waitFor()
})

/** Whether something of this class is on the screen without scrolling. */
const isInView = (kind) =>
  [...document.querySelectorAll(kind)].some((element) => {
    const { top, bottom, height } = element.getBoundingClientRect()
    return height > 0 && top >= 0 && bottom <= window.innerHeight
  })

/** A refusal stands above a form so long that its top is out of sight. */
async function readsTheRefusalOfADayThatIsOver() {
  await office.tap('再加一题')
  await office.type('第2题', '水质好吗？')
  await office.type('第2题的选项', '好\n不好')
  await office.type('最后一天', '2020-01-01')
  await office.page.getByText('开始问卷', { exact: true }).locator('visible=true').first().scrollIntoViewIfNeeded()
  assert.equal(await office.page.evaluate(isInView, '.title'), false)
  await office.tap('开始问卷')
  await office.page.waitForFunction(isInView, '.error')
  await office.tap('去掉最后一题')
  await office.type('最后一天', new Date(Date.now() + 9 * 86400_000).toISOString().slice(0, 10))
}

test('the office opens a survey on its page and sees that people answer', async () => {
  await office.open(`${demo.address}/app/#/pages/surveys/index`)
  await office.page.reload()
  await office.tap('开一份新的问卷')
  await office.tap('南塘村')
  await office.type('问什么事', '自来水够用吗')
  await office.type('第1题', '中午有水吗？')
  await office.type('第1题的选项', '有\n没有')
  await office.findsNoFaults('survey-form')
  await readsTheRefusalOfADayThatIsOver()
  await office.tap('开始问卷')
  await office.sees('自来水够用吗')
  assert.match(await card(office, '自来水够用吗').first().innerText(), /正在答/)
  await office.findsNoFaults('surveys')
})

const GROUPS = ['wecom', 'dingtalk', 'feishu', 'customers']
// What each kind of post says whoever reads it.
const SAYS = ['整改进展', '整改公示', '更正', '群众说了算']

test('a post of each kind can be read in a group of each platform', async () => {
  const address = `127.0.0.1:${await freePort()}`
  const posts = spawn(path.join(path.dirname(program), 'examples/every_post'), [address], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await new Promise((resolve, reject) => {
      posts.stdout.once('data', resolve)
      posts.once('exit', () => reject(new Error('a post was refused')))
    })
    const counts = []
    for (const group of GROUPS) {
      await reader.open(`http://${address}/sandbox/groups/${group}`)
      await reader.sees(SAYS[0])
      await reader.findsNoFaults(`posts-${group}`)
      for (const words of SAYS) await reader.sees(words)
      const text = await reader.page.locator('main').innerText()
      assert.doesNotMatch(text, /\{\{|\{%|<font|\*\*|\]\(/, group)
      const messages = reader.page.locator('.message')
      counts.push(await messages.count())
      // Whoever wants to know more finds the way.
      assert.ok((await messages.locator('a[href^="https://qingfeng.example"]').count()) >= 7, group)
      const width = await reader.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      assert.ok(width <= 0, `${group} is wider than the phone by ${width}`)
    }
    assert.ok(counts.every((count) => count === counts[0] && count >= 12), counts.join())
  } finally {
    posts.kill()
  }
})

test('nothing went wrong on the pages', () => {
  assert.deepEqual([...office.errors, ...reader.errors, ...secretary.errors], [])
})
