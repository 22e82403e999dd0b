// Who is who: a chat with the official account becomes its owner's, WeCom a member of staff's; a lost invitation is replaced;
// whoever wants no messages says so.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { openBrowser, Person } from './person.mjs'
import { startDemo } from './server.mjs'

const PHONE = 'phone-resident-01-1'

let demo, browser, resident, chat, member, office
before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  resident = await Person.with(browser)
  chat = await Person.with(browser)
  member = await Person.with(browser)
  office = await Person.with(browser)
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** Writes to the official account from the phone. */
async function says(words) {
  await chat.open(`${demo.sandbox}/sandbox/phones/${PHONE}`)
  await chat.type('发消息', words)
  await chat.tap('发送')
}

test('a chat is given up and becomes its owner’s again by the link that stands in it', async () => {
  await resident.open(`${demo.sandbox}/sandbox/phones/${PHONE}`)
  await resident.tapIntoNewWindow('打开小程序')
  await resident.tap('服务号聊天')
  await resident.tap('解绑')
  await resident.sees('还没有绑定')

  await says('退订')
  await chat.waitsFor('还不知道您是哪个村的')
  const opened = chat.page.context().waitForEvent('page')
  await chat.page.locator('#live-chat a[href*="/links/"]').last().click()
  chat.look(await opened)
  await chat.sees('这个链接是您自己刚在服务号里收到的吗？')
  await chat.findsNoFaults('account-link')
  await chat.tap('是我收到的，绑定')
  await chat.sees('绑定好了，可以回到服务号接着聊。')
  await chat.sees('一个服务号聊天')

  await resident.page.reload()
  await resident.sees('一个服务号聊天')
})

test('no messages are wanted in the chat, and wanted again in the app', async () => {
  await says('退订')
  await chat.waitsFor('已退订')
  await resident.open(`${demo.address}/app/#/pages/home/index`)
  await resident.page.reload()
  await resident.tap('恢复通知')
  await resident.sees('不要通知我')
  await resident.findsNoFaults('home-resident')
  await resident.page.reload()
  await resident.sees('不要通知我')
})

const secretary = '东河村党支部书记 secretary-01'

test('WeCom is bound at the first sign-in, and the next needs no password', async () => {
  await member.open(`${demo.address}/app/#/pages/sign-in/staff`)
  await member.tap('用企业微信登录')
  await member.sees('企业微信登录：您是哪一位？')
  await member.findsNoFaults('wecom-authorization')
  await member.tap(secretary)
  await member.sees('企业微信认出您了：secretary-01')
  // What binds stands in no address that could be sent on.
  assert.doesNotMatch(member.page.url(), /ticket|proof/)
  await member.findsNoFaults('sign-in-binding-wecom')
  await member.identifiesAs(demo, 'secretary-01')

  await member.tap('退出登录')
  await member.tap('干部登录')
  await member.tap('用企业微信登录')
  await member.tap(secretary)
  await member.sees('我的待办')
  // Nothing that signs in is left in the address.
  assert.doesNotMatch(member.page.url(), /code=|state=/)
})

test('a page that needs a sign-in leads to it and is opened afterwards', async () => {
  const visitor = await Person.with(browser)
  await visitor.open(`${demo.address}/app/#/pages/messages/index`)
  await visitor.tap('登录')
  await visitor.tap('我是干部')
  await visitor.tap('用企业微信登录')
  await visitor.tap(secretary)
  await visitor.page.waitForURL(/#\/pages\/messages\/index/)
  assert.doesNotMatch(visitor.page.url(), /code=|state=/)
  await visitor.doesNotSee('登录')
  assert.deepEqual(visitor.errors, [])
})

test('a code alone in the address signs nobody in who is not at the demo', async () => {
  const visitor = await Person.with(browser)
  await visitor.page.route('**/api/site', async (route) => {
    const answer = await route.fetch()
    await route.fulfill({ response: answer, json: { ...(await answer.json()), demo: false } })
  })
  await visitor.open(`${demo.address}/app/?code=stranger#/pages/home/index`)
  await visitor.sees('村民登录（邀请码）')
  assert.ok(!visitor.requests.some((address) => address.includes('/api/sign-in/')), 'nothing is asked')
  await visitor.tap('干部登录')
  await visitor.sees('动态验证码（六位数字）')
  await visitor.doesNotSee('用企业微信登录')
})

/** Somebody on the roster who has never signed in, by a name as the demo makes them. */
async function neverSignedIn(person) {
  return person.page.evaluate(async () => {
    const { access_token } = JSON.parse(localStorage.getItem('session')).data
    const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' }
    for (const surname of '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许') {
      for (const given of '山河田禾青松石云晓文建春秋兰梅竹福贵安平明远清和') {
        const body = JSON.stringify({ name: surname + given })
        const { items } = await (await fetch('/api/residents/search', { method: 'POST', headers, body })).json()
        if (items.length !== 1) continue
        const replaced = await fetch(`/api/residents/${items[0].id}/invitation`, { method: 'POST', headers, body: '{}' })
        if (replaced.ok) return surname + given
      }
    }
    throw new Error('everybody has signed in')
  })
}

test('the office replaces an invitation, which is shown once and signs its owner in', async () => {
  const name = await resident.page.evaluate(async () => {
    const { access_token } = JSON.parse(localStorage.getItem('session')).data
    return (await (await fetch('/api/me', { headers: { Authorization: `Bearer ${access_token}` } })).json()).name
  })
  await office.signInAsStaff(demo, 'office')
  await office.tap('我的待办')
  await office.tap('补发村民邀请码')
  await office.type('村民姓名', name)
  await office.tap('找人')
  await office.tap('补发邀请码')
  await office.tap('核实过了，补发')
  await office.sees('她已经登录过')
  const newcomers = await neverSignedIn(office)
  await office.type('村民姓名', newcomers)
  await office.tap('找人')
  const card = office.page.locator('.card', { hasText: newcomers }).locator('visible=true').first()
  await card.getByText('补发邀请码', { exact: true }).click()
  await office.tap('核实过了，补发')
  await office.sees('只显示这一次')
  await office.findsNoFaults('roster')
  const code = await card.locator('[role="status"] .card-title').innerText()
  assert.match(code, /^[2-9A-Z]{4} [2-9A-Z]{4} [2-9A-Z]{4}$/)

  const newcomer = await Person.with(browser)
  await newcomer.open(`${demo.address}/app/#/pages/sign-in/binding`)
  await newcomer.type('邀请码', code)
  await newcomer.tap('登录')
  await newcomer.sees('云溪镇')
  assert.deepEqual(newcomer.errors, [])
})

test('nothing went wrong on the pages', () => {
  assert.deepEqual([...resident.errors, ...chat.errors, ...member.errors, ...office.errors], [])
})
