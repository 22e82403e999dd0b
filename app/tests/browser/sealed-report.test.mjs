// A sealed report on a phone-sized screen: the chat leads to the form; the officer makes a key, opens the report and answers; with the
// code from the paper the answer is read and something added. What went over the wire and lies in the database is ciphertext.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { openBrowser, Person } from './person.mjs'
import { startDemo } from './server.mjs'

const TEXT = '村支书收了修路的回扣四千块，有收条的照片'
const MORE = '钱是在村部二楼给的'
const ANSWER = '已受理，十五个工作日内告诉您进展'
const PASSPHRASE = 'correct horse battery'

let demo, browser, reporter, officer, code
before(async () => {
  demo = await startDemo()
  browser = await openBrowser()
  reporter = await Person.with(browser)
  officer = await Person.with(browser)
})
after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** Looks at what the person's browser sends. */
function overhear(person) {
  const bodies = []
  person.page.on('request', (request) => bodies.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ''}`))
  return bodies
}

async function choosesFile(person, file) {
  const chooser = person.page.waitForEvent('filechooser')
  await person.tap('选钥匙文件')
  await (await chooser).setFiles(file)
}

let keyFile
test('the officer makes a key in the browser, reads its file back and publishes the public half alone', async () => {
  await officer.signInAsStaff(demo, 'discipline')
  await officer.tap('我的待办')
  await officer.tap('加密举报')
  await officer.sees('云溪镇纪委的公钥')
  const sent = overhear(officer)
  await officer.tap('换一把新钥匙')
  await officer.type('新口令', PASSPHRASE)
  await officer.type('再输一遍口令', PASSPHRASE)
  const saved = officer.page.waitForEvent('download')
  await officer.tap('生成钥匙，存到这台电脑')
  keyFile = path.join(demo.folder, 'officer.age')
  await (await saved).saveAs(keyFile)
  await officer.sees('证明打得开，才公布公钥')
  // The demo's own key is another one.
  await choosesFile(officer, path.join(demo.folder, 'data/demo-report-key-discipline.txt'))
  await officer.sees('这不是刚存的那个文件')
  await choosesFile(officer, keyFile)
  await officer.type('钥匙文件的口令', 'another passphrase')
  await officer.tap('打开钥匙')
  await officer.sees('口令不对')
  await officer.type('钥匙文件的口令', PASSPHRASE)
  await officer.tap('打开钥匙')
  await officer.sees('已经打开1把')
  await officer.findsNoFaults('report-key')
  await officer.tap('公布公钥')
  await officer.sees('核对码')
  await officer.sees('换一把新钥匙')
  assert.ok(readFileSync(keyFile).subarray(0, 21).equals(Buffer.from('age-encryption.org/v1')))
  assert.ok(sent.some((body) => body.includes('age1')))
  for (const body of sent) assert.ok(!body.includes('AGE-SECRET-KEY') && !body.includes(PASSPHRASE), body)
})

test('the chat leads to the form, and says nothing of who was led there', async () => {
  await reporter.open(`${demo.sandbox}/sandbox/phones/phone-resident-01-1`)
  await reporter.type('发消息', '我要举报村支书收钱')
  await reporter.tap('发送')
  await reporter.sees('没有保存')
  const said = await reporter.page.getByText('加密举报页').last().innerText()
  const [form] = said.match(/http:\/\/\S+\/pages\/reports\/index/)
  // In a browser of her own: nobody is signed in there.
  reporter = await Person.with(browser)
  await reporter.open(form)
  await reporter.sees('不用登录，也不记您是谁')
  await reporter.sees('保护不了的是')
})

test('the report is sealed on the phone, and its code is shown once', async () => {
  const sent = overhear(reporter)
  await reporter.tap('云溪镇')
  await reporter.tap('村干部，或者镇里的一般干部')
  await reporter.sees('交给：云溪镇纪委')
  await reporter.tap('镇党委书记、镇长等镇领导，或者镇纪委的人')
  await reporter.sees('交给：清和县（演示）纪委监委')
  await reporter.tap('村干部，或者镇里的一般干部')
  await reporter.tap('匿名')
  await reporter.type('举报内容', TEXT)
  await reporter.findsNoFaults('report')
  await reporter.tap('加密并提交')
  await reporter.sees('已加密提交')
  code = (await reporter.page.locator('.code').locator('visible=true').innerText()).trim()
  assert.match(code, /^([0-9A-Z]{5}-){4}[0-9A-Z]$/)
  await reporter.findsNoFaults('report-code')
  for (const body of sent) {
    assert.ok(!body.includes('四千块') && !body.includes(code.slice(0, 11)) && !body.toLowerCase().includes('authorization'), body)
  }
  assert.ok(sent.some((body) => body.includes('/api/sealed-reports')))
  await reporter.tap('抄好了，离开')
  await reporter.sees('整改好不好，群众说了算')
  const kept = await reporter.page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.body.innerHTML)
  assert.ok(!kept.includes(code) && !kept.includes('四千块'), 'nothing stays on the phone')
})

test('the officer opens it with the key, and answers', async () => {
  await officer.page.reload()
  await officer.sees('有新内容')
  await choosesFile(officer, keyFile)
  await officer.type('钥匙文件的口令', PASSPHRASE)
  await officer.tap('打开钥匙')
  await officer.sees('已经打开1把')
  const sent = overhear(officer)
  await officer.tap('打开看')
  await officer.sees(TEXT)
  await officer.sees('匿名')
  await officer.tap('受理')
  await officer.type('答复举报人', ANSWER)
  await officer.findsNoFaults('report-read')
  await officer.tap('加密并答复')
  await officer.sees('已受理')
  await officer.sees(ANSWER)
  for (const body of sent) assert.ok(!body.includes('十五个工作日') && !body.includes('四千块'), body)
})

test('with the code from the paper the answer is read and something added', async () => {
  await reporter.tap('举报干部（加密，不用登录）')
  await reporter.tap('有查询码：看答复、补充')
  await reporter.type('查询码', `${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`)
  await reporter.tap('查询')
  await reporter.sees('有一个字输错了')
  await reporter.type('查询码', code.toLowerCase())
  await reporter.tap('查询')
  await reporter.sees('已受理')
  await reporter.sees(ANSWER)
  await reporter.doesNotSee(TEXT)
  await reporter.type('补充情况', MORE)
  await reporter.findsNoFaults('report-answer')
  await reporter.tap('加密并补充')
  await reporter.sees('补充已经加密提交')
  await officer.tap('返回列表')
  await officer.tap('打开看')
  await officer.sees(MORE)
  await reporter.tap('马上离开')
  await reporter.sees('整改好不好，群众说了算')
  assert.ok(!(await reporter.page.content()).includes(ANSWER))
})

test('neither the township office nor the database holds a word of it', async () => {
  const office = await Person.with(browser)
  await office.signInAsStaff(demo, 'office')
  await office.tap('我的待办')
  await office.sees('不在岗和代理人')
  await office.doesNotSee('加密举报')
  await office.open(`${demo.address}/app/#/pages/reports/office`)
  await office.sees('没有找到，或者您无权查看')
  const folder = path.join(demo.folder, 'data')
  const files = readdirSync(folder).filter((name) => name.includes('.db') || name.includes('.sqlite'))
  assert.ok(files.length > 0)
  for (const file of files) {
    const bytes = readFileSync(path.join(folder, file))
    for (const secret of ['四千块', '村部二楼', '十五个工作日内告诉您', code, code.replaceAll('-', '').slice(0, 20), PASSPHRASE]) {
      assert.ok(!bytes.includes(secret), `${secret} stands in ${file}`)
    }
  }
  for (const person of [reporter, officer, office]) assert.deepEqual(person.errors, [])
})
