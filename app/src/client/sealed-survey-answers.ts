/** What the platform answers about anonymous surveys, as far as the screens read it. Scores and shares are texts: `86.25`. */

export interface BallotBox {
  sid: string
  title: string
  unit_name: string
  class: string
  class_label: string
  evaluatee?: string | null
  state: string
  my_state?: 'open' | 'issued' | 'paper' | null
}

export interface SealedSurvey {
  id: string
  title: string
  kind: string
  purpose: string
  min_level: number
  issue_from: string
  issue_until: string
  cast_until: string
  boxes: BallotBox[]
}

/** A questionnaire that ships with the product. */
export interface Questionnaire {
  key: string
  title: string
  introduction: string
  about: string
  purpose: string
  words: string
  groups: { group: string; label: string }[]
  questions: { text: string; options: string[] }[]
}

/** What the office sees of a box: numbers, never who. */
export interface BoxInHand extends BallotBox {
  eligible: number
  issued: number
  trouble?: string | null
  fingerprint?: string | null
  poster_code?: string | null
  slip_account?: SlipAccount | null
}

export interface SurveyInHand extends Omit<SealedSurvey, 'boxes'> {
  paper: number
  boxes: BoxInHand[]
  not_held: { unit_name: string; class: string; evaluatee?: string | null; eligible: number }[]
  actions: string[]
}

export interface SlipAccount {
  printed: number
  drawn: number
  returned: number
  spoiled: number
  /** More came back than were drawn: the whole batch counts for nothing. */
  batch_void: boolean
}

/** What preparing came to: people whom the co-signer's roll does not name as the platform's does. */
export interface Prepared {
  boxes: { sid: string; state: string; trouble?: string | null; differing: { resident_id: string; name?: string | null }[] }[]
}

/** The result as it is posted. */
export interface Sheet {
  head: {
    title: string
    purpose_words: string
    formula_words: string
    grade_words?: string | null
    suppression_words: string
    is_ranked: boolean
    published_on: string
  }
  rows: SheetRow[]
}

export interface SheetRow {
  label: string
  unit: string
  is_sum: boolean
  eligible: number
  issued?: number | null
  ballots?: number | null
  unopenable: number
  withheld: number
  is_contested: boolean
  is_valid: boolean
  questions: {
    key: string
    text: string
    options: string[]
    counts?: number[] | null
    score?: string | null
    rates: { label: string; per_cent: string }[]
    is_to_be_checked: boolean
  }[]
  score?: string | null
  proposed_grade?: string | null
  rank?: number | null
  previous?: { published_on: string; score?: string | null; change?: string | null } | null
  notes: string[]
}
