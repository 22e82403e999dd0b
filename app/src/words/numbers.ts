/** 8650 → 86.5, 9000 → 90: hundredths as people write them. */
export function hundredths(number: number): string {
  return String(Math.round(number) / 100)
}
