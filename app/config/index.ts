import { defineConfig } from '@tarojs/cli'

// One source for the WeChat mini-program and the H5 page. Lengths are written in the px of a 375-wide phone.
export default defineConfig({
  projectName: 'qingfeng-app',
  designWidth: 375,
  deviceRatio: { 375: 2, 640: 1.17, 750: 1, 828: 0.905 },
  sourceRoot: 'src',
  outputRoot: process.env.TARO_ENV === 'h5' ? 'dist/h5' : 'dist/weapp',
  framework: 'vue3',
  compiler: 'vite',
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
