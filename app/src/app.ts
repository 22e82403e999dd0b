import { createApp } from 'vue'

import './app.scss'
import { followFontSize } from './settings/large-type'

const App = createApp({
  onLaunch() {
    followFontSize()
  },
})

export default App
