import { defineConfig } from '@tarojs/cli'

// Taro's H5 components bring a map that loads a vendor's script and a video player; neither is used here, and nothing in
// this app may name another host. tests/foreign.mjs fails when one comes back.
const withoutForeignComponents = {
  name: 'without-foreign-components',
  enforce: 'pre' as const,
  load(id: string) {
    if (/@tarojs\/components\/dist\/components\/taro-(map|video)-core\.js/.test(id)) {
      return 'export const defineCustomElement = () => undefined\nexport const TaroMapCore = class extends HTMLElement {}\nexport const TaroVideoCore = class extends HTMLElement {}\n'
    }
    return null
  },
}

// What only anonymous surveys and sealed reports need is a script of its own, loaded with their pages: the first page stays light.
const ballotsApart = {
  name: 'ballots-apart',
  outputOptions(options: { manualChunks?: unknown }) {
    const before = options.manualChunks
    options.manualChunks = (id: string, api: unknown) => {
      if (/\/src\/(ballots|sealing|reports|client\/(sealed-surveys|paper-slips|reports|report-desk|randomness))|\/@(stablelib|noble)\//.test(id)) return 'ballots'
      return typeof before === 'function' ? before(id, api) : undefined
    }
    return options
  },
}

// One source for the WeChat mini-program and the H5 page. Lengths are written in the px of a 375-wide phone.
export default defineConfig({
  projectName: 'qingfeng-app',
  designWidth: 375,
  deviceRatio: { 375: 2, 640: 1.17, 750: 1, 828: 0.905 },
  sourceRoot: 'src',
  outputRoot: process.env.TARO_ENV === 'h5' ? 'dist/h5' : 'dist/weapp',
  framework: 'vue3',
  // Where the mini-program finds the server; the H5 page is served by it.
  // The co-signer's address and the verifier keys (lines, joined by semicolons) are built into the published package, so
  // that the platform cannot name others; without them the app says that it protects less.
  env: {
    TARO_APP_SERVER: JSON.stringify(process.env.TARO_APP_SERVER ?? 'http://127.0.0.1:8080'),
    TARO_APP_COSIGNER: JSON.stringify(process.env.TARO_APP_COSIGNER ?? ''),
    TARO_APP_PINNED_KEYS: JSON.stringify(process.env.TARO_APP_PINNED_KEYS ?? ''),
  },
  compiler: { type: 'vite', vitePlugins: process.env.TARO_ENV === 'h5' ? [withoutForeignComponents, ballotsApart] : [] },
  plugins: ['@tarojs/plugin-framework-vue3', '@tarojs/plugin-platform-h5', '@tarojs/plugin-platform-weapp'],
  mini: {
    postcss: { pxtransform: { enable: true, config: {} } },
  },
  h5: {
    publicPath: '/app/',
    staticDirectory: 'static',
    router: { mode: 'hash' },
    output: { filename: 'js/[name].[hash].js', chunkFilename: 'chunk/[name].[hash].js' },
    postcss: { pxtransform: { enable: false } },
  },
})
