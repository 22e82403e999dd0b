// The built app contacts nothing but our own address. People's safety hangs on it, so both bundles are looked through,
// and the mini-program's is run against a stub of the platform that writes down every call that could leave the phone.
// (The H5 page's requests are watched in the browser walk, under the server's strict content security policy.)
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'

const folder = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..', 'dist')

function files(where) {
  return readdirSync(where).flatMap((name) => {
    const full = path.join(where, name)
    return statSync(full).isDirectory() ? files(full) : [full]
  })
}

// Names of standards, not addresses; and the placeholder hosts of URL parsers.
const NAMES = /^https?:\/\/(www\.w3\.org|127\.0\.0\.1|localhost|taro\.com|url|a|x|www\.example\.com|[a-z-]+\.invalid)([:/"'`]|$)/
const NOTED = /^https?:\/\/(github\.com|vuejs\.org|stenciljs\.com|taro\.jd\.com|docs\.taro\.zone|nervjs\.github\.io|fontello\.com|feross\.org|developers\.weixin\.qq\.com|link\.vuejs\.org)/

const found = new Set()
for (const bundle of ['h5', 'weapp']) {
  for (const file of files(path.join(folder, bundle)).filter((name) => /\.(js|css|html|wxml|wxss|json)$/.test(name))) {
    const text = readFileSync(file, 'utf8')
    for (const [address] of text.matchAll(/https?:\/\/[^\s"'`)\\,]+/g)) {
      if (!NAMES.test(address + '"') && !NOTED.test(address)) found.add(`${path.relative(folder, file)}: ${address}`)
    }
    assert.ok(!/(wx\.preloadAssets|navigator\.sendBeacon)/.test(text), `${file} has a call that leaves the phone unseen`)
  }
}
assert.deepEqual([...found], [], 'foreign addresses in the built app')

// The mini-program, run for as long as a hidden timer may wait.
const calls = []
const leaving = /^(request|uploadFile|downloadFile|connectSocket|preloadAssets|reportAnalytics|reportEvent|sendSocketMessage|createUDPSocket|createTCPSocket)$/
const others = ['login', 'navigateTo', 'reLaunch', 'redirectTo', 'chooseImage', 'setStorage', 'showToast', 'onError', 'onNetworkStatusChange']
const leavingNames = ['request', 'uploadFile', 'downloadFile', 'connectSocket', 'preloadAssets', 'reportAnalytics', 'reportEvent', 'createUDPSocket', 'createTCPSocket']
const wx = {
  getStorageSync: () => '',
  setStorageSync() {},
  removeStorageSync() {},
  canIUse: () => false,
  getSystemInfoSync: () => ({ platform: 'devtools', SDKVersion: '3.0.0' }),
  getAppBaseInfo: () => ({ fontSizeSetting: 16 }),
  getLaunchOptionsSync: () => ({ path: 'pages/home/index', query: {} }),
  nextTick: (work) => setTimeout(work, 0),
}
for (const name of [...others, ...leavingNames]) {
  wx[name] = (options) => {
    if (leaving.test(name)) calls.push(`${name} ${options?.url ?? ''}`)
    if (name === 'login') options?.success?.({ code: 'code' })
  }
}
const root = path.join(folder, 'weapp')
const loaded = new Map()
const sandbox = vm.createContext({ wx, console, setTimeout, clearTimeout, setInterval, clearInterval, Promise, URL, URLSearchParams })
Object.assign(sandbox, {
  global: sandbox,
  globalThis: sandbox,
  App: (app) => app.onLaunch?.({ path: 'pages/home/index', query: {}, scene: 1001 }),
  Page: (page) => page.onLoad?.call({ ...page, setData() {}, route: 'pages/home/index' }, {}),
  Component: () => {},
  Behavior: () => {},
  getCurrentPages: () => [],
  getApp: () => ({}),
  requirePlugin: () => ({}),
})
function load(file) {
  const full = file.endsWith('.js') ? file : `${file}.js`
  if (loaded.has(full)) return loaded.get(full).exports
  const module = { exports: {} }
  loaded.set(full, module)
  const code = readFileSync(full, 'utf8')
  const wrapped = vm.runInContext(`(function (require, module, exports) {${code}\n})`, sandbox, { filename: full })
  wrapped((name) => load(path.resolve(path.dirname(full), name)), module, module.exports)
  return module.exports
}
process.on('uncaughtException', (error) => {
  // The whole bundle is one line: its text helps nobody.
  console.error(String(error.message).slice(0, 2000), String(error.stack).split('\n').filter((line) => line.length < 300).slice(0, 8).join('\n'))
  process.exit(1)
})
load(path.join(root, 'app.js'))
for (const page of JSON.parse(readFileSync(path.join(root, 'app.json'), 'utf8')).pages) load(path.join(root, page))
await new Promise((resolve) => setTimeout(resolve, 5000))
const own = /^(request|uploadFile|downloadFile) http:\/\/127\.0\.0\.1:8080\//
assert.deepEqual(calls.filter((call) => !own.test(call)), [], 'calls that leave the phone')
console.log(`Looked through both bundles; ${loaded.size} modules of the mini-program ran, ${calls.length} calls to our own address.`)
