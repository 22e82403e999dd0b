/**
 * Who serves this app, and where the others are. The same page is served by the platform and by the co-signer; what an
 * answer is protected from depends on which of the two it was.
 */
import Taro from '@tarojs/taro'

export interface Site {
  served_by: 'platform' | 'cosigner'
  /** Platform and co-signer are one operator: level 1 at best. */
  single_operator: boolean
  platform: string
  cosigner: string
  box: string
  /** Verifier keys: `platform …`, `cosigner …`, `witness …`. */
  vkeys: string[]
  demo: boolean
}

const inBrowser = process.env.TARO_ENV === 'h5'
/** The page's own host in a browser; set at build time for the mini-program. */
const own = inBrowser ? '' : process.env.TARO_APP_SERVER!

/** What was built into the mini-program: then the platform cannot name another co-signer or other keys. */
const builtIn = {
  cosigner: process.env.TARO_APP_COSIGNER ?? '',
  vkeys: (process.env.TARO_APP_PINNED_KEYS ?? '').split(';').map((line) => line.trim()).filter(Boolean),
}
export const pinnedInBuild = () => builtIn.cosigner !== '' && builtIn.vkeys.length > 0

/** What the host at this address says of itself; nothing when it has no anonymous surveys. */
export async function siteAt(address: string): Promise<Site | undefined> {
  const answer = await Taro.request({ url: `${address}/api/site`, dataType: 'text', responseType: 'text', timeout: 15000 })
  if (answer.statusCode === 404) return undefined
  if (answer.statusCode !== 200) throw new Error('no answer')
  return JSON.parse(String(answer.data)) as Site
}

let asked: Promise<Site | undefined> | undefined

/** Where everybody is. Asked once; a failure is asked again. */
export async function site(): Promise<Site | undefined> {
  asked ??= siteAt(own)
  try {
    const found = await asked
    return found && pinnedInBuild() && !inBrowser ? { ...found, ...builtIn } : found
  } catch (error) {
    asked = undefined
    throw error
  }
}

/** Where the platform is: only a page that the co-signer served has to ask. */
export async function platformAddress(): Promise<string> {
  if (!inBrowser) return own
  const found = await site()
  return found?.served_by === 'cosigner' ? found.platform : own
}

/** What protects an answer that is given here (survey protocol §2.5). */
export function levelHere(here: Site): 1 | 2 | 3 {
  if (here.single_operator) return 1
  if (inBrowser) return here.served_by === 'cosigner' ? 2 : 1
  return pinnedInBuild() ? 3 : 2
}
