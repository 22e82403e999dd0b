/** The officers' side of sealed reports: keys that live in this page only, and what they open. */
import { type OfficerKey, makeKeyFile, readKeyFile } from '../reports/key-file'
import { openText, readReport, type Report, sealText } from '../reports/envelope'
import { freshKey, get, post, type Schemas } from './api'
import { randomness } from './randomness'
import { told } from './reports'

export type { OfficerKey }

/** An envelope, opened; without a text when none of the keys opens it. */
export interface OpenedPart {
  fromReporter: boolean
  text?: string
}

export interface OpenedReport {
  item: Schemas['SealedReportItem']
  /** The first envelope, read; nothing when it cannot be opened or is no report. */
  report?: Report
  parts: OpenedPart[]
}

/** Puts a file onto the officer's machine. It goes nowhere else. */
function save(name: string, content: Uint8Array): void {
  const address = URL.createObjectURL(new Blob([content.slice()], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

/** Makes a key and saves its file; gives what is to be published once the file has been read back. */
export const makeKey = (name: string, passphrase: string): Promise<string> =>
  told(async () => {
    const { key, file } = makeKeyFile(passphrase, await randomness())
    save(`举报私钥-${name}-${key.recipient.slice(-6)}.age`, file)
    return key.recipient
  })

/** Lets the officer choose a file of her own machine. It is read into this page and sent nowhere. */
export function chooseFile(): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chooser = document.createElement('input')
    chooser.type = 'file'
    chooser.onchange = () => {
      const file = chooser.files?.[0]
      if (file && file.size < 100_000) file.arrayBuffer().then((bytes) => resolve(new Uint8Array(bytes)), reject)
    }
    chooser.click()
  })
}

export const readKey = (file: Uint8Array, passphrase: string): Promise<OfficerKey> =>
  told(async () => readKeyFile(file, passphrase))

export const publishKey = (office: string, recipient: string) =>
  post('/api/sealed-reports/keys', { office_id: office, recipient }, { key: freshKey() })

function opened(keys: OfficerKey[], sealed: string): string | undefined {
  for (const { secret } of keys) {
    try {
      return openText(secret, sealed)
    } catch {
      // The next key.
    }
  }
  return undefined
}

/** Fetches a report, which is recorded, and opens it here. */
export async function openReport(id: string, keys: OfficerKey[]): Promise<OpenedReport> {
  const { report: item, parts } = await get<Schemas['SealedReportDetail']>(`/api/sealed-reports/${id}`)
  const texts = parts.map(({ side, sealed }) => ({ fromReporter: side === 'reporter', text: opened(keys, sealed) }))
  let report: Report | undefined
  try {
    report = texts[0]?.text === undefined ? undefined : readReport(texts[0].text)
  } catch {
    // Whoever sent it followed no form: the words themselves are shown.
  }
  return { item, report, parts: texts }
}

/** Seals an answer to the reporter and to everybody in the office. */
export const sealAnswer = (office: Schemas['OfficeReportKeys'], report: Report, text: string): Promise<string> =>
  told(async () => sealText([report.reply, ...office.keys.map(({ recipient }) => recipient)], text, await randomness()))
