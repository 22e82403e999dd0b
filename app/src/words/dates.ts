/** 2026-03-02 → 3月2日 */
export function day(date: string | null | undefined): string {
  const parts = date?.split('-').map(Number)
  return parts && parts.length === 3 ? `${parts[1]}月${parts[2]}日` : '待定'
}

/** An instant in UTC → the day in China. */
export function dayOf(instant: string): string {
  const china = new Date(new Date(instant).getTime() + 8 * 3600 * 1000)
  return `${china.getUTCMonth() + 1}月${china.getUTCDate()}日`
}

/** How a deadline stands, in words. */
export function left(days: number | null | undefined): string {
  if (days === null || days === undefined) return '日期待定'
  if (days < 0) return `已超期${-days}天`
  if (days === 0) return '今天到期'
  return `还有${days}天`
}

/** Today in China, plus so many days: for suggesting dates. */
export function dateFromToday(days: number): string {
  return new Date(Date.now() + (8 + days * 24) * 3600 * 1000).toISOString().slice(0, 10)
}
