import Taro from '@tarojs/taro'

/** Opens a page of the app. */
export function go(page: string): void {
  void Taro.navigateTo({ url: `/pages/${page}` })
}

export function home(): void {
  void Taro.reLaunch({ url: '/pages/home/index' })
}

/** A parameter of the page's address. */
export function parameter(name: string): string {
  return Taro.getCurrentInstance().router?.params[name] ?? ''
}
