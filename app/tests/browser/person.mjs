// A person with a phone: opens pages, reads, types and taps what is visible.
import assert from 'node:assert/strict'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.QINGFENG_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  })
}

export class Person {
  static async with(browser) {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'zh-CN' })
    const page = await context.newPage()
    const person = new Person()
    person.look(page)
    return person
  }

  constructor() {
    this.errors = []
    this.requests = []
  }

  look(page) {
    this.page = page
    page.setDefaultTimeout(30000)
    page.on('pageerror', (error) => this.errors.push(String(error)))
    page.on('request', (request) => this.requests.push(request.url()))
  }

  async open(address) {
    await this.page.goto(address)
  }

  async tap(words) {
    await this.page.getByText(words, { exact: true }).locator('visible=true').first().click()
  }

  /** Taps what opens in a window of its own, and goes on there. */
  async tapIntoNewWindow(words) {
    const opened = this.page.context().waitForEvent('page')
    await this.tap(words)
    this.look(await opened)
  }

  field(label) {
    const inside = ['input', 'textarea'].flatMap((tag) => [`[aria-label="${label}"] ${tag}`, `${tag}[aria-label="${label}"]`])
    return this.page.locator(inside.join(', ')).locator('visible=true').last()
  }

  /** Types into the field of this label. */
  async type(label, text) {
    await this.field(label).fill(text)
  }

  /** What stands in the field of this label. */
  async typed(label) {
    return this.field(label).inputValue()
  }

  async sees(words) {
    await this.page.getByText(words).locator('visible=true').first().waitFor()
  }

  async doesNotSee(words) {
    assert.equal(await this.page.getByText(words, { exact: true }).locator('visible=true').count(), 0, words)
  }

  /** Looks again until the words are there. */
  async waitsFor(words, lookAgain = () => this.page.reload()) {
    for (let attempt = 0; attempt < 30; attempt++) {
      if (await this.page.getByText(words).locator('visible=true').count()) return
      await this.page.waitForTimeout(1000)
      await lookAgain()
    }
    await this.sees(words)
  }

  /** The page can be used without seeing it well. */
  async findsNoFaults(page) {
    // A page that still slides in cannot be judged.
    await this.page.waitForTimeout(500)
    if (process.env.QINGFENG_PICTURES) await this.page.screenshot({ path: `${process.env.QINGFENG_PICTURES}/${page}.png`, fullPage: true })
    const { violations } = await new AxeBuilder({ page: this.page }).analyze()
    const serious = violations.filter((violation) => ['serious', 'critical'].includes(violation.impact))
    assert.deepEqual(serious.map(({ id, nodes }) => `${page} ${id} ${nodes[0].html.slice(0, 160)}`), [])
  }

  /** Signs in with the password of the demo and the code that its front page shows. */
  async signInAsStaff(demo, login) {
    await this.open(`${demo.address}/app/#/pages/sign-in/staff`)
    await this.identifiesAs(demo, login)
  }

  /** The same, on the page where one is already. */
  async identifiesAs(demo, login) {
    const front = await (await fetch(`${demo.address}/`)).text()
    const row = front.split('<tr>').find((text) => text.includes(`<code>${login}</code>`))
    const code = row.match(/<code>(\d{6})<\/code>/)[1]
    await this.type('账号', login)
    await this.type('密码', 'qingfeng-demo')
    await this.type('动态验证码', code)
    await this.tap('登录')
    await this.sees('我的待办')
  }
}
