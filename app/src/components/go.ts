import Taro from '@tarojs/taro'

/** Opens a page of the app. */
export function go(page: string): void {
  void Taro.navigateTo({ url: `/pages/${page}` })
}

export function home(): void {
  void Taro.reLaunch({ url: '/pages/home/index' })
}

/** After a sign-in: back to the chat's link if one waits below, whose code stands in its address only; home otherwise. */
export function goOn(): void {
  const routes = Taro.getCurrentPages().map((page) => page.route ?? '')
  let signIns = 0
  while (routes[routes.length - 1 - signIns]?.includes('pages/sign-in/')) signIns++
  if (routes[routes.length - 1 - signIns]?.includes('pages/account-links/')) void Taro.navigateBack({ delta: signIns })
  else home()
}

/** A parameter of the page's address. */
export function parameter(name: string): string {
  return Taro.getCurrentInstance().router?.params[name] ?? ''
}
