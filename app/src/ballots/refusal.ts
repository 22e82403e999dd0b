/** Why a step was not taken: a stable code, for which the screens have a sentence. */
export class Refusal extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}
