import Taro from '@tarojs/taro'

import { bindingPage, insideWeCom, signIn, takeBack, type SignedIn } from '../client/sign-in'

/** Opens a page of the app. */
export function go(page: string): void {
  void Taro.navigateTo({ url: `/pages/${page}` })
}

export function home(): void {
  void Taro.reLaunch({ url: '/pages/home/index' })
}

/** A page of the app, and its address with the parameters. */
interface Place {
  route: string
  address: string
}

const routeOf = (path: string) => path.replace(/\?.*/, '').replace(/^\//, '')

/** The page that is shown. */
function here(): Place {
  const router = Taro.getCurrentInstance().router
  const route = routeOf(router?.path ?? '')
  // The others are the framework's own.
  const given = Object.entries(router?.params ?? {}).filter(([name]) => name !== 'stamp' && name !== '$taroTimestamp')
  const query = given.map(([name, value]) => `${name}=${value ?? ''}`).join('&')
  return { route, address: `/${route}${query ? `?${query}` : ''}` }
}

/** Whether the page that is shown asks who is there. */
export const isSignIn = () => here().route.startsWith('pages/sign-in/')

/** How many pages of the sign-in lie on top, and which page lies below them. */
function signIns(): { pages: number; below: string } {
  const routes = Taro.getCurrentPages().map((page) => routeOf(page.route ?? ''))
  let pages = 0
  while (routes[routes.length - 1 - pages]?.startsWith('pages/sign-in/')) pages++
  return { pages, below: routes[routes.length - 1 - pages] ?? '' }
}

/** The page that sent somebody to the sign-in. */
let asking: Place | undefined

/** Opens a page of the sign-in, from which one comes back to this one. */
export function goToSignIn(page: string): void {
  asking = here()
  go(page)
}

/** Signs in with what the device knows by itself and shows this page anew; whom that does not tell goes to the sign-in. */
export async function signInHere(): Promise<void> {
  const { address } = here()
  const signedIn = await signIn().catch((): SignedIn => ({ result: 'nobody' }))
  if (signedIn.result === 'signed_in') void Taro.reLaunch({ url: address })
  else goToSignIn(bindingPage(signedIn) ?? (insideWeCom() ? 'sign-in/staff' : 'sign-in/binding'))
}

/** To which address a sign-in comes back, if the page that lies below it asked for it. */
export function comesBackTo(): string | undefined {
  return asking && asking.route === signIns().below ? asking.address : undefined
}

/** Opens the page that was wanted before the browser went to WeCom; whether there was one. */
export function goBackAfterWeCom(): boolean {
  const back = takeBack()
  if (back) void Taro.reLaunch({ url: back })
  return back !== undefined
}

/** After a sign-in: back to the chat's link if one waits below, whose code is still to be used; to the page that asked; home otherwise. */
export function goOn(): void {
  const { pages, below } = signIns()
  const back = comesBackTo()
  if (below.startsWith('pages/account-links/')) void Taro.navigateBack({ delta: pages })
  else if (back) void Taro.reLaunch({ url: back })
  else if (!goBackAfterWeCom()) home()
}

/** A parameter of the page's address. */
export function parameter(name: string): string {
  return Taro.getCurrentInstance().router?.params[name] ?? ''
}
