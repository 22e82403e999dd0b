import Taro from '@tarojs/taro'
import { ref } from 'vue'

/** Whether the large mode (长辈版) is on; kept on this phone. */
export const largeType = ref(false)

const KEY = 'large-type'

/** Takes over the choice made before, or else the phone's own font size. */
export function followFontSize(): void {
  const chosen: unknown = Taro.getStorageSync(KEY)
  if (chosen === true || chosen === false) {
    largeType.value = chosen
    return
  }
  try {
    const { fontSizeSetting } = Taro.getAppBaseInfo() as { fontSizeSetting?: number }
    largeType.value = (fontSizeSetting ?? 16) >= 20
  } catch {
    // Browsers have no such setting: they scale the page themselves.
  }
}

/** Switches the large mode and remembers it. */
export function switchLargeType(): void {
  largeType.value = !largeType.value
  Taro.setStorageSync(KEY, largeType.value)
}
