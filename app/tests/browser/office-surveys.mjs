// What the office and the county do for an anonymous survey, beside tapping: the co-signer's tool prints slips, names stand on the roll.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { program } from './server.mjs'

/** Asks the platform with the sign-in of this person's page. */
export async function asked(person, method, url, body) {
  return person.page.evaluate(
    async ([method, url, body]) => {
      const { access_token } = JSON.parse(localStorage.getItem('session')).data
      const headers = { Authorization: `Bearer ${access_token}`, 'Content-Type': 'application/json' }
      const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) })
      const text = await answer.text()
      return { status: answer.status, body: text ? JSON.parse(text) : undefined }
    },
    [method, url, body],
  )
}

/** The survey on the page, and its only box. */
export async function onlyBox(person) {
  const id = person.page.url().match(/[?&]id=([0-9a-f-]+)/)[1]
  const { body } = await asked(person, 'GET', `/api/sealed-surveys/${id}`)
  assert.equal(body.boxes.length, 1)
  return { id, sid: body.boxes[0].sid }
}

/** The co-signer's tool makes the slips; their codes stand on the sheet that is cut up and put into the bag. */
export function printsSlips(demo, sid, count) {
  const out = path.join(demo.folder, `slips-${sid}.html`)
  const cosigner = path.join(path.dirname(program), 'qingfeng-cosigner')
  const command = ['--config', 'data-cosigner/cosigner.toml', 'paper', 'make', '--survey', sid, '--count', String(count), '--out', out]
  const made = spawnSync(cosigner, command, { cwd: demo.folder, encoding: 'utf8' })
  assert.equal(made.status, 0, made.stdout + made.stderr)
  const codes = [...readFileSync(out, 'utf8').matchAll(/<p class="code">([^<]+)</g)].map(([, code]) => code)
  assert.equal(codes.length, count)
  return codes
}

/** Plans on the form: what is not said stays as the form suggests it. */
export async function plans(office, questionnaire, { title, choices, paper }) {
  await office.tap('我的待办')
  await office.tap('背靠背测评')
  await office.tap('开一次新的测评')
  await office.tap(questionnaire)
  await office.type('标题', title)
  for (const choice of choices) await office.tap(choice)
  // From today on: the people of this test have no time.
  await office.type('领票第一天', new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10))
  await office.type('每个票箱印几张纸票', String(paper))
}

/** Answers the questions on the page, each with its option of this number. */
export async function answers(person, options) {
  const questions = person.page.locator('.card:visible', { hasText: '不答这题' })
  await questions.first().waitFor()
  const count = await questions.count()
  for (let number = 0; number < count; number++) {
    await questions.nth(number).locator('.action').nth(options[number % options.length]).click()
  }
}

/** Who stands on the roll, as the office hands it to the county. */
export function roll(demo) {
  const env = { ...process.env, QINGFENG_LOG__LEVEL: 'error' }
  const exported = spawnSync(program, ['roll', 'export', '--township', 'yunxi'], { cwd: demo.folder, env, encoding: 'utf8' })
  assert.equal(exported.status, 0, exported.stderr)
  return exported.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line))
}
